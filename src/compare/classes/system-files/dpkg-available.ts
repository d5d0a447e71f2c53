import type { ContentClass } from "../class.ts";
import { countStanzas } from "./stanzas.ts";

const path = "var/lib/dpkg/available";

/** dpkg's own list of packages that could be installed. */
export const dpkgAvailable: ContentClass = {
  name: "dpkg-available",
  version: 1,
  meaning: "dpkg's list of available packages is there, or is of another day",
  normalises: "a file of stanzas that each name a package, or an empty one, counts as nothing",
  safety: "dselect alone fills and uses it; APT has its own lists, and what is installed stands in another file",
  applies: (file) => file.path === path,
  normalise: (file) =>
    file.path === path && countStanzas(file.bytes, ["package"]) !== undefined ? "absent" : undefined,
};
