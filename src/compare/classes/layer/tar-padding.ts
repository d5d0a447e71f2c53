import type { ClassDescription } from "../class.ts";

/** Another number of bytes after the last entry. */
export const tarPadding: ClassDescription = {
  name: "tar-padding",
  version: 1,
  meaning: "another number of bytes after the last entry",
  normalises: "bytes after the end of the archive are left out",
  safety: "unpackers stop at the end marker",
};
