import { allocated, type ElfFile, elfLayout, elfNumbers, type ElfSection, parseElf, sectionTypes } from "./elf.ts";

/** Zeros between sections, at most: what alignment makes. */
const maxGap = 4096;
const infoIsLink = 0x40;

/**
 * The same ELF file without some of the sections that no loader maps. What is loaded
 * stays byte for byte, the header's three fields about the section table apart; the other
 * sections follow without padding, then their table. Nothing when bytes lie where no section,
 * segment or table accounts for them, or parts overlap.
 */
export function withoutSections(bytes: Buffer, isDropped: (name: string) => boolean): Buffer | undefined {
  const elf = parseElf(bytes);
  if (!elf) return undefined;
  const loadedEnd = endOfLoaded(elf);
  // an object file has no segments: linkers, not loaders, read it, and its sections lie as they come
  const isObject = elf.segments.length === 0;
  const loose = elf.sections.filter(
    (section) => isStored(section) && (isObject || !(isLoaded(section) || isInSegment(section, elf))),
  );
  if (!accountsForAll(elf, loose, loadedEnd)) return undefined;
  const dropped = new Set(
    loose.filter((section) => section.index !== elf.sectionNames && !isLoaded(section) && isDropped(section.name)),
  );
  const kept = elf.sections.filter((section) => !dropped.has(section));
  const positions = new Map(kept.map(({ index }, position) => [index, position]));
  // a section that stays and refers to one that goes would lose its meaning
  if (kept.some((section) => linksOf(section).some((index) => !positions.has(index)))) return undefined;
  const { table: names, offsets: nameOffsets } = nameTable(kept);
  const pieces: Buffer[] = [Buffer.from(bytes.subarray(0, loadedEnd))];
  const places = new Map<ElfSection, { readonly offset: number; readonly size: number }>();
  let end = loadedEnd;
  for (const section of loose) {
    if (dropped.has(section)) continue;
    const content =
      section.index === elf.sectionNames ? names : bytes.subarray(section.offset, section.offset + section.size);
    places.set(section, { offset: end, size: content.length });
    pieces.push(content);
    end += content.length;
  }
  pieces.push(sectionTable(elf, kept, positions, nameOffsets, places));
  const result = Buffer.concat(pieces);
  const at = elfLayout[elf.is64 ? 64 : 32];
  const numbers = elfNumbers(result, elf.is64, elf.isLittle);
  numbers.setLong(end, at.shoff);
  numbers.setHalf(kept.length, at.shentsize + 2);
  numbers.setHalf(positions.get(elf.sectionNames) ?? 0, at.shentsize + 4);
  return result;
}

function isStored({ type, size }: ElfSection): boolean {
  return type !== sectionTypes.null && type !== sectionTypes.noBits && size > 0;
}

function isLoaded({ flags }: ElfSection): boolean {
  return (flags & allocated) !== 0;
}

/** RISC-V has a segment for attributes that nothing is told to load: what a segment names stays where it is. */
function isInSegment({ offset, size }: ElfSection, { segments }: ElfFile): boolean {
  return segments.some((segment) => offset >= segment.offset && offset + size <= segment.offset + segment.fileSize);
}

function endOfLoaded(elf: ElfFile): number {
  const { header } = elfLayout[elf.is64 ? 64 : 32];
  if (elf.segments.length === 0) return header;
  const ends = [
    header,
    elf.segmentTableEnd,
    ...elf.segments.map(({ offset, fileSize }) => offset + fileSize),
    ...elf.sections.filter((found) => isStored(found) && isLoaded(found)).map(({ offset, size }) => offset + size),
  ];
  return Math.max(...ends);
}

/** Whether everything behind what is loaded is a section, the section table, or a few zeros between them. */
function accountsForAll(elf: ElfFile, loose: readonly ElfSection[], loadedEnd: number): boolean {
  const { header, sectionHeader } = elfLayout[elf.is64 ? 64 : 32];
  const table = { offset: elf.sectionTable, size: sectionHeader * elf.sections.length };
  const parts = [...loose, table].toSorted((a, b) => a.offset - b.offset);
  let end = Math.max(loadedEnd, header);
  for (const { offset, size } of parts) {
    if (offset < end || offset - end > maxGap || !isZero(elf.bytes.subarray(end, offset))) return false;
    end = offset + size;
  }
  return end === elf.bytes.length;
}

function isZero(bytes: Buffer): boolean {
  return bytes.every((byte) => byte === 0);
}

/** The indices of other sections that a section's header has. */
function linksOf({ link, info, flags, type }: ElfSection): number[] {
  const isInfoIndex = (flags & infoIsLink) !== 0 || type === sectionTypes.rel || type === sectionTypes.relA;
  return isInfoIndex ? [link, info] : [link];
}

function nameTable(sections: readonly ElfSection[]): { readonly table: Buffer; readonly offsets: readonly number[] } {
  const pieces: Buffer[] = [Buffer.alloc(1)];
  let end = 1;
  const offsets = sections.map(({ name }) => {
    if (name === "") return 0;
    const text = Buffer.from(`${name}\0`, "latin1");
    const offset = end;
    pieces.push(text);
    end += text.length;
    return offset;
  });
  return { table: Buffer.concat(pieces), offsets };
}

function sectionTable(
  elf: ElfFile,
  kept: readonly ElfSection[],
  positions: ReadonlyMap<number, number>,
  nameOffsets: readonly number[],
  places: ReadonlyMap<ElfSection, { readonly offset: number; readonly size: number }>,
): Buffer {
  const { sectionHeader } = elfLayout[elf.is64 ? 64 : 32];
  const table = Buffer.concat(
    kept.map(({ index }) => {
      const start = elf.sectionTable + index * sectionHeader;
      return elf.bytes.subarray(start, start + sectionHeader);
    }),
  );
  const numbers = elfNumbers(table, elf.is64, elf.isLittle);
  const [offsetAt, sizeAt, linkAt, infoAt] = elf.is64 ? [24, 32, 40, 44] : [16, 20, 24, 28];
  for (const [position, section] of kept.entries()) {
    const start = position * sectionHeader;
    numbers.setWord(nameOffsets[position] ?? 0, start);
    numbers.setWord(positions.get(section.link) ?? 0, start + linkAt);
    if (linksOf(section).length > 1) numbers.setWord(positions.get(section.info) ?? 0, start + infoAt);
    const place = places.get(section);
    if (place) {
      numbers.setLong(place.offset, start + offsetAt);
      numbers.setLong(place.size, start + sizeAt);
    } else if ((section.flags & allocated) === 0 && !isStored(section) && section.type !== sectionTypes.null) {
      // an empty section lies nowhere
      numbers.setLong(0, start + offsetAt);
    }
  }
  return table;
}
