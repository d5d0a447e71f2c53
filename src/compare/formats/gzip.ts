import { promisify } from "node:util";
import { crc32, inflateRaw } from "node:zlib";

const inflate = promisify(inflateRaw) as unknown as (
  bytes: Uint8Array,
  options: { readonly maxOutputLength: number; readonly info: true },
) => Promise<{ readonly buffer: Buffer; readonly engine: { readonly bytesWritten: number } }>;

const flag = { headerChecksum: 2, extra: 4, name: 8, comment: 16, reserved: 0xe0 } as const;
const maxMembers = 1000;

/**
 * The content of a gzip file's members one after another (RFC 1952), at most `maxBytes`;
 * nothing for bytes that are not members from the first to the last.
 */
export async function readGzipMembers(bytes: Buffer, maxBytes: number): Promise<Buffer | undefined> {
  const contents: Buffer[] = [];
  let left = maxBytes;
  for (let at = 0; at < bytes.length; ) {
    const start = skipHeader(bytes, at);
    if (start === undefined || contents.length >= maxMembers || left <= 0) return undefined;
    try {
      const { buffer, engine } = await inflate(bytes.subarray(start), { maxOutputLength: left, info: true });
      at = start + engine.bytesWritten;
      if (at + 8 > bytes.length || bytes.readUInt32LE(at + 4) !== buffer.length % 2 ** 32) return undefined;
      if (crc32(buffer) !== bytes.readUInt32LE(at)) return undefined;
      at += 8;
      left -= buffer.length;
      contents.push(buffer);
    } catch {
      return undefined;
    }
  }
  return contents.length === 0 ? undefined : Buffer.concat(contents);
}

/** Where the compressed data of the member at `at` begins; nothing when no header stands there. */
function skipHeader(bytes: Buffer, at: number): number | undefined {
  if (at + 18 > bytes.length || bytes[at] !== 0x1f || bytes[at + 1] !== 0x8b || bytes[at + 2] !== 8) return undefined;
  const flags = bytes[at + 3] ?? 0;
  if ((flags & flag.reserved) !== 0) return undefined;
  let next = at + 10;
  if ((flags & flag.extra) !== 0) {
    if (next + 2 > bytes.length) return undefined;
    next += 2 + bytes.readUInt16LE(next);
  }
  for (const part of [flag.name, flag.comment]) {
    if ((flags & part) === 0) continue;
    const end = bytes.indexOf(0, next);
    if (end === -1) return undefined;
    next = end + 1;
  }
  if ((flags & flag.headerChecksum) !== 0) next += 2;
  return next < bytes.length ? next : undefined;
}
