import type { ClassDescription } from "../class.ts";

/** A child's content is repeated inside its descriptor on one side. */
export const indexInlineData: ClassDescription = {
  name: "index-inline-data",
  version: 1,
  meaning: "a child's content is repeated inside its descriptor on one side",
  normalises: "`data` is left out after it was checked against the digest",
  safety: "it is the same content that the digest names",
};
