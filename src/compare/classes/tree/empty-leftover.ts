import { type EntryClass, isEmpty } from "../entry-class.ts";

const below = ["tmp/", "var/tmp/", "root/.cache/", "var/cache/man/", "var/cache/fontconfig/"];
const exact: ReadonlySet<string> = new Set([
  "root/.cache",
  "var/cache/apt",
  "var/cache/apt/archives",
  "var/cache/apt/archives/lock",
  "var/cache/apt/archives/partial",
  "var/cache/debconf",
  "var/cache/fontconfig",
  "var/cache/ldconfig",
  "var/cache/man",
  "var/lib/apt/lists",
  "var/lib/apt/lists/auxfiles",
  "var/lib/apt/lists/lock",
  "var/lib/apt/lists/partial",
  "var/lib/dpkg/lock",
  "var/lib/dpkg/lock-frontend",
  "var/lib/dpkg/triggers/Lock",
  "var/lib/dpkg/updates",
  "var/log/apt",
]);

/** Empty files and folders that tools make when they need them. */
export const emptyLeftover: EntryClass = {
  name: "empty-leftover",
  version: 1,
  meaning: "an empty file or folder that a tool left behind: under /tmp, in a cache, a lock",
  normalises: "an empty file or folder at one of the known paths, with plain attributes, counts as nothing",
  safety: "there is nothing in it, and the tools that use these paths make them when they are missing",
  vanishes: (path, entry) => isEmpty(entry) && (exact.has(path) || below.some((folder) => path.startsWith(folder))),
};
