import type { ClassDescription } from "../class.ts";

/** Other annotations on the index or on its children. */
export const indexAnnotations: ClassDescription = {
  name: "index-annotations",
  version: 1,
  meaning: "other annotations on the index or on its children",
  normalises: "annotations are left out",
  safety: "runtimes choose by platform",
};
