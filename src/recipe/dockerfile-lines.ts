import type { Problem } from "../errors.ts";

/** One instruction of a Dockerfile, continuation lines joined, here-documents taken off. */
export interface Instruction {
  /** In upper case. */
  readonly name: string;
  /** What begins with `--` before the first other word, as it is written. */
  readonly flags: readonly string[];
  /** The rest. */
  readonly rest: string;
  /** Line of its first word, from 1. */
  readonly line: number;
}

const names = new Set(
  "ADD ARG CMD COPY ENTRYPOINT ENV EXPOSE FROM HEALTHCHECK LABEL MAINTAINER ONBUILD RUN SHELL STOPSIGNAL USER VOLUME WORKDIR".split(
    " ",
  ),
);
const withHeredocs = new Set(["ADD", "COPY", "RUN"]);
/** What Go or JavaScript, but not both, take for white space, and what is not seen. */
const oddCharacters = /[^\P{Cc}\t]|[\u0085\u00a0\u1680\u2000-\u200f\u2028-\u202f\u205f-\u2069\u3000\ufeff]/u;
const continuation = /(^|[^\\])\\[ \t]*$/;

/**
 * Splits a Dockerfile into instructions as BuildKit's parser does (frontend/dockerfile/
 * parser). Where the two could see different instructions, that is a problem, and what
 * follows is not looked at.
 */
export function splitDockerfile(
  text: string,
  file: string,
): { readonly instructions: readonly Instruction[]; readonly problems: readonly Problem[] } {
  const lines = text.replace(/^\ufeff/, "").split("\n");
  const instructions: Instruction[] = [];
  const problems: Problem[] = [];
  const refuse = (line: number, message: string, hint?: string): void => {
    problems.push({ message, location: { file, line }, ...(hint !== undefined && { hint }) });
  };

  let index = 0;
  while (index < lines.length) {
    const first = lines[index] ?? "";
    const number = index + 1;
    index += 1;
    if (isComment(first)) {
      if (instructions.length === 0) checkDirective(first, (message, hint) => refuse(number, message, hint));
      continue;
    }
    if (first.trim() === "") continue;

    let joined = first.trimStart();
    let last = number;
    while (continuation.test(joined) && index < lines.length) {
      joined = joined.replace(continuation, "$1");
      while (index < lines.length && (isComment(lines[index] ?? "") || (lines[index] ?? "").trim() === "")) index += 1;
      joined += lines[index] ?? "";
      index += 1;
      last = index;
    }
    if (oddCharacters.test(joined)) {
      refuse(
        number,
        "has a control character or a white space other than space and tab",
        "save the file with LF line ends and plain spaces",
      );
      return { instructions, problems };
    }
    const instruction = parseInstruction(joined, number, refuse);
    if (!instruction) return { instructions, problems };
    instructions.push(instruction);

    const inner =
      instruction.name === "ONBUILD" ? (instruction.rest.split(/[ \t]/, 1)[0] ?? "").toUpperCase() : instruction.name;
    const terminators = withHeredocs.has(inner) ? heredocsIn(joined) : [];
    if (!terminators) {
      refuse(
        last,
        "whether this opens a here-document is not plain to see",
        'write it as <<NAME or <<"NAME", outside quotes, with white space round it',
      );
      return { instructions, problems };
    }
    for (const { name, chomp } of terminators) {
      const end = lines.findIndex((line, at) => at >= index && (chomp ? line.replace(/^\t+/, "") : line) === name);
      if (end === -1) {
        refuse(last, `the here-document ${name} has no end`, `end it with a line that is ${name}`);
        return { instructions, problems };
      }
      index = end + 1;
    }
  }
  return { instructions, problems };
}

function isComment(line: string): boolean {
  return /^[ \t]*#/.test(line);
}

function checkDirective(comment: string, refuse: (message: string, hint: string) => void): void {
  if (/^[ \t]*#[^=]*syntax\s*=/i.test(comment)) {
    refuse(
      "a syntax directive has the builder pull its Dockerfile reader from a registry",
      "remove the line: the reader of the pinned builder is used",
    );
  }
  if (/^[ \t]*#[^=]*escape\s*=/i.test(comment)) {
    refuse("an escape directive changes where lines go on", "remove the line and use \\");
  }
}

function parseInstruction(
  joined: string,
  line: number,
  refuse: (line: number, message: string, hint?: string) => void,
): Instruction | undefined {
  const [, word = "", after = ""] = /^(\S+)[ \t]*([^]*)$/.exec(joined) ?? [];
  const name = word.toUpperCase();
  if (!names.has(name)) {
    refuse(
      line,
      `${JSON.stringify(word.slice(0, 40))} is not an instruction`,
      "if it belongs to the line before, end that line with \\",
    );
    return undefined;
  }
  const flags: string[] = [];
  let rest = after.trim();
  while (rest.startsWith("--")) {
    const [flag = ""] = /^\S+/.exec(rest) ?? [];
    rest = rest.slice(flag.length).trimStart();
    if (flag === "--") break;
    flags.push(flag);
  }
  return { name, flags, rest, line };
}

/** The here-documents that a line opens, in order; undefined when it is not plain to see. */
function heredocsIn(line: string): { readonly name: string; readonly chomp: boolean }[] | undefined {
  if (!/(^|[ \t])\d*<</.test(line)) return [];
  const words = shellWords(line);
  if (!words) return undefined;
  const found: { name: string; chomp: boolean }[] = [];
  for (const word of words) {
    if (!/^\d*<</.test(word) || /^\d*<<<[^<]/.test(word)) continue;
    const [, dash, , name] = /^\d*<<(-?)(["']?)([A-Za-z_][A-Za-z0-9_]*)\2$/.exec(word) ?? [];
    if (name === undefined) return undefined;
    found.push({ name, chomp: dash === "-" });
  }
  return found;
}

/** Words as a shell sees them, quotes kept; undefined for what a short scan cannot be sure of. */
function shellWords(line: string): string[] | undefined {
  if (line.includes("${") || line.includes("$'") || line.includes('$"')) return undefined;
  const words: string[] = [];
  let word = "";
  let quote = "";
  for (let index = 0; index < line.length; index += 1) {
    const character = line[index] ?? "";
    if (quote === "" && (character === " " || character === "\t")) {
      if (word !== "") words.push(word);
      word = "";
      continue;
    }
    word += character;
    if (character === "\\" && quote !== "'") {
      index += 1;
      word += line[index] ?? "";
    } else if (quote === "" && (character === '"' || character === "'")) quote = character;
    else if (character === quote) quote = "";
  }
  if (quote !== "") return undefined;
  if (word !== "") words.push(word);
  return words;
}
