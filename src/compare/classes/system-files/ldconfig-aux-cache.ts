import { type AuxLibrary, isAuxCache, readAuxCache } from "../../formats/ldconfig-aux.ts";
import { canonicalForm, type ContentClass } from "../class.ts";

const path = "var/cache/ldconfig/aux-cache";

/** What ldconfig remembers of the files that it looked into. */
export const ldconfigAuxCache: ContentClass = {
  name: "ldconfig-aux-cache",
  version: 1,
  meaning: "ldconfig remembers libraries by other inodes, times and devices, and so in another order",
  normalises:
    "inode, change time and device of every entry, and four bytes that ldconfig never sets, go; sizes, flags, " +
    "levels and names are sorted",
  safety:
    "ldconfig alone reads it, and takes an entry only for a file with this inode, change time, size and device, which a " +
    "file of an unpacked image does not have; it then looks into the library itself. The table's order is that of a " +
    "hash of these numbers",
  applies: (file) => file.path === path && isAuxCache(file.bytes),
  normalise(file) {
    const cache = file.path === path ? readAuxCache(file.bytes) : undefined;
    if (!cache) return undefined;
    const order = cache.isLittleEndian ? "little" : "big";
    return canonicalForm("ldconfig-aux-cache", [cache.version, order, ...cache.libraries.map(describe).toSorted()]);
  },
};

function describe({ size, flags, level, soname }: AuxLibrary): string {
  return `${size} ${flags} ${level} ${soname ?? ""}`;
}
