import type { ClassDescription } from "../class.ts";

/** An entry is given more than once on one side. */
export const entryDuplicates: ClassDescription = {
  name: "entry-duplicates",
  version: 1,
  meaning: "an entry is given more than once on one side",
  normalises: "of entries with one path the last counts",
  safety: "unpackers overwrite",
};
