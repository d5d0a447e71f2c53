import type { ClassDescription } from "../class.ts";

/** Other top-level fields of the index. */
export const indexFields: ClassDescription = {
  name: "index-fields",
  version: 1,
  meaning: "other top-level fields of the index",
  normalises: "fields beside `manifests` are left out",
  safety: "what runs is what the children are",
};
