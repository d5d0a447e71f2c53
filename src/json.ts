/**
 * JSON with the keys of every object in code-unit order and no white space: the same
 * value always gives the same text. Values that JSON cannot hold are a defect of the caller.
 */
export function canonicalJson(value: unknown): string {
  return JSON.stringify(sortKeys(value));
}

/**
 * What `JSON.stringify(value, null, 2)` gives, in pieces: members of the value, and theirs,
 * come one by one, so that a document of many megabytes is never there as one text. What
 * can be iterated over is a list, whose members may be made only then.
 */
export function* prettyJson(value: unknown): Generator<string> {
  yield* prettyPieces(value, "\n", 2);
}

function* prettyPieces(value: unknown, newline: string, depth: number): Generator<string> {
  if (depth === 0 || value === null || typeof value !== "object" || "toJSON" in value) {
    yield (JSON.stringify(value, null, 2) ?? "null").replaceAll("\n", newline);
    return;
  }
  const isList = Symbol.iterator in value;
  const inner = `${newline}  `;
  let before = isList ? "[" : "{";
  for (const [key, member] of isList ? unnamed(value as Iterable<unknown>) : Object.entries(value)) {
    if (!isList && isLeftOut(member)) continue;
    yield `${before}${inner}${isList ? "" : `${JSON.stringify(key)}: `}`;
    yield* prettyPieces(member, inner, depth - 1);
    before = ",";
  }
  const end = isList ? "]" : "}";
  yield before === "," ? `${newline}${end}` : `${before}${end}`;
}

function* unnamed(list: Iterable<unknown>): Generator<[string, unknown]> {
  for (const member of list) yield ["", member];
}

function isLeftOut(member: unknown): boolean {
  return member === undefined || typeof member === "function" || typeof member === "symbol";
}

function sortKeys(value: unknown): unknown {
  if (Array.isArray(value)) return value.map(sortKeys);
  if (value !== null && typeof value === "object") {
    const entries = Object.entries(value).filter(([, item]) => item !== undefined);
    entries.sort(([a], [b]) => (a < b ? -1 : a > b ? 1 : 0));
    return Object.fromEntries(entries.map(([key, item]) => [key, sortKeys(item)]));
  }
  return value;
}
