import type { DocumentPath, YamlTree } from "./yaml-tree.ts";

/**
 * One document over another: mappings are merged key by key, lists and scalars are those of
 * the one above where it has them. Places are those of the document that says it.
 */
export function layered(below: YamlTree, above: YamlTree): YamlTree {
  const own = (at: DocumentPath): boolean => above.has(at) || !below.has(at) || insideOwnList(above, at);
  return {
    file: above.file,
    data: merged(below.data, above.data),
    has: (at) => above.has(at) || (!insideOwnList(above, at) && below.has(at)),
    locate: (at, part) => (own(at) ? above : below).locate(at, part),
    scalar: (at) => (own(at) ? above : below).scalar(at),
  };
}

/** The mapping at a path of a document as a document of its own, without some of its keys. */
export function partOf(tree: YamlTree, path: DocumentPath, without: readonly string[] = []): YamlTree {
  const isLeftOut = ([key]: DocumentPath): boolean => without.includes(String(key));
  const found = path.reduce<unknown>((value, key) => (value as Record<string | number, unknown>)[key], tree.data);
  const entries = Object.entries(isMapping(found) ? found : {}).filter(([key]) => !without.includes(key));
  return {
    file: tree.file,
    data: Object.fromEntries(entries),
    has: (at) => !isLeftOut(at) && tree.has([...path, ...at]),
    locate: (at, part) => tree.locate([...path, ...at], part),
    scalar: (at) => (isLeftOut(at) ? undefined : tree.scalar([...path, ...at])),
  };
}

function merged(below: unknown, above: unknown): unknown {
  if (!isMapping(below) || !isMapping(above)) return above;
  const all: Record<string, unknown> = { ...below };
  for (const [key, value] of Object.entries(above))
    all[key] = Object.hasOwn(below, key) ? merged(below[key], value) : value;
  return all;
}

/** What is a list or scalar above hides all that the one below has inside. */
function insideOwnList(tree: YamlTree, at: DocumentPath): boolean {
  let value: unknown = tree.data;
  for (const part of at) {
    if (!isMapping(value)) return true;
    if (!Object.hasOwn(value, String(part))) return false;
    value = value[String(part)];
  }
  return false;
}

/** Whether a value is a mapping of keys to values. */
export function isMapping(value: unknown): value is Record<string, unknown> {
  return typeof value === "object" && value !== null && !Array.isArray(value);
}
