import { isElf } from "../../formats/elf.ts";
import { withoutSections } from "../../formats/elf-relayout.ts";
import type { ContentClass } from "../class.ts";

const sections = /^\.comment$/;
/** Which compiler made an ELF file. */
export const elfComment: ContentClass = {
  name: "elf-comment",
  version: 1,
  meaning: "another text of the compiler in an ELF file",
  normalises: "the section .comment is left out, and what no loader maps is packed anew",
  safety: "no loader maps it; everything that is loaded stays byte for byte, and so do all other sections",
  applies: ({ bytes }) => isElf(bytes),
  normalise: ({ bytes }) => withoutSections(bytes, (name) => sections.test(name)),
};
