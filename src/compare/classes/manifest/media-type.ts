import type { ClassDescription } from "../class.ts";

/** Docker's media types on one side and those of OCI on the other, or another compression's. */
export const mediaType: ClassDescription = {
  name: "media-type",
  version: 1,
  meaning: "Docker's media types on one side and those of OCI on the other, or another compression's",
  normalises: "media types are left out; content is read by what its first bytes say it is",
  safety: "both families describe the same documents, and every runtime takes both",
};
