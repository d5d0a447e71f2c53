import type { ClassDescription } from "../class.ts";

/** Other annotations on the manifest or on what it names. */
export const manifestAnnotations: ClassDescription = {
  name: "manifest-annotations",
  version: 1,
  meaning: "other annotations on the manifest or on what it names",
  normalises: "annotations are left out",
  safety: "runtimes do not read the annotations of image manifests",
};
