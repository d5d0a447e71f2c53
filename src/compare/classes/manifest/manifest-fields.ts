import type { ClassDescription } from "../class.ts";

/** Other top-level fields of the manifest (schema version, artifact type, subject). */
export const manifestFields: ClassDescription = {
  name: "manifest-fields",
  version: 1,
  meaning: "other top-level fields of the manifest (schema version, artifact type, subject)",
  normalises: "fields beside config, layers and annotations are left out",
  safety: "what runs is what config and layers name",
};
