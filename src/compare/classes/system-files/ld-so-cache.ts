import { isLoaderCache, readLoaderCache } from "../../formats/ldconfig-cache.ts";
import { canonicalForm, type ContentClass } from "../class.ts";

const path = "etc/ld.so.cache";

/** Which ldconfig wrote the dynamic loader's cache. */
export const ldSoCache: ContentClass = {
  name: "ld-so-cache",
  version: 1,
  meaning: "the dynamic loader's cache was written by another build of ldconfig",
  normalises:
    "the extension with the text that names the generator goes; every library, name, flag and other extension " +
    "is kept, in its order; only for caches that have this extension",
  safety: "the loader never reads the text; glibc puts it in for people who look into the file",
  applies: (file) => file.path === path && isLoaderCache(file.bytes),
  normalise(file) {
    const cache = file.path === path ? readLoaderCache(file.bytes) : undefined;
    if (!cache) return undefined;
    const extensions = cache.extensions.flatMap(({ tag, flags, data }) => [`${tag} ${flags}`, data]);
    return canonicalForm("ld-so-cache", [cache.isLittleEndian ? "little" : "big", cache.libraries, ...extensions]);
  },
};
