import type { ClassDescription } from "../class.ts";

/** The same entries, written otherwise in their headers. */
export const tarHeaders: ClassDescription = {
  name: "tar-headers",
  version: 1,
  meaning: "the same entries, written otherwise in their headers",
  normalises: "headers are compared field by field",
  safety: "no field that unpackers read differs",
};
