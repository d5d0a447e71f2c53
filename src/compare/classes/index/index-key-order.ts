import type { ClassDescription } from "../class.ts";

/** The same index, written with other white space or another order of keys. */
export const indexKeyOrder: ClassDescription = {
  name: "index-key-order",
  version: 1,
  meaning: "the same index, written with other white space or another order of keys",
  normalises: "both are parsed and written canonically",
  safety: "JSON gives neither a meaning",
};
