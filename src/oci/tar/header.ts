import { infrastructureError } from "../../errors.ts";

/** The fields of one 512-byte header as written. */
export interface RawHeader {
  readonly name: Buffer;
  readonly mode: number;
  readonly uid: bigint;
  readonly gid: bigint;
  readonly size: number;
  readonly mtime: string;
  readonly typeFlag: string;
  readonly linkName: Buffer;
  readonly uname: string;
  readonly gname: string;
  readonly deviceMajor: number;
  readonly deviceMinor: number;
  readonly dialect: "v7" | "ustar" | "gnu";
  readonly bytes: Buffer;
}

/** Whether a block is all zeros, as at the end of an archive. */
export function isZeroBlock(bytes: Buffer): boolean {
  return bytes.every((byte) => byte === 0);
}

/** Reads a header block; throws when its checksum or a number in it is wrong. */
export function parseHeader(bytes: Buffer): RawHeader {
  if (!checksumAgrees(bytes)) throw infrastructureError("the tar archive is damaged: a header's checksum is wrong");
  const dialect = dialectOf(bytes);
  const prefix = prefixOf(bytes, dialect);
  const name = field(bytes, 0, 100);
  const size = Number(numeric(bytes, 124, 12, "size"));
  if (!Number.isSafeInteger(size) || size < 0)
    throw infrastructureError(`the tar archive is damaged: an entry claims a size of ${size} bytes`);
  return {
    name: prefix.length > 0 ? Buffer.concat([prefix, Buffer.from("/"), name]) : name,
    mode: Number(BigInt.asUintN(32, numeric(bytes, 100, 8, "mode"))),
    uid: numeric(bytes, 108, 8, "uid"),
    gid: numeric(bytes, 116, 8, "gid"),
    size,
    mtime: String(numeric(bytes, 136, 12, "mtime")),
    typeFlag: String.fromCharCode(bytes[156] ?? 0),
    linkName: field(bytes, 157, 100),
    uname: dialect === "v7" ? "" : field(bytes, 265, 32).toString("utf8"),
    gname: dialect === "v7" ? "" : field(bytes, 297, 32).toString("utf8"),
    deviceMajor: dialect === "v7" ? 0 : Number(numeric(bytes, 329, 8, "device")),
    deviceMinor: dialect === "v7" ? 0 : Number(numeric(bytes, 337, 8, "device")),
    dialect,
    bytes,
  };
}

function dialectOf(bytes: Buffer): RawHeader["dialect"] {
  const magic = bytes.toString("latin1", 257, 265);
  return magic === "ustar  \0" ? "gnu" : magic.startsWith("ustar\0") ? "ustar" : "v7";
}

/** What stands before the name, in the forms that Go's archive/tar (which runtimes unpack with) accepts. */
function prefixOf(bytes: Buffer, dialect: RawHeader["dialect"]): Buffer {
  if (dialect === "ustar") return field(bytes, 345, bytes.toString("latin1", 508, 512) === "tar\0" ? 131 : 155);
  if (dialect === "v7" || [345, 357].every((at) => bytes[at] === 0 || isNumeric(bytes, at, 12))) return Buffer.alloc(0);
  // before 1.8 Go wrote a prefix where GNU headers have two times; images of that age are still about
  const prefix = field(bytes, 345, 155);
  return prefix.every((byte) => byte < 0x80) ? prefix : Buffer.alloc(0);
}

/** A text field up to its first zero byte, copied. */
function field(bytes: Buffer, offset: number, length: number): Buffer {
  const part = bytes.subarray(offset, offset + length);
  const end = part.indexOf(0);
  return Buffer.from(end === -1 ? part : part.subarray(0, end));
}

/** A number: octal digits, or GNU's base-256 two's complement when the first bit is set. */
export function numeric(bytes: Buffer, offset: number, length: number, what: string): bigint {
  const plain = plainOctal(bytes, offset, offset + length);
  if (plain !== undefined) return BigInt(plain);
  const part = bytes.subarray(offset, offset + length);
  const first = part[0] ?? 0;
  if ((first & 0x80) !== 0) {
    let value = BigInt(first & 0x7f);
    for (const byte of part.subarray(1)) value = (value << 8n) | BigInt(byte);
    const bits = BigInt(length * 8 - 1);
    return (first & 0x40) !== 0 ? value - (1n << bits) : value;
  }
  const text = octalText(part);
  if (text === "") return 0n;
  if (!/^[0-7]+$/.test(text))
    throw infrastructureError(`the tar archive is damaged: a header's ${what} is not a number`);
  return BigInt(`0o${text}`);
}

/** Digits up to a zero byte or a space that ends the field, as nearly all writers write them; nothing for any other form. */
function plainOctal(bytes: Buffer, start: number, end: number): number | undefined {
  let value = 0;
  let at = start;
  for (; at < end; at += 1) {
    const digit = (bytes[at] ?? 0) - 0x30;
    if (digit < 0 || digit > 7) break;
    value = value * 8 + digit;
  }
  return at > start && at >= end - 2 && (at === end || bytes[at] === 0) ? value : undefined;
}

function isNumeric(bytes: Buffer, offset: number, length: number): boolean {
  const part = bytes.subarray(offset, offset + length);
  return ((part[0] ?? 0) & 0x80) !== 0 || /^[0-7]*$/.test(octalText(part));
}

/** Digits without the spaces and zero bytes around them, and what follows a zero byte. */
function octalText(part: Buffer): string {
  return part
    .toString("latin1")
    .replace(/^[ \0]+/, "")
    .replace(/\0[\s\S]*$/, "")
    .replace(/ +$/, "");
}

/** Old writers summed signed bytes; both sums are accepted, as everywhere. */
function checksumAgrees(bytes: Buffer): boolean {
  const stored = Number(numeric(bytes, 148, 8, "checksum"));
  let unsigned = 0;
  let signed = 0;
  for (let at = 0; at < bytes.length; at += 1) {
    const byte = at >= 148 && at < 156 ? 0x20 : (bytes[at] ?? 0);
    unsigned += byte;
    signed += byte < 128 ? byte : byte - 256;
  }
  return stored === unsigned || stored === signed;
}
