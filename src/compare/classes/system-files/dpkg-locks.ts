import type { ContentClass } from "../class.ts";

const paths: ReadonlySet<string> = new Set([
  "var/lib/dpkg/lock",
  "var/lib/dpkg/lock-frontend",
  "var/lib/dpkg/triggers/Lock",
]);

/** Files that dpkg locks. */
export const dpkgLocks: ContentClass = {
  name: "dpkg-locks",
  version: 1,
  meaning: "an empty file is there that dpkg locks while it works",
  normalises: "an empty lock counts as nothing",
  safety: "there is nothing in it; dpkg makes it when it is missing, and the lock itself goes with the process",
  applies: ({ path }) => paths.has(path),
  normalise: ({ path, bytes }) => (paths.has(path) && bytes.length === 0 ? "absent" : undefined),
};
