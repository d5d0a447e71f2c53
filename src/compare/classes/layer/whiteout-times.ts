import type { ClassDescription } from "../class.ts";

/** Other modification times of whiteouts. */
export const whiteoutTimes: ClassDescription = {
  name: "whiteout-times",
  version: 1,
  meaning: "other modification times of whiteouts",
  normalises: "times are left out",
  safety: "a whiteout is never unpacked",
};
