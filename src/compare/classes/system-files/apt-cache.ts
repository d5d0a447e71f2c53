import type { ContentClass } from "../class.ts";

const paths: ReadonlySet<string> = new Set(["var/cache/apt/pkgcache.bin", "var/cache/apt/srcpkgcache.bin"]);
const lock = "var/cache/apt/archives/lock";
const signature = 0x98fe76dc;
const structureSizesAt = 10;
const structureCount = 11;

/** What APT makes of its lists and dpkg's status to be faster. */
export const aptCache: ContentClass = {
  name: "apt-cache",
  version: 1,
  meaning: "APT's binary caches are there, or were made from other lists or at another time",
  normalises:
    "pkgcache.bin and srcpkgcache.bin with the head of a finished cache of version 16 or later, and an empty lock " +
    "of the archives, count as nothing; archives are kept",
  safety: "APT makes both again from lists and status whenever these are newer or the caches are missing",
  applies: ({ path }) => paths.has(path) || path === lock,
  normalise({ path, bytes }) {
    const isKnown = path === lock ? bytes.length === 0 : paths.has(path) && isCache(bytes);
    return isKnown ? "absent" : undefined;
  },
};

/** The head of a cache (pkgCache::Header of libapt-pkg): versions, the head's size, sizes of structures. */
function isCache(bytes: Buffer): boolean {
  if (bytes.length < structureSizesAt + structureCount) return false;
  const isLittle = bytes.readUInt32LE(0) === signature;
  if (!isLittle && bytes.readUInt32BE(0) !== signature) return false;
  const [major = 0, minor = 0, dirty = 0] = bytes.subarray(4, 7);
  const headSize = isLittle ? bytes.readUInt16LE(8) : bytes.readUInt16BE(8);
  const sizes = bytes.subarray(structureSizesAt, structureSizesAt + structureCount);
  const isPlausible = headSize >= 256 && headSize <= 4096 && headSize % 4 === 0 && headSize <= bytes.length;
  const isVersioned = major >= 16 && major <= 40 && minor <= 20 && dirty === 0;
  return isVersioned && isPlausible && sizes.every((size) => size >= 8 && size <= 128 && size % 4 === 0);
}
