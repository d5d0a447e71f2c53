import type { ClassDescription } from "../class.ts";

/** Names begin with ./ or / on one side. */
export const namePrefix: ClassDescription = {
  name: "name-prefix",
  version: 1,
  meaning: "names begin with ./ or / on one side",
  normalises: "names are compared without it; names of link targets never are",
  safety: "every unpacker takes both for the same path",
};
