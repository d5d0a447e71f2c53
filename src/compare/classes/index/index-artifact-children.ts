import type { ClassDescription } from "../class.ts";

/** Children that are no images, such as SBOMs. */
export const indexArtifactChildren: ClassDescription = {
  name: "index-artifact-children",
  version: 1,
  meaning: "children that are no images, such as SBOMs",
  normalises: "children whose config is no image config are left out",
  safety: "runtimes cannot run them",
};
