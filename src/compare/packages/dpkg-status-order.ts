import type { ContentClass } from "../classes/class.ts";
import { sorted } from "./dpkg.ts";
import { parseStanzas } from "./stanzas.ts";

const paths: ReadonlySet<string> = new Set([
  "var/lib/dpkg/status",
  "var/lib/dpkg/status-old",
  "var/lib/dpkg/available",
]);

/** The order of packages in dpkg's database. */
export const dpkgStatusOrder: ContentClass = {
  name: "dpkg-status-order",
  version: 1,
  meaning: "the same packages in dpkg's status file, in another order",
  normalises: "paragraphs are sorted by package and architecture; nothing in them is changed",
  safety: "dpkg reads the file as a set of packages; every field of every paragraph counts",
  applies: ({ path }) => paths.has(path),
  normalise({ bytes }) {
    const stanzas = parseStanzas(bytes);
    return stanzas && sorted(stanzas);
  },
};
