import { promisify } from "node:util";
import { crc32, inflateRaw } from "node:zlib";

const inflate = promisify(inflateRaw) as unknown as (
  bytes: Uint8Array,
  options: { readonly maxOutputLength: number; readonly info: true },
) => Promise<{ readonly buffer: Buffer; readonly engine: { readonly bytesWritten: number } }>;

/** A member of a zip archive, all that counts of it. */
export interface ZipMember {
  readonly name: Buffer;
  readonly content: Buffer;
  /** Upper half of the version that made it (the system), and the external attributes, which hold Unix modes. */
  readonly system: number;
  readonly attributes: number;
  /** Extra fields but for times, as they stand in the central directory. */
  readonly extra: Buffer;
  readonly comment: Buffer;
}

/** A zip archive (APPNOTE.TXT 6.3), all that counts of it. */
export interface ZipArchive {
  readonly members: readonly ZipMember[];
  readonly comment: Buffer;
}

const maxMembers = 100_000;
const localMagic = 0x04034b50;
const centralMagic = 0x02014b50;
const endMagic = 0x06054b50;
/** NTFS times, extended timestamps, Info-ZIP's old and Unix extras of which only ids of owners are kept. */
const timeExtras: ReadonlySet<number> = new Set([0x000a, 0x5455]);
/** Sizes follow the data, UTF-8 names; anything else (encryption, patches) is not read. */
const knownFlags = 0x0008 | 0x0800 | 0x0006;

/**
 * Reads a zip archive whose parts lie one after another with nothing between, before or
 * behind them; nothing for any other. `maxBytes` bounds what the members expand to.
 */
export async function readZip(bytes: Buffer, maxBytes: number): Promise<ZipArchive | undefined> {
  const end = findEnd(bytes);
  if (!end) return undefined;
  const members: (ZipMember & { readonly offset: number })[] = [];
  let left = maxBytes;
  let at = end.start;
  let dataEnd = 0;
  const places: [number, number][] = [];
  for (let index = 0; index < end.count; index += 1) {
    const entry = centralEntry(bytes, at);
    if (!entry) return undefined;
    at = entry.next;
    const found = await readMember(bytes, entry, left);
    if (!found) return undefined;
    left -= found.member.content.length;
    places.push([entry.offset, found.end]);
    members.push({ ...found.member, offset: entry.offset });
  }
  places.sort(([a], [b]) => a - b);
  for (const [start, stop] of places) {
    if (start !== dataEnd) return undefined;
    dataEnd = stop;
  }
  if (dataEnd !== end.start || at !== end.at) return undefined;
  return { members, comment: end.comment };
}

interface EndRecord {
  readonly at: number;
  readonly start: number;
  readonly count: number;
  readonly comment: Buffer;
}

function findEnd(bytes: Buffer): EndRecord | undefined {
  for (let at = bytes.length - 22; at >= Math.max(0, bytes.length - 22 - 0xffff); at -= 1) {
    if (bytes.readUInt32LE(at) !== endMagic) continue;
    const [disk, startDisk] = [bytes.readUInt16LE(at + 4), bytes.readUInt16LE(at + 6)];
    const [here, count] = [bytes.readUInt16LE(at + 8), bytes.readUInt16LE(at + 10)];
    const [size, start] = [bytes.readUInt32LE(at + 12), bytes.readUInt32LE(at + 16)];
    const comment = bytes.readUInt16LE(at + 20);
    if (at + 22 + comment !== bytes.length) continue;
    // several disks, and zip64, are not read
    if (disk !== 0 || startDisk !== 0 || here !== count || count > maxMembers || count === 0xffff) return undefined;
    if (start + size !== at) return undefined;
    return { at, start, count, comment: bytes.subarray(at + 22) };
  }
  return undefined;
}

interface CentralEntry {
  readonly system: number;
  readonly flags: number;
  readonly method: number;
  readonly crc: number;
  readonly compressed: number;
  readonly size: number;
  readonly name: Buffer;
  readonly extra: Buffer;
  readonly comment: Buffer;
  readonly attributes: number;
  readonly internal: number;
  readonly offset: number;
  readonly next: number;
}

function centralEntry(bytes: Buffer, at: number): CentralEntry | undefined {
  if (at + 46 > bytes.length || bytes.readUInt32LE(at) !== centralMagic) return undefined;
  const [nameLength, extraLength] = [bytes.readUInt16LE(at + 28), bytes.readUInt16LE(at + 30)];
  const commentLength = bytes.readUInt16LE(at + 32);
  const next = at + 46 + nameLength + extraLength + commentLength;
  if (next > bytes.length || bytes.readUInt16LE(at + 34) !== 0) return undefined;
  const extra = withoutTimes(bytes.subarray(at + 46 + nameLength, at + 46 + nameLength + extraLength));
  if (!extra) return undefined;
  return {
    system: bytes.readUInt16LE(at + 4) >>> 8,
    flags: bytes.readUInt16LE(at + 8),
    method: bytes.readUInt16LE(at + 10),
    crc: bytes.readUInt32LE(at + 16),
    compressed: bytes.readUInt32LE(at + 20),
    size: bytes.readUInt32LE(at + 24),
    name: bytes.subarray(at + 46, at + 46 + nameLength),
    extra,
    comment: bytes.subarray(next - commentLength, next),
    internal: bytes.readUInt16LE(at + 36),
    attributes: bytes.readUInt32LE(at + 38),
    offset: bytes.readUInt32LE(at + 42),
    next,
  };
}

/** Extra fields but for times; nothing when they are malformed. */
function withoutTimes(extra: Buffer): Buffer | undefined {
  const kept: Buffer[] = [];
  for (let at = 0; at < extra.length; ) {
    if (at + 4 > extra.length) return undefined;
    const next = at + 4 + extra.readUInt16LE(at + 2);
    if (next > extra.length) return undefined;
    if (!timeExtras.has(extra.readUInt16LE(at))) kept.push(extra.subarray(at, next));
    at = next;
  }
  return Buffer.concat(kept);
}

async function readMember(
  bytes: Buffer,
  entry: CentralEntry,
  maxBytes: number,
): Promise<{ readonly member: ZipMember; readonly end: number } | undefined> {
  const { offset, flags, method, size, compressed, crc, name } = entry;
  if (offset + 30 > bytes.length || bytes.readUInt32LE(offset) !== localMagic || size > maxBytes) return undefined;
  const [nameLength, extraLength] = [bytes.readUInt16LE(offset + 26), bytes.readUInt16LE(offset + 28)];
  const start = offset + 30 + nameLength + extraLength;
  const stop = start + compressed;
  const hasDescriptor = (flags & 8) !== 0;
  const agrees =
    (flags & ~knownFlags) === 0 &&
    bytes.readUInt16LE(offset + 6) === flags &&
    bytes.readUInt16LE(offset + 8) === method &&
    bytes.subarray(offset + 30, offset + 30 + nameLength).equals(name) &&
    (hasDescriptor ||
      [crc, compressed, size].every((value, index) => bytes.readUInt32LE(offset + 14 + 4 * index) === value));
  const local = withoutTimes(bytes.subarray(offset + 30 + nameLength, start));
  if (!agrees || !local || stop > bytes.length) return undefined;
  const content = await contentOf(bytes.subarray(start, stop), method, size);
  if (!content || content.length !== size || crc32(content) !== crc) return undefined;
  const end = hasDescriptor ? descriptorEnd(bytes, stop, entry) : stop;
  if (end === undefined) return undefined;
  const { system, attributes, comment, internal } = entry;
  const extra = Buffer.concat([entry.extra, Buffer.from([internal & 0xff, internal >>> 8]), local]);
  return { member: { name, content, system, attributes, extra, comment }, end };
}

async function contentOf(data: Buffer, method: number, size: number): Promise<Buffer | undefined> {
  if (method === 0) return data;
  if (method !== 8) return undefined;
  try {
    const { buffer, engine } = await inflate(data, { maxOutputLength: Math.max(1, size), info: true });
    // what stands behind the compressed data is nobody's
    return engine.bytesWritten === data.length ? buffer : undefined;
  } catch {
    return undefined;
  }
}

/** Where the descriptor behind a member's data ends, with or without its signature. */
function descriptorEnd(bytes: Buffer, at: number, { crc, compressed, size }: CentralEntry): number | undefined {
  for (const start of [at + 4, at]) {
    if (start + 12 > bytes.length || (start !== at && bytes.readUInt32LE(at) !== 0x08074b50)) continue;
    if ([crc, compressed, size].every((value, index) => bytes.readUInt32LE(start + 4 * index) === value))
      return start + 12;
  }
  return undefined;
}
