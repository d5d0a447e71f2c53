import type { ContentClass } from "../class.ts";
import { hasOnlyLines } from "./text-lines.ts";

const name = String.raw`[A-Za-z_][A-Za-z0-9_.-]{0,63}\$?`;
const id = String.raw`\d{1,10}`;
const text = String.raw`[^\x00-\x1f\x7f:]*`;
const noHash = String.raw`[!*x]{0,3}`;
const names = String.raw`[A-Za-z0-9_.,$-]*`;
const days = String.raw`-?\d{0,6}`;
const forms: ReadonlyMap<string, RegExp> = new Map([
  ["etc/passwd-", new RegExp(`^${name}:${noHash}:${id}:${id}:${text}:${text}:${text}$`)],
  ["etc/group-", new RegExp(`^${name}:${noHash}:${id}:${names}$`)],
  ["etc/shadow-", new RegExp(`^${name}:${noHash}:${`${days}:`.repeat(6)}\\d{0,10}$`)],
  ["etc/gshadow-", new RegExp(`^${name}:${noHash}:${names}:${names}$`)],
  ["etc/subuid-", new RegExp(`^${name}:${id}:${id}$`)],
  ["etc/subgid-", new RegExp(`^${name}:${id}:${id}$`)],
]);

/** Backups of the files of accounts. */
export const accountBackups: ContentClass = {
  name: "account-backups",
  version: 1,
  meaning: "the tools for accounts kept a file as it was before the last change, or kept another",
  normalises:
    "passwd-, group-, shadow-, gshadow-, subuid- and subgid- in /etc, in which every line is of that form and has " +
    "no password's hash, count as nothing; the files themselves are kept",
  safety: "no program reads the backups: accounts are looked up in the files without the hyphen alone",
  applies: ({ path }) => forms.has(path),
  normalise({ path, bytes }) {
    const form = forms.get(path);
    return form && hasOnlyLines(bytes, (line) => form.test(line)) ? "absent" : undefined;
  },
};
