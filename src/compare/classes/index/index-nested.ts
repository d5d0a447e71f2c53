import type { ClassDescription } from "../class.ts";

/** An index inside the index on one side. */
export const indexNested: ClassDescription = {
  name: "index-nested",
  version: 1,
  meaning: "an index inside the index on one side",
  normalises: "nested indexes are replaced by their children",
  safety: "runtimes that follow nested indexes find the same images",
};
