import { isGdbm, readGdbm } from "../../formats/gdbm.ts";
import type { ContentClass } from "../class.ts";
import { isCacheTag } from "./cache-tag.ts";

const index = /^var\/cache\/man\/(?:[A-Za-z0-9_.@-]+\/){0,4}index\.db$/;
const tag = "var/cache/man/CACHEDIR.TAG";
const versionForm = /^\d{1,3}(?:\.\d{1,3}){1,3}\0$/;

/** The index of manual pages. */
export const manDbIndex: ContentClass = {
  name: "man-db-index",
  version: 1,
  meaning: "man-db's index of manual pages is there, or has other times or another order",
  normalises:
    "a GDBM database of texts that is whole and has man-db's version, and the folder's CACHEDIR.TAG, count as nothing",
  safety:
    "mandb makes it again from the pages, which are compared themselves; man finds pages without it, and only " +
    "searches for words (apropos, whatis) need it",
  applies: ({ path, bytes }) => (index.test(path) && isGdbm(bytes)) || (path === tag && isCacheTag(bytes)),
  normalise({ path, bytes }) {
    const isKnown = path === tag ? isCacheTag(bytes) : index.test(path) && isIndex(bytes);
    return isKnown ? "absent" : undefined;
  },
};

/** Keys and values are texts that end with a NUL, as man-db stores them. */
function isIndex(bytes: Buffer): boolean {
  const records = readGdbm(bytes);
  if (!records) return false;
  const isText = (part: Buffer): boolean => part.length > 0 && part.indexOf(0) === part.length - 1;
  const version = records.find(({ key }) => key.toString("latin1") === "$version$\0")?.value.toString("latin1");
  if (version === undefined || !versionForm.test(version)) return false;
  return records.every(({ key, value }) => isText(key) && isText(value));
}
