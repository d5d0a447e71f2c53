import { isElf } from "../../formats/elf.ts";
import { withoutSections } from "../../formats/elf-relayout.ts";
import type { ContentClass } from "../class.ts";

// in an object file the relocations of a section go with it
const sections = /^(?:\.rela?)?\.(?:z?debug_[a-z_]+|gnu_debugdata|gdb_index)$/;
/** Debug information inside an ELF file. */
export const elfDebugInformation: ContentClass = {
  name: "elf-debug-information",
  version: 1,
  meaning: "other debug information (DWARF) in an ELF file: build paths, mostly",
  normalises:
    "the sections .debug_*, .zdebug_*, .gnu_debugdata and .gdb_index are left out, and what no loader maps is packed anew",
  safety: "no loader maps them; everything that is loaded stays byte for byte, and so do all other sections",
  applies: ({ bytes }) => isElf(bytes),
  normalise: ({ bytes }) => withoutSections(bytes, (name) => sections.test(name)),
};
