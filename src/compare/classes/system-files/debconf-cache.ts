import type { ContentClass } from "../class.ts";
import { countStanzas } from "./stanzas.ts";

const stanzaFiles: ReadonlySet<string> = new Set([
  "var/cache/debconf/config.dat-old",
  "var/cache/debconf/templates.dat-old",
]);
const passwords = "var/cache/debconf/passwords.dat-old";

/** Backups of debconf's databases. */
export const debconfCache: ContentClass = {
  name: "debconf-cache",
  version: 1,
  meaning: "debconf kept its databases as they were before the last change, or kept others",
  normalises:
    "config.dat-old and templates.dat-old in which every stanza has a name, and an empty passwords.dat-old, count " +
    "as nothing; the databases themselves are kept",
  safety: "debconf writes the backups and never reads them; a backup with passwords is not explained",
  applies: ({ path }) => stanzaFiles.has(path) || path === passwords,
  normalise({ path, bytes }) {
    const isKnown =
      path === passwords ? bytes.length === 0 : stanzaFiles.has(path) && countStanzas(bytes, ["name"]) !== undefined;
    return isKnown ? "absent" : undefined;
  },
};
