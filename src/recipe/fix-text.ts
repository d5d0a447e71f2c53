import { isMap, isScalar, Lexer, parseDocument, Scalar, visit } from "yaml";
import type { FixChange, FixPass } from "./fix-types.ts";
import { unquotedTexts } from "./fix-meaning.ts";
import { pathText } from "./issues.ts";
import type { RuleId } from "./lint-rules.ts";
import { quoted } from "./words.ts";
import { parseYaml } from "./yaml-tree.ts";

/** CRLF becomes LF. */
export const plainLineEnds: FixPass = (text) => {
  const first = text.indexOf("\r\n");
  if (first === -1) return { text, changes: [] };
  const message = "lines end in CRLF";
  return { text: text.replaceAll("\r\n", "\n"), changes: [changeAt(text, first, "line-ends", message)] };
};

/** Tabs between words become a space, those of indentation two for each; tabs in texts and comments stay. */
export const spacesForTabs: FixPass = (text) =>
  text.includes("\t")
    ? rewriteTokens(text, (token, offset, atLineStart) => {
        if (!/^[ \t]*\t[ \t]*$/.test(token)) return undefined;
        const message = atLineStart ? "is indented with a tab" : "has a tab between words";
        return { token: token.replaceAll("\t", atLineStart ? "  " : " "), change: ["tabs", offset, message] };
      })
    : { text, changes: [] };

/** White space at the ends of lines and comments goes, but for that of block texts, which it belongs to. */
export const trimLines: FixPass = (text) =>
  / $|[ \t]+(?=\r?$)/m.test(text)
    ? rewriteTokens(text, (token, offset, _atLineStart, next) => {
        const ends = next === undefined || /^\r?\n/.test(next);
        const trimmed = token.startsWith("#") ? token.trimEnd() : ends && /^[ \t]+$/.test(token) ? "" : token;
        if (trimmed === token) return undefined;
        const message = "ends in white space";
        return { token: trimmed, change: ["trailing-space", offset + trimmed.length, message] };
      })
    : { text, changes: [] };

/** The file ends in one line end. */
export const addFinalNewline: FixPass = (text) => {
  const fixed = `${text.replace(/\n+$/, "")}\n`;
  if (fixed === text) return { text, changes: [] };
  const message = text.endsWith("\n") ? "the file ends in empty lines" : "the file does not end in a line end";
  return { text: fixed, changes: [changeAt(text, Math.min(text.length, fixed.length), "final-newline", message)] };
};

/** Versions, and what the schema wants as text though it looks like a number, in double quotes. */
export const quoteVersions: FixPass = (text, kind) => {
  const { tree } = parseYaml(text, "");
  if (!tree) return { text, changes: [] };
  const document = parseDocument(text, { version: "1.2", schema: "core", logLevel: "error" });
  const places = new Map<number, { readonly end: number; readonly label: string }>();
  const add = (node: unknown, label: string): void => {
    if (!isScalar(node) || node.type !== Scalar.PLAIN || !node.range || node.value === null) return;
    const [start, end] = node.range;
    if (!text.slice(start, end).includes("\n")) places.set(start, { end, label });
  };
  for (const path of unquotedTexts(tree, kind)) add(document.getIn(path, true), pathText(path));
  if (kind === "release" || kind === "lock") {
    visit(document, {
      Map(_, map) {
        for (const pair of isMap(map) ? map.items : [])
          if (isScalar(pair.key) && pair.key.value === "version") add(pair.value, "version");
      },
    });
  }
  const changes: FixChange[] = [];
  let fixed = text;
  for (const [start, { end, label }] of [...places].toSorted(([a], [b]) => b - a)) {
    const written = text.slice(start, end);
    fixed = fixed.slice(0, start) + JSON.stringify(written) + fixed.slice(end);
    changes.push(changeAt(text, start, "quotes", `${label}: ${quoted(written)} is without quotes`));
  }
  return { text: fixed, changes };
};

type Rewrite = (
  token: string,
  offset: number,
  atLineStart: boolean,
  next: string | undefined,
) => { readonly token: string; readonly change: readonly [rule: RuleId, offset: number, message: string] } | undefined;

/** Rewrites the tokens of a YAML text one by one; what the lexer adds to them is left out. */
function rewriteTokens(text: string, rewrite: Rewrite): ReturnType<FixPass> {
  // one character each, which stand for the beginning of a document, a flow error and a scalar
  const tokens = [...new Lexer().lex(text)].filter((token) => !/^[\u0002\u0018\u001f]$/.test(token));
  if (tokens.join("") !== text) return { text, changes: [] };
  const changes: FixChange[] = [];
  const lines = new Set<number>();
  let fixed = "";
  let offset = 0;
  for (const [index, token] of tokens.entries()) {
    const atLineStart = offset === 0 || text[offset - 1] === "\n";
    const rewritten = rewrite(token, offset, atLineStart, tokens[index + 1]);
    fixed += rewritten?.token ?? token;
    if (rewritten) {
      const [rule, at, message] = rewritten.change;
      const change = changeAt(text, at, rule, message);
      if (!lines.has(change.line)) changes.push(change);
      lines.add(change.line);
    }
    offset += token.length;
  }
  return { text: fixed, changes };
}

/** A change at an offset of a text. */
export function changeAt(text: string, offset: number, rule: RuleId, message: string): FixChange {
  const before = text.slice(0, offset);
  const line = before.split("\n").length;
  return { rule, message, line, column: offset - (before.lastIndexOf("\n") + 1) + 1 };
}
