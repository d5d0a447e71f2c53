/** What a zstd frame's header says (RFC 8878, section 3.1.1.1) that its encoder was told. */
export interface ZstdFrame {
  /** Base-2 logarithm of the window's size in bytes; none when the content is one segment. */
  readonly windowLog?: number;
  /** Of the content, in bytes. */
  readonly contentSize?: number;
  /** Whether a checksum of the content follows it. */
  readonly checksum: boolean;
}

/** The longest frame header, in bytes. */
export const maxZstdHeaderBytes = 18;

const frameMagic = 0xfd2fb528;
const dictionaryFlags = 0x03;
const checksumFlag = 0x04;
const reservedFlags = 0x18;
const singleSegmentFlag = 0x20;
// what libzstd itself allows without being told to; an encoder takes memory for all of it
const maxWindowLog = 27;

/**
 * Reads the header at the start of `bytes`. Nothing when it is no zstd frame, needs a
 * dictionary, uses reserved flags, or has a window that libzstd would not write (no power
 * of two, or more than 128 MiB).
 */
export function parseZstdFrame(bytes: Uint8Array): ZstdFrame | undefined {
  const buffer = Buffer.from(bytes.buffer, bytes.byteOffset, bytes.length);
  if (buffer.length < 6 || buffer.readUInt32LE() !== frameMagic) return undefined;
  const set = buffer.readUInt8(4);
  if ((set & (dictionaryFlags | reservedFlags)) !== 0) return undefined;
  const isSingleSegment = (set & singleSegmentFlag) !== 0;
  const window = isSingleSegment ? undefined : buffer.readUInt8(5);
  const windowLog = window === undefined ? undefined : 10 + (window >> 3);
  if (windowLog !== undefined && ((window ?? 0) % 8 !== 0 || windowLog > maxWindowLog)) return undefined;
  const at = isSingleSegment ? 5 : 6;
  const sizeFlag = set >> 6;
  const sizeBytes = sizeFlag === 0 ? Number(isSingleSegment) : 2 ** sizeFlag;
  if (buffer.length < at + sizeBytes) return undefined;
  const contentSize = readContentSize(buffer, at, sizeBytes);
  if (contentSize !== undefined && !Number.isSafeInteger(contentSize)) return undefined;
  return {
    ...(windowLog !== undefined && { windowLog }),
    ...(contentSize !== undefined && { contentSize }),
    checksum: (set & checksumFlag) !== 0,
  };
}

function readContentSize(buffer: Buffer, at: number, bytes: number): number | undefined {
  if (bytes === 0) return undefined;
  if (bytes === 8) return Number(buffer.readBigUInt64LE(at));
  // two bytes count from 256
  return buffer.readUIntLE(at, bytes) + (bytes === 2 ? 256 : 0);
}
