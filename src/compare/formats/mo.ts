/** Where the header entry of a message catalogue has its translation. */
export interface MoHeader {
  readonly start: number;
  readonly end: number;
}

const magic = 0x950412de;
const headLength = 28;

/** Whether the bytes begin as a GNU message catalogue does, in either byte order. */
export function isMo(bytes: Buffer): boolean {
  if (bytes.length < headLength) return false;
  return bytes.readUInt32LE(0) === magic || bytes.readUInt32BE(0) === magic;
}

/**
 * Finds the translation of the empty message, which heads a catalogue (GNU gettext manual,
 * "The Format of GNU MO Files"). Nothing when a table or a string leaves the file or is not ended by
 * a NUL, when the catalogue has strings that depend on the system (minor revision 1), or when
 * anything else shares the header's bytes.
 */
export function readMoHeader(bytes: Buffer): MoHeader | undefined {
  if (!isMo(bytes)) return undefined;
  const isLittle = bytes.readUInt32LE(0) === magic;
  const word = (at: number): number => (isLittle ? bytes.readUInt32LE(at) : bytes.readUInt32BE(at));
  const revision = word(4);
  const count = word(8);
  const originals = word(12);
  const translations = word(16);
  const tables = [
    { start: 0, end: headLength },
    { start: originals, end: originals + count * 8 },
    { start: translations, end: translations + count * 8 },
    { start: word(24), end: word(24) + word(20) * 4 },
  ];
  if (![0, 0x10000].includes(revision) || count === 0) return undefined;
  if (!tables.every(({ start, end }) => start === end || end <= bytes.length)) return undefined;
  const string = (at: number): MoHeader => ({ start: word(at + 4), end: word(at + 4) + word(at) });
  const header = string(translations);
  if (word(originals) !== 0) return undefined;
  for (let index = 0; index < count; index += 1) {
    const original = string(originals + index * 8);
    const translation = string(translations + index * 8);
    if (bytes[original.end] !== 0 || bytes[translation.end] !== 0) return undefined;
    if (overlaps(original, header) || (index > 0 && overlaps(translation, header))) return undefined;
  }
  return tables.some((table) => overlaps(table, header)) ? undefined : header;
}

/** The NUL behind a string counts as its own. */
function overlaps(left: MoHeader, right: MoHeader): boolean {
  return left.start <= right.end && right.start <= left.end;
}
