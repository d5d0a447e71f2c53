/** The header of a Python bytecode file. */
export interface PycHeader {
  /** The 11 of Python 3.11. */
  readonly minor: number;
  /** Bytes before the marshalled code: 12 before PEP 552, 16 since. */
  readonly length: number;
  /** Where the source's time of change stands, in seconds; nothing when the source's hash stands there. */
  readonly timeAt: number | undefined;
}

/**
 * Magic numbers of released CPythons, of which each stands for one layout of code
 * objects; those of pre-releases and of other implementations are not here.
 */
const minorByMagic = new Map([
  [3230, 3],
  [3310, 4],
  [3350, 5],
  [3351, 5],
  [3379, 6],
  [3394, 7],
  [3413, 8],
  [3425, 9],
  [3439, 10],
  [3495, 11],
  [3531, 12],
  [3571, 13],
  [3627, 14],
]);
const magicEnd = 0x0a0d;
const codeType = 0x63;
const refFlag = 0x80;
const hashBased = 0b01;
const checkSource = 0b10;

/**
 * Reads the header of a .pyc: magic number, flags (PEP 552, since 3.7), then the source's
 * time and size or its hash. Nothing unless the magic number and flags are known and
 * a code object follows.
 */
export function readPycHeader(bytes: Buffer): PycHeader | undefined {
  if (bytes.length < 17 || bytes.readUInt16LE(2) !== magicEnd) return undefined;
  const minor = minorByMagic.get(bytes.readUInt16LE(0));
  if (minor === undefined) return undefined;
  const length = minor < 7 ? 12 : 16;
  if (((bytes[length] ?? 0) & ~refFlag) !== codeType) return undefined;
  const flags = minor < 7 ? 0 : bytes.readUInt32LE(4);
  if (flags === 0) return { minor, length, timeAt: length - 8 };
  return flags === hashBased || flags === (hashBased | checkSource) ? { minor, length, timeAt: undefined } : undefined;
}
