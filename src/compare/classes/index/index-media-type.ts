import type { ClassDescription } from "../class.ts";

/** A Docker manifest list on one side and an OCI index on the other. */
export const indexMediaType: ClassDescription = {
  name: "index-media-type",
  version: 1,
  meaning: "a Docker manifest list on one side and an OCI index on the other",
  normalises: "media types are left out",
  safety: "both describe the same, and every runtime takes both",
};
