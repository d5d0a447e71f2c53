import { hasCurrentHeader, isSqlite } from "../../formats/sqlite.ts";
import type { ContentClass } from "../class.ts";

const fields = { changeCounter: 24, versionValidFor: 92, libraryVersion: 96, end: 100 } as const;

/** How often a SQLite database was changed, and by which version of the library. */
export const sqliteVolatile: ContentClass = {
  name: "sqlite-volatile",
  version: 1,
  meaning: "a SQLite database was changed more or less often, or last by another version of the library",
  normalises: "the file change counter, version-valid-for and SQLITE_VERSION_NUMBER in the header are set to zero",
  safety:
    "the counter tells processes that have the file open that their caches are stale, and no image has such; the " +
    "header must say that it is current; every page is kept, free ones too",
  applies: ({ bytes }) => isSqlite(bytes),
  normalise({ bytes }) {
    if (!hasCurrentHeader(bytes) || !isLibraryVersion(bytes.readUInt32BE(fields.libraryVersion))) return undefined;
    return Buffer.from(bytes)
      .fill(0, fields.changeCounter, fields.changeCounter + 4)
      .fill(0, fields.versionValidFor, fields.end);
  },
};

/** 3.7.0 was the first that noted itself; zero is what this class leaves. */
function isLibraryVersion(version: number): boolean {
  return version === 0 || (version >= 3_007_000 && version < 4_000_000);
}
