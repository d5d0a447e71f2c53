const key = String.raw`[A-Za-z_/][A-Za-z0-9_./+~-]*`;
/** A plain scalar: no indicator at its beginning, no `: ` or ` #` in it, no colon at its end. */
const plain = /^[A-Za-z0-9_/](?:[A-Za-z0-9_./+~@=()^ -]|:(?=[A-Za-z0-9_./+~@=-]))*$/;
/** In a list in one line: options such as --version too; no commas and brackets anywhere. */
const flowItem = /^(?:-{1,2}(?=[A-Za-z]))?[A-Za-z0-9_/](?:[A-Za-z0-9_./+~@= -]|:(?=[A-Za-z0-9_./+~@=-]))*$/;
const doubleQuoted = /^"[^"\\]*"$/;
/** Whatever the core schema could take for something else than text. */
const notText = /^(?:null|true|false|[-+]?(?:\.\d+|\d+\.?\d*)(?:e[-+]?\d+)?|0x[\da-f]+|0o[0-7]+)$/i;
const pair = new RegExp(`^(${key}):(?: +(.*))?$`);
const flowPair = new RegExp(`^(${key}): +(.+)$`);
const maxDepth = 16;
const maxLine = 1000;

interface Line {
  readonly indent: number;
  readonly text: string;
}

interface Cursor {
  lines: Line[];
  at: number;
}

/** Thrown nowhere else: what is not plain enough is left to the YAML library. */
const notPlain = Symbol("not plain");
type Read = unknown;

/**
 * The data of a YAML text that is written as plainly as most recipes and all releases are:
 * block mappings and lists, lists and mappings in one line, words, whole numbers and text
 * in double quotes without escapes. Undefined for any other text, right or wrong: the
 * YAML library reads that. What it gives is what the library gives (a test holds one
 * against the other), some ten times as fast; it knows no places.
 */
export function quickYaml(text: string): unknown {
  if (!/^[\n\x20-\x7e]+$/.test(text)) return undefined;
  const lines: Line[] = [];
  for (const line of text.split("\n")) {
    const content = line.trim();
    if (content === "" || content.startsWith("#")) continue;
    if (line.length > maxLine || content.startsWith("---") || content.startsWith("...")) return undefined;
    lines.push({ indent: line.length - line.trimStart().length, text: content });
  }
  const [first] = lines;
  if (first?.indent !== 0) return undefined;
  const cursor: Cursor = { lines, at: 0 };
  const data = readBlock(cursor, 0, 0);
  return data === notPlain || cursor.at < lines.length ? undefined : data;
}

function readBlock(cursor: Cursor, indent: number, depth: number): Read {
  if (depth > maxDepth) return notPlain;
  const line = cursor.lines[cursor.at];
  return line?.text.startsWith("- ") ? readList(cursor, indent, depth) : readMapping(cursor, indent, depth);
}

function readMapping(cursor: Cursor, indent: number, depth: number): Read {
  const result: Record<string, unknown> = {};
  for (;;) {
    const line = cursor.lines[cursor.at];
    if (!line || line.indent < indent) break;
    if (line.indent > indent) return notPlain;
    const found = pair.exec(line.text);
    const name = found?.[1];
    if (name === undefined || isOddKey(name) || Object.hasOwn(result, name)) return notPlain;
    cursor.at += 1;
    const value = readValue(cursor, found?.[2] ?? "", indent, depth);
    if (value === notPlain) return notPlain;
    result[name] = value;
  }
  return result;
}

function readList(cursor: Cursor, indent: number, depth: number): Read {
  const result: unknown[] = [];
  for (;;) {
    const line = cursor.lines[cursor.at];
    if (!line || line.indent < indent) break;
    if (line.indent > indent || !line.text.startsWith("- ")) return notPlain;
    const rest = line.text.slice(1).trimStart();
    const inner = indent + line.text.length - rest.length;
    let value: Read;
    if (pair.test(rest)) {
      // a mapping whose first key stands behind the dash
      cursor.lines[cursor.at] = { indent: inner, text: rest };
      value = readMapping(cursor, inner, depth + 1);
    } else {
      cursor.at += 1;
      value = rest.startsWith("- ") ? notPlain : readValue(cursor, rest, indent, depth);
    }
    if (value === notPlain) return notPlain;
    result.push(value);
  }
  return result;
}

/** What stands behind a key or dash, or the block below it; the lines after it are no part of it. */
function readValue(cursor: Cursor, text: string, indent: number, depth: number): Read {
  const next = cursor.lines[cursor.at];
  const isDeeper = next !== undefined && next.indent > indent;
  if (text === "") return isDeeper && next ? readBlock(cursor, next.indent, depth + 1) : notPlain;
  if (isDeeper || text.includes("#")) return notPlain;
  if (text.startsWith("[")) return readFlowList(text);
  return text.startsWith("{") ? readFlowMapping(text) : readScalar(text, plain);
}

function readFlowList(text: string): Read {
  if (!text.endsWith("]")) return notPlain;
  const inner = text.slice(1, -1).trim();
  if (inner === "") return [];
  const items = inner.split(",").map((item) => readScalar(item.trim(), flowItem));
  return items.includes(notPlain) ? notPlain : items;
}

function readFlowMapping(text: string): Read {
  if (!text.endsWith("}")) return notPlain;
  const inner = text.slice(1, -1).trim();
  const result: Record<string, unknown> = {};
  if (inner === "") return result;
  for (const part of inner.split(",")) {
    const [, name, value] = flowPair.exec(part.trim()) ?? [];
    if (name === undefined || value === undefined || isOddKey(name) || Object.hasOwn(result, name)) return notPlain;
    const read = readScalar(value, flowItem);
    if (read === notPlain) return notPlain;
    result[name] = read;
  }
  return result;
}

function readScalar(text: string, form: RegExp): Read {
  if (/^\d+$/.test(text)) return Number(text);
  if (doubleQuoted.test(text)) return text.slice(1, -1);
  return form.test(text) && !notText.test(text) ? text : notPlain;
}

function isOddKey(name: string): boolean {
  return name === "__proto__" || notText.test(name);
}
