import type { ClassDescription } from "../class.ts";

/** The same manifest, written with other white space or another order of keys. */
export const manifestKeyOrder: ClassDescription = {
  name: "manifest-key-order",
  version: 1,
  meaning: "the same manifest, written with other white space or another order of keys",
  normalises: "both are parsed and written canonically",
  safety: "JSON gives neither a meaning",
};
