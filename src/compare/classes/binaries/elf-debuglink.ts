import { isElf } from "../../formats/elf.ts";
import { withoutSections } from "../../formats/elf-relayout.ts";
import type { ContentClass } from "../class.ts";

const sections = /^\.gnu_debug(?:alt)?link$/;
/** Where debuggers find the symbols that were taken out. */
export const elfDebuglink: ContentClass = {
  name: "elf-debuglink",
  version: 1,
  meaning: "another name or checksum of the file with an ELF file's debug symbols",
  normalises: "the sections .gnu_debuglink and .gnu_debugaltlink are left out, and what no loader maps is packed anew",
  safety: "no loader maps them; everything that is loaded stays byte for byte, and so do all other sections",
  applies: ({ bytes }) => isElf(bytes),
  normalise: ({ bytes }) => withoutSections(bytes, (name) => sections.test(name)),
};
