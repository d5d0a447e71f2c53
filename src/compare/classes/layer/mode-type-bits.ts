import type { ClassDescription } from "../class.ts";

/** The mode has the bits of the file's type in it on one side. */
export const modeTypeBits: ClassDescription = {
  name: "mode-type-bits",
  version: 1,
  meaning: "the mode has the bits of the file's type in it on one side",
  normalises: "the mode is compared in its twelve permission bits",
  safety: "the type stands in a field of its own, which is what unpackers read",
};
