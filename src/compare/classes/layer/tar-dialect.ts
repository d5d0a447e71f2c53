import type { ClassDescription } from "../class.ts";

/** Another dialect of tar: USTAR, PAX, GNU. */
export const tarDialect: ClassDescription = {
  name: "tar-dialect",
  version: 1,
  meaning: "another dialect of tar: USTAR, PAX, GNU",
  normalises: "fields are compared as the dialect means them",
  safety: "every unpacker reads all of them",
};
