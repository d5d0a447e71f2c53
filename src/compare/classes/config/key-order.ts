import type { ClassDescription } from "../class.ts";

/** The same config, written with other white space or another order of keys. */
export const configKeyOrder: ClassDescription = {
  name: "config-key-order",
  version: 1,
  meaning: "the same config, written with other white space or another order of keys",
  normalises: "both are parsed and written canonically",
  safety: "JSON gives neither a meaning; keys given twice are refused",
};
