import { type MarshalObject, readMarshalledCode } from "../../formats/pyc-marshal.ts";
import { rewriteMarshalledCode } from "../../formats/pyc-rewrite.ts";
import { sortedElements } from "../../formats/pyc-sets.ts";
import { readPycHeader } from "../../formats/pyc.ts";
import type { ContentClass } from "../class.ts";

/** Since 3.11 marshal sorts sets itself. */
const lastUnsorted = 10;
const maxExpandedBytes = 16 * 1024 * 1024;

/** The order of constant sets in the bytecode of Python 3.6 to 3.10, which follows the hash seed. */
export const pycSetOrder: ContentClass = {
  name: "pyc-set-order",
  version: 1,
  meaning: "Python bytecode lists the elements of a constant set in another order",
  normalises:
    "the elements of frozen sets are sorted by their bytes where one is text, bytes, None or the ellipsis, up to " +
    "Python 3.10; references are numbered anew, and FLAG_REF is taken from objects that nothing refers to",
  safety:
    "such a set's order is another in every process by Python's hash seed; sets of numbers, whose order is not, are kept",
  applies: ({ path, bytes }) => path.endsWith(".pyc") && (readPycHeader(bytes)?.minor ?? 99) <= lastUnsorted,
  normalise({ bytes }) {
    const header = readPycHeader(bytes);
    if (!header || header.minor > lastUnsorted) return undefined;
    const objects = readMarshalledCode(bytes, header.length, header.minor);
    if (!objects) return undefined;
    const budget = { left: maxExpandedBytes };
    const sorted = new Map<MarshalObject, MarshalObject[]>();
    for (const object of objects) {
      const elements = object.type === ">" ? sortedElements(bytes, object, budget) : undefined;
      if (elements) sorted.set(object, elements);
    }
    if (sorted.size === 0) return undefined;
    return rewriteMarshalledCode(bytes, objects, (object) => sorted.get(object) ?? object.children);
  },
};
