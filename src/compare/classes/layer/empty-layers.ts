import type { ClassDescription } from "../class.ts";

/** Layers without entries on one side. */
export const emptyLayers: ClassDescription = {
  name: "empty-layers",
  version: 1,
  meaning: "layers without entries on one side",
  normalises: "layers without entries are left out",
  safety: "they change nothing",
};
