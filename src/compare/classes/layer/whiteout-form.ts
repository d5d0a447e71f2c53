import type { ClassDescription } from "../class.ts";

/** Other whiteouts: opaque on one side and one by one on the other, or of what is not there. */
export const whiteoutForm: ClassDescription = {
  name: "whiteout-form",
  version: 1,
  meaning: "other whiteouts: opaque on one side and one by one on the other, or of what is not there",
  normalises: "layers are applied one over another, whiteouts included",
  safety: "the flattened trees are the same",
};
