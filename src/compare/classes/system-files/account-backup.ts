import { linesOf } from "../../formats/lines.ts";
import type { ContentClass } from "../class.ts";

const fields: ReadonlyMap<string, number> = new Map([
  ["etc/passwd-", 7],
  ["etc/group-", 4],
  ["etc/shadow-", 9],
  ["etc/gshadow-", 4],
  ["etc/subuid-", 3],
  ["etc/subgid-", 3],
]);

/** Backups of the files of accounts. */
export const accountBackup: ContentClass = {
  name: "account-backup",
  version: 1,
  meaning: "the backup that account tools keep of /etc/passwd, group, shadow and the like",
  normalises: "a file whose lines all have the fields of its kind counts as nothing",
  safety: "no program reads it; the files themselves are compared",
  applies: ({ path }) => fields.has(path),
  normalise: ({ path, bytes }) =>
    linesOf(bytes)?.every((line) => line.split(":").length === fields.get(path)) ? "absent" : undefined,
};
