import type { ClassDescription } from "../class.ts";

/** Other names of users or groups for the same ids. */
export const ownerNames: ClassDescription = {
  name: "owner-names",
  version: 1,
  meaning: "other names of users or groups for the same ids",
  normalises: "names are left out, ids are not",
  safety: "runtimes unpack by id",
};
