import { type ElfFile, elfNumbers, type ElfSection, sectionTypes } from "./elf.ts";

/** A note (System V ABI, "Note Section"); `offset` and `size` are of its content in the file. */
export interface ElfNote {
  readonly owner: string;
  readonly type: number;
  readonly offset: number;
  readonly size: number;
}

const maxNotes = 1000;

/** The notes of a file, in sections that share no byte with another: what stands there is a note and nothing else. */
export function notesOf(elf: ElfFile): ElfNote[] {
  const stored = elf.sections.filter(({ type, size }) => type !== sectionTypes.noBits && size > 0);
  const areas = stored.filter((section) => section.type === sectionTypes.note && isAlone(section, stored));
  const found = new Map<number, ElfNote>();
  const { word } = elfNumbers(elf.bytes, elf.is64, elf.isLittle);
  for (const { offset, size } of areas) {
    for (let at = offset; at + 12 <= offset + size && found.size < maxNotes; ) {
      const [nameSize, contentSize, type] = [word(at), word(at + 4), word(at + 8)];
      const content = at + 12 + aligned(nameSize);
      if (nameSize > size || contentSize > size || content + contentSize > offset + size) break;
      const owner = elf.bytes.toString("latin1", at + 12, at + 12 + Math.max(0, nameSize - 1));
      found.set(content, { owner, type, offset: content, size: contentSize });
      at = content + aligned(contentSize);
    }
  }
  return [...found.values()];
}

function isAlone(section: ElfSection, all: readonly ElfSection[]): boolean {
  const end = section.offset + section.size;
  return all.every((other) => other === section || other.offset >= end || other.offset + other.size <= section.offset);
}

function aligned(size: number): number {
  return Math.ceil(size / 4) * 4;
}
