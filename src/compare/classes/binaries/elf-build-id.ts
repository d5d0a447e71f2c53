import { isElf, parseElf } from "../../formats/elf.ts";
import { notesOf } from "../../formats/elf-notes.ts";
import type { ContentClass } from "../class.ts";

const buildIdNote = 3;

/** The number by which linkers tell builds apart. */
export const elfBuildId: ContentClass = {
  name: "elf-build-id",
  version: 1,
  meaning: "another GNU build id in an ELF file",
  normalises: "the 8 to 32 bytes of the note NT_GNU_BUILD_ID are set to zero",
  safety: "it is a hash that debuggers look symbols up by; every other byte of the file counts",
  applies: ({ bytes }) => isElf(bytes),
  normalise({ bytes }) {
    const elf = parseElf(bytes);
    const notes = elf ? notesOf(elf).filter(({ owner, type }) => owner === "GNU" && type === buildIdNote) : [];
    if (notes.length === 0 || notes.some(({ size }) => size < 8 || size > 32)) return undefined;
    const changed = Buffer.from(bytes);
    for (const { offset, size } of notes) changed.fill(0, offset, offset + size);
    return changed;
  },
};
