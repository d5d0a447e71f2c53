/** The cache of the dynamic loader, with what tells who wrote it apart from the rest. */
export interface LoaderCache {
  /** All that stands before the extensions: libraries in their order, and their names. */
  readonly libraries: Buffer;
  readonly isLittleEndian: boolean;
  /** Extensions besides the generator, in their order. */
  readonly extensions: readonly { readonly tag: number; readonly flags: number; readonly data: Buffer }[];
  /** The text that tells which ldconfig wrote the file. */
  readonly generator: string;
}

const oldMagic = "ld.so-1.7.0\0";
const newMagic = "glibc-ld.so.cache1.1";
const oldHeadLength = 16;
const oldEntryLength = 12;
const newHeadLength = 48;
const newEntryLength = 24;
const extensionMagic = 0xeaa42174;
const extensionHeadLength = 8;
const sectionLength = 16;
const maxSections = 16;
const generatorTag = 0;
const generatorForm =
  /^ldconfig (?:\([\x20-\x27\x2a-\x7e]{1,200}\) )?[a-z]{1,20} release version \d{1,4}(?:\.\d{1,6}){1,3}$/;

/** Whether the bytes begin as the loader's cache does, in the new form or behind the old one. */
export function isLoaderCache(bytes: Buffer): boolean {
  const start = bytes.toString("latin1", 0, newMagic.length);
  return start === newMagic || start.startsWith(oldMagic);
}

/**
 * Reads the cache of the dynamic loader (glibc, sysdeps/generic/dl-cache.h) with its
 * extensions. Nothing when it has none, has no generator or one of another form, or when any
 * byte behind the names is neither in a section nor zero padding of at most seven bytes.
 */
export function readLoaderCache(bytes: Buffer): LoaderCache | undefined {
  for (const isLittleEndian of [true, false]) {
    const start = extensionsStart(bytes, isLittleEndian);
    if (start !== undefined) return readExtensions(bytes, start, isLittleEndian);
  }
  return undefined;
}

type ReadWord = (at: number) => number;

function wordReader(bytes: Buffer, isLittleEndian: boolean): ReadWord {
  return (at) => (isLittleEndian ? bytes.readUInt32LE(at) : bytes.readUInt32BE(at));
}

/** Where the extensions begin, when all that the head tells of what is before them agrees. */
function extensionsStart(bytes: Buffer, isLittleEndian: boolean): number | undefined {
  const word = wordReader(bytes, isLittleEndian);
  const head = newHeadAt(bytes, word);
  if (head === undefined || head + newHeadLength > bytes.length) return undefined;
  if (bytes.toString("latin1", head, head + newMagic.length) !== newMagic) return undefined;
  // the byte order that the cache says it is in: cache_file_new_flags_endian_little, _big
  if (bytes[head + 28] !== (isLittleEndian ? 2 : 3)) return undefined;
  const isRestZero = isZero(bytes, head + 29, head + 32) && isZero(bytes, head + 36, head + newHeadLength);
  const end = head + newHeadLength + word(head + 20) * newEntryLength + word(head + 24);
  const start = word(head + 32);
  const isPlaced = start % 4 === 0 && start >= end && start - end < 8 && start + extensionHeadLength <= bytes.length;
  return isRestZero && isPlaced && isZero(bytes, end, start) ? start : undefined;
}

function newHeadAt(bytes: Buffer, word: ReadWord): number | undefined {
  if (bytes.toString("latin1", 0, newMagic.length) === newMagic) return 0;
  if (bytes.length < oldHeadLength || bytes.toString("latin1", 0, oldMagic.length) !== oldMagic) return undefined;
  const end = oldHeadLength + word(12) * oldEntryLength;
  const aligned = Math.ceil(end / 8) * 8;
  if (aligned > bytes.length || !isZero(bytes, end, aligned)) return undefined;
  return aligned;
}

function readExtensions(bytes: Buffer, start: number, isLittleEndian: boolean): LoaderCache | undefined {
  const word = wordReader(bytes, isLittleEndian);
  const count = word(start + 4);
  if (word(start) !== extensionMagic || count === 0 || count > maxSections) return undefined;
  let end = start + extensionHeadLength + count * sectionLength;
  if (end > bytes.length) return undefined;
  const extensions: { tag: number; flags: number; data: Buffer }[] = [];
  let generator: string | undefined;
  for (let index = 0; index < count; index += 1) {
    const at = start + extensionHeadLength + index * sectionLength;
    const [tag, flags, from, size] = [word(at), word(at + 4), word(at + 8), word(at + 12)];
    if (from < end || from - end > 7 || from + size > bytes.length || !isZero(bytes, end, from)) return undefined;
    end = from + size;
    const data = bytes.subarray(from, end);
    if (tag !== generatorTag) extensions.push({ tag, flags, data });
    else if (generator !== undefined || flags !== 0) return undefined;
    else generator = data.toString("latin1");
  }
  if (generator === undefined || !generatorForm.test(generator) || end !== bytes.length) return undefined;
  return { libraries: bytes.subarray(0, start), isLittleEndian, extensions, generator };
}

function isZero(bytes: Buffer, start: number, end: number): boolean {
  return bytes.subarray(start, end).every((byte) => byte === 0);
}
