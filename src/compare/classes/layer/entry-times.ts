import type { ClassDescription } from "../class.ts";

/** Other modification times of files. */
export const entryTimes: ClassDescription = {
  name: "entry-times",
  version: 1,
  meaning: "other modification times of files",
  normalises: "times are left out",
  safety: "times are not part of equality; a program that depends on them depends on when its image was built",
};
