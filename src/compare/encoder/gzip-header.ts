import { crc32 } from "node:zlib";

/**
 * A gzip member's header (RFC 1952, section 2.3). Strings have one character for each byte
 * (ISO 8859-1), so that they can be written back as they were.
 */
export interface GzipHeader {
  /** Seconds since 1970; 0 says nothing. */
  readonly mtime: number;
  /** What the encoder says of its level: 2 is its slowest, 4 its fastest. */
  readonly xfl: number;
  /** 3 is Unix, 255 unknown. */
  readonly os: number;
  /** FTEXT: the encoder takes the content for text. */
  readonly text: boolean;
  readonly extra?: string;
  readonly name?: string;
  readonly comment?: string;
  /** FHCRC: a checksum of the header follows it. */
  readonly checksum: boolean;
}

const flags = { text: 1, checksum: 2, extra: 4, name: 8, comment: 16 } as const;
const knownFlags = 0x1f;
const fixedBytes = 10;
const maxStringBytes = 4096;

/** The longest header that {@link parseGzipHeader} reads, in bytes. */
export const maxGzipHeaderBytes: number = fixedBytes + 2 + 0xffff + 2 * (maxStringBytes + 1) + 2;

/**
 * Reads the header at the start of `bytes`, and its length. Nothing when it is no gzip
 * header, is cut off, uses reserved flags, has a name or comment of more than 4096 bytes,
 * or does not have the checksum that it claims.
 */
export function parseGzipHeader(bytes: Uint8Array): { header: GzipHeader; length: number } | undefined {
  const buffer = Buffer.from(bytes.buffer, bytes.byteOffset, bytes.length);
  if (buffer.length < fixedBytes || buffer.readUIntBE(0, 3) !== 0x1f8b08) return undefined;
  const set = buffer.readUInt8(3);
  if ((set & ~knownFlags) !== 0) return undefined;
  let at = fixedBytes;
  const strings: { extra?: string; name?: string; comment?: string } = {};
  if (set & flags.extra) {
    if (buffer.length < at + 2) return undefined;
    const size = buffer.readUInt16LE(at);
    if (buffer.length < at + 2 + size) return undefined;
    strings.extra = buffer.toString("latin1", at + 2, at + 2 + size);
    at += 2 + size;
  }
  for (const field of ["name", "comment"] as const) {
    if (!(set & flags[field])) continue;
    const length = buffer.subarray(at, at + maxStringBytes + 1).indexOf(0);
    if (length < 0) return undefined;
    strings[field] = buffer.toString("latin1", at, at + length);
    at += length + 1;
  }
  const checksum = (set & flags.checksum) !== 0;
  if (checksum) {
    if (buffer.length < at + 2 || buffer.readUInt16LE(at) !== (crc32(buffer.subarray(0, at)) & 0xffff))
      return undefined;
    at += 2;
  }
  const header = {
    mtime: buffer.readUInt32LE(4),
    xfl: buffer.readUInt8(8),
    os: buffer.readUInt8(9),
    text: (set & flags.text) !== 0,
    ...strings,
    checksum,
  };
  return { header, length: at };
}

/** The bytes of a header that {@link parseGzipHeader} gave; its exact inverse. */
export function writeGzipHeader(header: GzipHeader): Buffer {
  const { extra, name, comment } = header;
  const set =
    (header.text ? flags.text : 0) |
    (header.checksum ? flags.checksum : 0) |
    (extra === undefined ? 0 : flags.extra) |
    (name === undefined ? 0 : flags.name) |
    (comment === undefined ? 0 : flags.comment);
  const fixed = Buffer.from([0x1f, 0x8b, 8, set, 0, 0, 0, 0, header.xfl, header.os]);
  fixed.writeUInt32LE(header.mtime, 4);
  const parts: Buffer[] = [fixed];
  if (extra !== undefined) {
    const size = Buffer.alloc(2);
    size.writeUInt16LE(extra.length);
    parts.push(size, Buffer.from(extra, "latin1"));
  }
  for (const text of [name, comment]) if (text !== undefined) parts.push(Buffer.from(`${text}\0`, "latin1"));
  if (header.checksum) {
    const sum = Buffer.alloc(2);
    sum.writeUInt16LE(crc32(Buffer.concat(parts)) & 0xffff);
    parts.push(sum);
  }
  return Buffer.concat(parts);
}
