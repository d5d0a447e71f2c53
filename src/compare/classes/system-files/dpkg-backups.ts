import type { ContentClass } from "../class.ts";
import { countStanzas } from "./stanzas.ts";
import { hasOnlyLines, linesOf } from "./text-lines.ts";

const override = /^(?:[a-z_][a-z0-9_.-]*|#\d+) (?:[a-z_][a-z0-9_.-]*|#\d+) [0-7]{1,5} \/[\x20-\x7e]+$/;
const forms: ReadonlyMap<string, (bytes: Buffer) => boolean> = new Map([
  ["var/lib/dpkg/status-old", (bytes) => countStanzas(bytes, ["package", "status"]) !== undefined],
  ["var/lib/dpkg/available-old", (bytes) => countStanzas(bytes, ["package"]) !== undefined],
  ["var/lib/dpkg/statoverride-old", (bytes) => hasOnlyLines(bytes, (line) => override.test(line))],
  ["var/lib/dpkg/diversions-old", areDiversions],
]);

/** Backups of dpkg's database. */
export const dpkgBackups: ContentClass = {
  name: "dpkg-backups",
  version: 1,
  meaning: "dpkg kept its database as it was before the last change, or kept another",
  normalises:
    "status-old, available-old, diversions-old and statoverride-old of the form of the files that they were count " +
    "as nothing; the database itself is kept",
  safety: "dpkg writes the backups and never reads them; only a person would, to repair a lost database",
  applies: ({ path }) => forms.has(path),
  normalise: ({ path, bytes }) => (forms.get(path)?.(bytes) === true ? "absent" : undefined),
};

/** Three lines each: what is diverted, where to, and by which package; `:` is the administrator. */
function areDiversions(bytes: Buffer): boolean {
  let count = 0;
  for (const line of linesOf(bytes) ?? [""]) {
    const form = count % 3 === 2 ? /^(?::|[a-z0-9][a-z0-9+.-]*)$/ : /^\/[\x20-\x7e]+$/;
    if (!form.test(line)) return false;
    count += 1;
  }
  return count % 3 === 0;
}
