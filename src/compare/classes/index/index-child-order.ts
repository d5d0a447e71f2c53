import type { ClassDescription } from "../class.ts";

/** The same children in another order. */
export const indexChildOrder: ClassDescription = {
  name: "index-child-order",
  version: 1,
  meaning: "the same children in another order",
  normalises: "children are sorted by platform and digest",
  safety: "runtimes choose by platform; of two for one platform the first counts, and that is compared",
};
