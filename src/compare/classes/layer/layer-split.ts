import type { ClassDescription } from "../class.ts";

/** The same tree from other layers: split, merged, or moved between them. */
export const layerSplit: ClassDescription = {
  name: "layer-split",
  version: 1,
  meaning: "the same tree from other layers: split, merged, or moved between them",
  normalises: "layers are applied one over another",
  safety: "containers see the flattened tree",
};
