import type { ClassDescription } from "../class.ts";

/** The same files, linked on one side and copied on the other. */
export const hardlinkCopy: ClassDescription = {
  name: "hardlink-copy",
  version: 1,
  meaning: "names of one file on one side are files of their own, or linked otherwise, on the other",
  normalises: "every name counts as a file of its own, with content, mode and owner, which are compared as always",
  safety:
    "what is read at every path is the same; only a program that writes to one name and expects the change at the other would see it",
};
