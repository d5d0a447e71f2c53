import { createHash } from "node:crypto";
import { isFontCache, readFontCache } from "../../formats/fontconfig.ts";
import type { ContentClass } from "../class.ts";
import { isCacheTag } from "./cache-tag.ts";

const cache = /^var\/cache\/fontconfig\/([0-9a-f]{32})-(le|be)(32|64)(?:d[48])?\.cache-(\d{1,2})$/;
const tag = "var/cache/fontconfig/CACHEDIR.TAG";

/** What fontconfig knows of the fonts in a folder. */
export const fontconfigCache: ContentClass = {
  name: "fontconfig-cache",
  version: 1,
  meaning: "fontconfig's cache of a folder of fonts is there, or was made at another time",
  normalises:
    "a cache whose head agrees with its name (byte order, size of pointers, version, digest of the folder), " +
    "and the folder's CACHEDIR.TAG, count as nothing",
  safety:
    "fontconfig makes it again from the fonts, which are compared themselves, when it is missing or its folder has " +
    "another time; what stands in it for each font is not looked into",
  applies: ({ path, bytes }) => (cache.test(path) && isFontCache(bytes)) || (path === tag && isCacheTag(bytes)),
  normalise({ path, bytes }) {
    const isKnown = path === tag ? isCacheTag(bytes) : agreesWithName(path, bytes);
    return isKnown ? "absent" : undefined;
  },
};

function agreesWithName(path: string, bytes: Buffer): boolean {
  const [, digest, order, bits, version] = cache.exec(path) ?? [];
  const head = readFontCache(bytes);
  if (digest === undefined || !head) return false;
  const isOfFolder = createHash("md5").update(head.folder, "latin1").digest("hex") === digest;
  const isOfMachine = head.isLittleEndian === (order === "le") && head.pointerBits === Number(bits);
  return isOfFolder && isOfMachine && head.version === Number(version);
}
