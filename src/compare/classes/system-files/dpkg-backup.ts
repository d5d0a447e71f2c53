import { parseStanzas } from "../../packages/stanzas.ts";
import type { ContentClass } from "../class.ts";

const path =
  /^(?:var\/lib\/dpkg\/(?:status-old|available-old|available)|var\/cache\/debconf\/(?:config|templates|passwords)\.dat-old)$/;

/** Backups of the databases of dpkg and debconf. */
export const dpkgBackup: ContentClass = {
  name: "dpkg-backup",
  version: 1,
  meaning: "the state before the last change that dpkg and debconf keep of their databases",
  normalises: "a file in the form of control files counts as nothing",
  safety: "no program reads it unless somebody restores it by hand; the databases themselves are compared",
  applies: (file) => path.test(file.path),
  normalise: ({ bytes }) => (parseStanzas(bytes) ? "absent" : undefined),
};
