/** A record of a GDBM database. */
export interface GdbmRecord {
  readonly key: Buffer;
  readonly value: Buffer;
}

const magics: ReadonlySet<number> = new Set([0x13579ace, 0x13579acf]);
const headLength = 40;
const bucketHeadLength = 112;
const elementLength = 24;
const keyStartLength = 4;
const maxBucketBits = 24;
const unused = 0xffffffff;

/** Whether the bytes begin as a GDBM database does, in either byte order. */
export function isGdbm(bytes: Buffer): boolean {
  return bytes.length >= headLength && (magics.has(bytes.readUInt32LE(0)) || magics.has(bytes.readUInt32BE(0)));
}

/**
 * Reads every record of a GDBM database in the standard format with 64-bit file offsets
 * (GDBM manual, gdbmdefs.h: `gdbm_file_header`, `hash_bucket`, `bucket_element`), in no order that
 * means anything. Nothing when a number is out of bounds, when buckets or records overlap, when an
 * element lies in another bucket than its hash says, or when the file is longer than its head tells.
 */
export function readGdbm(bytes: Buffer): readonly GdbmRecord[] | undefined {
  const reader = createReader(bytes);
  const head = reader && readHead(bytes, reader);
  if (!reader || !head) return undefined;
  const records: GdbmRecord[] = [];
  let used = 0;
  for (const bucket of head.buckets) {
    const found = readBucket(bytes, reader, bucket, head.elements);
    if (!found) return undefined;
    for (const record of found) {
      records.push(record);
      used += record.key.length + record.value.length;
    }
    // what is counted twice would make a small file stand for a large one
    if (used > bytes.length) return undefined;
  }
  return records;
}

interface Reader {
  word(at: number): number;
  /** A file offset; out of the file when it is beyond what a number holds. */
  offset(at: number): number;
}

interface Bucket {
  readonly at: number;
  readonly bits: number;
  /** The first bits of all hashes in it. */
  readonly prefix: number;
}

function createReader(bytes: Buffer): Reader | undefined {
  if (!isGdbm(bytes)) return undefined;
  const isLittle = magics.has(bytes.readUInt32LE(0));
  return {
    word: (at) => (isLittle ? bytes.readUInt32LE(at) : bytes.readUInt32BE(at)),
    offset: (at) => Number(isLittle ? bytes.readBigUInt64LE(at) : bytes.readBigUInt64BE(at)),
  };
}

function readHead(
  bytes: Buffer,
  { word, offset }: Reader,
): { readonly buckets: readonly Bucket[]; readonly elements: number } | undefined {
  const [blockSize, directoryAt, directorySize, bits] = [word(4), offset(8), word(16), word(20)];
  const [bucketSize, elements, end] = [word(24), word(28), offset(32)];
  if (blockSize < 512 || blockSize > 65536 || bits === 0 || bits > maxBucketBits) return undefined;
  if (directorySize !== 8 * 2 ** bits || directoryAt < headLength || directoryAt + directorySize > bytes.length)
    return undefined;
  const isFilled = elements > 0 && bucketHeadLength + elements * elementLength <= bucketSize;
  if (end !== bytes.length || !isFilled || bucketSize > bytes.length) return undefined;
  const buckets = readDirectory(bytes, { word, offset }, { at: directoryAt, bits, bucketSize });
  const places = (buckets ?? []).map(({ at }) => at).toSorted((a, b) => a - b);
  const isApart = places.every((at, index) => index === 0 || at - (places[index - 1] ?? 0) >= bucketSize);
  return buckets && isApart ? { buckets, elements } : undefined;
}

function readDirectory(
  bytes: Buffer,
  { word, offset }: Reader,
  directory: { readonly at: number; readonly bits: number; readonly bucketSize: number },
): readonly Bucket[] | undefined {
  const { bits, bucketSize } = directory;
  const placeOf = (index: number): number => offset(directory.at + index * 8);
  const buckets: Bucket[] = [];
  for (let index = 0; index < 2 ** bits; ) {
    const at = placeOf(index);
    if (at < headLength || at + bucketSize > bytes.length) return undefined;
    const bucketBits = word(at + 104);
    if (bucketBits > bits) return undefined;
    // as many entries of the directory as there are values of the bits that the bucket leaves open
    const span = 2 ** (bits - bucketBits);
    if (index % span !== 0) return undefined;
    for (let other = index + 1; other < index + span; other += 1) if (placeOf(other) !== at) return undefined;
    buckets.push({ at, bits: bucketBits, prefix: index / span });
    if (buckets.length * bucketSize > bytes.length) return undefined;
    index += span;
  }
  return buckets;
}

function readBucket(
  bytes: Buffer,
  { word, offset }: Reader,
  bucket: Bucket,
  elements: number,
): readonly GdbmRecord[] | undefined {
  const records: GdbmRecord[] = [];
  for (let index = 0; index < elements; index += 1) {
    const at = bucket.at + bucketHeadLength + index * elementLength;
    const hash = word(at);
    if (hash === unused) continue;
    // hashes have 31 bits; the first ones choose the bucket
    if (hash > 0x7fffffff || hash >>> (31 - bucket.bits) !== bucket.prefix) return undefined;
    const [from, keyLength, valueLength] = [offset(at + 8), word(at + 16), word(at + 20)];
    if (from < headLength || from + keyLength + valueLength > bytes.length) return undefined;
    const key = bytes.subarray(from, from + keyLength);
    const start = bytes.subarray(at + 4, at + 4 + Math.min(keyStartLength, keyLength));
    if (!key.subarray(0, keyStartLength).equals(start)) return undefined;
    records.push({ key, value: bytes.subarray(from + keyLength, from + keyLength + valueLength) });
  }
  return records.length === word(bucket.at + 108) ? records : undefined;
}
