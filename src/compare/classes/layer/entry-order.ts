import type { ClassDescription } from "../class.ts";

/** The same entries in another order. */
export const entryOrder: ClassDescription = {
  name: "entry-order",
  version: 1,
  meaning: "the same entries in another order",
  normalises: "entries are compared by path",
  safety:
    "each path is unpacked to the same; where an entry is given twice or through a link, the flattened tree has the last word",
};
