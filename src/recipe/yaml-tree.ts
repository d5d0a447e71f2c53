import { isAlias, isMap, isScalar, isSeq, LineCounter, parseDocument, Scalar, type YAMLError } from "yaml";
import type { Location, Problem } from "../errors.ts";
import { escapeUnseen, quoted } from "./words.ts";

/** Keys and list positions from the root of a document. */
export type DocumentPath = readonly (string | number)[];

/** A YAML document as data, with the place of everything in it. */
export interface YamlTree {
  readonly file: string;
  readonly data: unknown;
  /** Whether there is a node (an empty one too) at a path. */
  has(path: DocumentPath): boolean;
  /** The place of a key or of its value; of the nearest thing above it when the path is not there. */
  locate(path: DocumentPath, part?: "key" | "value"): Location;
  /** The scalar at a path, as it was read and as it was written. */
  scalar(path: DocumentPath): { readonly value: unknown; readonly text: string; readonly plain: boolean } | undefined;
}

const maxDepth = 32;
/** Controls other than tab and line ends, and bidi overrides. */
const hiddenCharacter = /[^\P{Cc}\t\n\r]|[\u202a-\u202e\u2066-\u2069]/u;
const maxYamlProblems = 20;

/**
 * Parses one YAML 1.2 document (core schema). `tree` is there when the text says one
 * thing only, which may still come with problems: a key given twice, an anchor. Aliases,
 * unknown tags, directives and more than one document are refused, so nothing expands.
 */
export function parseYaml(
  text: string,
  file: string,
): { readonly tree?: YamlTree; readonly problems: readonly Problem[] } {
  const lines = new LineCounter();
  const document = parseDocument(text, {
    version: "1.2",
    schema: "core",
    lineCounter: lines,
    stringKeys: true,
    // checked below: the library's own check compares every key with every other
    uniqueKeys: false,
    prettyErrors: false,
    resolveKnownTags: false,
    // "silent" would not tell of a second document; nothing is printed by this call
    logLevel: "error",
  });
  const at = (offset: number): Location => {
    const { line, col } = lines.linePos(offset);
    return { file, line: Math.max(line, 1), column: Math.max(col, 1) };
  };

  const deep = document.errors.find((error) => error.code === "RESOURCE_EXHAUSTION");
  const errors = deep ? [deep] : [...document.errors, ...document.warnings];
  const problems = errors.slice(0, maxYamlProblems).map((error) => ({ ...explain(error), location: at(error.pos[0]) }));
  if (document.directives?.yaml.explicit) {
    problems.push({
      message: "a %YAML directive is not used here: files are YAML 1.2",
      location: at(0),
      hint: "remove the line",
    });
  }
  const hidden = hiddenCharacter.exec(text);
  if (hidden) {
    const message = `has the unseen character ${escapeUnseen(hidden[0])}, which can make the text look other than it is`;
    problems.push({ message, location: at(hidden.index), hint: "remove it" });
  }
  if (problems.length > 0) return { problems };
  const contents = document.contents;
  if (contents === null || (isScalar(contents) && contents.value === null)) {
    return { problems: [{ message: "the file is empty", location: { file, line: 1, column: 1 } }] };
  }

  const findings: Problem[] = [];
  let refused = false;
  const add = (node: unknown, message: string, hint: string): void => {
    findings.push({ message, location: at(startOf(node) ?? 0), hint });
  };

  const toData = (node: unknown, depth: number): unknown => {
    if (isAlias(node)) {
      refused = true;
      add(node, `the alias *${node.source} is not used here`, "write the value out where it is needed");
      return undefined;
    }
    if (isScalar(node)) {
      if (node.anchor !== undefined) refuseAnchor(node, node.anchor);
      return node.value;
    }
    if (!isMap(node) && !isSeq(node)) return null;
    if (node.anchor !== undefined) refuseAnchor(node, node.anchor);
    if (depth >= maxDepth) {
      add(node, `nested more than ${maxDepth} deep`, "no file of refoundry needs that");
      refused = true;
      return undefined;
    }
    if (isSeq(node)) return node.items.map((item) => toData(item, depth + 1));
    const first = new Map<string, Location>();
    const entries: [string, unknown][] = [];
    for (const pair of node.items) {
      const key = isScalar(pair.key) && typeof pair.key.value === "string" ? pair.key.value : undefined;
      if (key === undefined || key === "__proto__") {
        add(pair.key ?? node, "this key cannot be used", "keys are words");
        continue;
      }
      const earlier = first.get(key);
      if (earlier)
        add(pair.key, `the key ${quoted(key)} is given twice; it is on line ${earlier.line} too`, "keep one of them");
      else first.set(key, at(startOf(pair.key) ?? 0));
      entries.push([key, toData(pair.value, depth + 1)]);
    }
    return Object.fromEntries(entries);
  };
  const refuseAnchor = (node: unknown, name: string): void => {
    add(
      node,
      `the anchor &${escapeUnseen(name)} is not used here`,
      "remove it and write the value out where it is needed",
    );
  };

  const data = toData(contents, 0);
  if (refused) return { problems: findings.slice(0, maxYamlProblems) };
  return { tree: treeOf(contents, data, file, at), problems: findings.slice(0, maxYamlProblems) };
}

function treeOf(contents: unknown, data: unknown, file: string, at: (offset: number) => Location): YamlTree {
  interface Found {
    readonly key?: unknown;
    readonly value: unknown;
  }
  const keysOf = new Map<object, Map<unknown, Found>>();
  const step = (node: unknown, segment: string | number): Found | undefined => {
    if (isSeq(node))
      return typeof segment === "number" && segment in node.items ? { value: node.items[segment] } : undefined;
    if (!isMap(node)) return undefined;
    let keys = keysOf.get(node);
    if (!keys) {
      keys = new Map(node.items.map(({ key, value }) => [isScalar(key) ? key.value : undefined, { key, value }]));
      keysOf.set(node, keys);
    }
    return keys.get(segment);
  };
  const find = (path: DocumentPath): { readonly found: Found; readonly whole: boolean } => {
    let found: Found = { value: contents };
    for (const segment of path) {
      const next = step(found.value, segment);
      if (!next) return { found, whole: false };
      found = next;
    }
    return { found, whole: true };
  };
  return {
    file,
    data,
    has: (path) => find(path).whole,
    locate(path, part = "value") {
      const { found, whole } = find(path);
      const offset =
        part === "key" || !whole
          ? (startOf(found.key) ?? startOf(found.value))
          : (startOf(found.value) ?? startOf(found.key));
      return at(offset ?? 0);
    },
    scalar(path) {
      const { found, whole } = find(path);
      if (!whole || !isScalar(found.value)) return undefined;
      const { value, source, type } = found.value;
      return { value, text: source ?? "", plain: type === Scalar.PLAIN };
    },
  };
}

function startOf(node: unknown): number | undefined {
  return isScalar(node) || isMap(node) || isSeq(node) || isAlias(node) ? (node.range?.[0] ?? undefined) : undefined;
}

function explain(error: YAMLError): { message: string; hint?: string } {
  switch (error.code) {
    case "TAB_AS_INDENT":
      return { message: "a tab is not indentation in YAML", hint: "indent with spaces" };
    case "MULTIPLE_DOCS":
      return { message: "the file holds more than one document", hint: "keep one; remove the --- line and the rest" };
    case "NON_STRING_KEY":
      return { message: "a key must be one word, not a list, a mapping or an alias" };
    case "TAG_RESOLVE_FAILED":
      return {
        message: `not a tag that can be used: ${escapeUnseen(error.message)}`,
        hint: "remove the tag; put the value in quotes if it is text",
      };
    case "RESOURCE_EXHAUSTION":
      return { message: "nested too deeply to be read" };
    default:
      return { message: escapeUnseen(error.message.charAt(0).toLowerCase() + error.message.slice(1)) };
  }
}
