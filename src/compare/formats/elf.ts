/** A section of an ELF file (System V ABI, chapter 4). Offsets and sizes in bytes. */
export interface ElfSection {
  readonly index: number;
  readonly name: string;
  readonly type: number;
  readonly flags: number;
  readonly offset: number;
  readonly size: number;
  readonly link: number;
  readonly info: number;
}

/** A segment that a loader reads. */
export interface ElfSegment {
  readonly type: number;
  readonly offset: number;
  readonly fileSize: number;
}

/** An ELF file as far as it is understood. */
export interface ElfFile {
  readonly bytes: Buffer;
  readonly is64: boolean;
  readonly isLittle: boolean;
  readonly sections: readonly ElfSection[];
  readonly segments: readonly ElfSegment[];
  readonly sectionTable: number;
  readonly sectionNames: number;
  readonly segmentTableEnd: number;
}

const maxSections = 0xff00;

/** Whether bytes begin like an ELF file. */
export function isElf(bytes: Buffer): boolean {
  return bytes.length > 52 && bytes.readUInt32BE(0) === 0x7f454c46;
}

/** Reads and writes numbers of a file's class and byte order. */
export function elfNumbers(bytes: Buffer, is64: boolean, isLittle: boolean) {
  const half = (at: number): number => (isLittle ? bytes.readUInt16LE(at) : bytes.readUInt16BE(at));
  const word = (at: number): number => (isLittle ? bytes.readUInt32LE(at) : bytes.readUInt32BE(at));
  const long = (at: number): number =>
    is64 ? Number(isLittle ? bytes.readBigUInt64LE(at) : bytes.readBigUInt64BE(at)) : word(at);
  return {
    half,
    word,
    long,
    setHalf: (value: number, at: number) =>
      isLittle ? bytes.writeUInt16LE(value, at) : bytes.writeUInt16BE(value, at),
    setWord: (value: number, at: number) =>
      isLittle ? bytes.writeUInt32LE(value, at) : bytes.writeUInt32BE(value, at),
    setLong(value: number, at: number) {
      if (!is64) this.setWord(value, at);
      else if (isLittle) bytes.writeBigUInt64LE(BigInt(value), at);
      else bytes.writeBigUInt64BE(BigInt(value), at);
    },
  };
}

/** Where fields stand in headers of each class. */
export const elfLayout = {
  64: { header: 64, phoff: 32, shoff: 40, phentsize: 54, shentsize: 58, sectionHeader: 64, segmentHeader: 56 },
  32: { header: 52, phoff: 28, shoff: 32, phentsize: 42, shentsize: 46, sectionHeader: 40, segmentHeader: 32 },
} as const;

/** Parses headers, segments and sections; nothing when anything in them is out of place. */
export function parseElf(bytes: Buffer): ElfFile | undefined {
  if (!isElf(bytes) || ![1, 2].includes(bytes[4] ?? 0) || ![1, 2].includes(bytes[5] ?? 0)) return undefined;
  const is64 = bytes[4] === 2;
  const isLittle = bytes[5] === 1;
  const at = elfLayout[is64 ? 64 : 32];
  if (bytes.length < at.header) return undefined;
  const { half, word, long } = elfNumbers(bytes, is64, isLittle);
  const [segmentTable, sectionTable] = [long(at.phoff), long(at.shoff)];
  const [segmentSize, segmentCount] = [half(at.phentsize), half(at.phentsize + 2)];
  const [sectionSize, sectionCount] = [half(at.shentsize), half(at.shentsize + 2)];
  const sectionNames = half(at.shentsize + 4);
  const fits = (start: number, size: number): boolean => start >= 0 && size >= 0 && start + size <= bytes.length;
  if (segmentCount > 0 && (segmentSize !== at.segmentHeader || !fits(segmentTable, segmentSize * segmentCount)))
    return undefined;
  if (sectionCount === 0 || sectionCount >= maxSections || sectionSize !== at.sectionHeader) return undefined;
  if (!fits(sectionTable, sectionSize * sectionCount) || sectionNames === 0 || sectionNames >= sectionCount)
    return undefined;
  const segments = Array.from({ length: segmentCount }, (_, index) => {
    const start = segmentTable + index * segmentSize;
    return { type: word(start), offset: long(start + (is64 ? 8 : 4)), fileSize: long(start + (is64 ? 32 : 16)) };
  });
  const field = (index: number, of32: number, of64: number): number =>
    sectionTable + index * sectionSize + (is64 ? of64 : of32);
  const nameTable = { offset: long(field(sectionNames, 16, 24)), size: long(field(sectionNames, 20, 32)) };
  if (!fits(nameTable.offset, nameTable.size)) return undefined;
  const names = bytes.subarray(nameTable.offset, nameTable.offset + nameTable.size);
  const sections: ElfSection[] = [];
  for (let index = 0; index < sectionCount; index += 1) {
    const nameAt = word(field(index, 0, 0));
    const nameEnd = names.indexOf(0, nameAt);
    const section: ElfSection = {
      index,
      name: nameAt < names.length && nameEnd !== -1 ? names.toString("latin1", nameAt, nameEnd) : "",
      type: word(field(index, 4, 4)),
      flags: long(field(index, 8, 8)),
      offset: long(field(index, 16, 24)),
      size: long(field(index, 20, 32)),
      link: word(field(index, 24, 40)),
      info: word(field(index, 28, 44)),
    };
    const isStored = section.type !== sectionTypes.null && section.type !== sectionTypes.noBits;
    if (isStored && !fits(section.offset, section.size)) return undefined;
    sections.push(section);
  }
  if (segments.some(({ offset, fileSize }) => !fits(offset, fileSize))) return undefined;
  const segmentTableEnd = segmentCount > 0 ? segmentTable + segmentSize * segmentCount : 0;
  return { bytes, is64, isLittle, sections, segments, sectionTable, sectionNames, segmentTableEnd };
}

/** Section types that matter here. */
export const sectionTypes = { null: 0, stringTable: 3, note: 7, noBits: 8, relA: 4, rel: 9 } as const;
/** The section is loaded. */
export const allocated = 2;
