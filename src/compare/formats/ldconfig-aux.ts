/** What ldconfig keeps of one library, without what ties it to a file of one machine. */
export interface AuxLibrary {
  /** Of the file, in bytes. */
  readonly size: bigint;
  /** Kind of library and machine, as in ld.so.cache. */
  readonly flags: number;
  /** Lowest kernel in version 1.0 of the format, level of the instruction set in 2.0. */
  readonly level: number;
  /** Nothing for a library without one. */
  readonly soname: string | undefined;
}

/** An auxiliary cache of ldconfig. */
export interface AuxCache {
  readonly version: "1.0" | "2.0";
  readonly isLittleEndian: boolean;
  readonly libraries: readonly AuxLibrary[];
}

const magic = /^glibc-ld\.so\.auxcache-([12]\.0)$/;
const magicLength = 24;
const headLength = 32;
const entryLength = 48;
const nameForm = /^[\x21-\x7e]{1,4096}$/;

/** Whether the bytes begin as an auxiliary cache of ldconfig does. */
export function isAuxCache(bytes: Buffer): boolean {
  return bytes.length >= headLength && magic.test(bytes.toString("latin1", 0, magicLength));
}

/**
 * Reads an auxiliary cache (glibc, elf/cache.c, `struct aux_cache_file`), of either byte order.
 * Inode, change time, device and each entry's last four bytes, which glibc leaves as
 * they were in memory, are passed over. Nothing when the file has not the length that its head
 * tells, or when its strings are not exactly the entries' names, one behind the other.
 */
export function readAuxCache(bytes: Buffer): AuxCache | undefined {
  const version = isAuxCache(bytes) && magic.exec(bytes.toString("latin1", 0, magicLength))?.[1];
  if (version !== "1.0" && version !== "2.0") return undefined;
  const isLittleEndian = lengthAgrees(bytes, true);
  if (!isLittleEndian && !lengthAgrees(bytes, false)) return undefined;
  const word = (at: number): number => (isLittleEndian ? bytes.readUInt32LE(at) : bytes.readUInt32BE(at));
  const count = word(magicLength);
  const names = readNames(bytes.toString("latin1", headLength + count * entryLength));
  if (!names) return undefined;
  const libraries: AuxLibrary[] = [];
  for (let index = 0; index < count; index += 1) {
    const at = headLength + index * entryLength;
    const place = word(at + 36);
    const soname = names.get(place);
    if (place !== 0 && soname === undefined) return undefined;
    // each entry has its own copy of the name
    names.delete(place);
    const size = isLittleEndian ? bytes.readBigUInt64LE(at + 16) : bytes.readBigUInt64BE(at + 16);
    libraries.push({ size, flags: word(at + 32), level: word(at + 40), soname });
  }
  return names.size === 0 ? { version, isLittleEndian, libraries } : undefined;
}

function lengthAgrees(bytes: Buffer, isLittle: boolean): boolean {
  const word = (at: number): number => (isLittle ? bytes.readUInt32LE(at) : bytes.readUInt32BE(at));
  return headLength + word(magicLength) * entryLength + word(magicLength + 4) === bytes.length;
}

/** By their places in the table, which begins with the empty name. */
function readNames(table: string): Map<number, string> | undefined {
  if (table === "\0") return new Map();
  if (!table.startsWith("\0") || !table.endsWith("\0")) return undefined;
  const names = new Map<number, string>();
  let at = 1;
  for (const name of table.slice(1, -1).split("\0")) {
    if (!nameForm.test(name)) return undefined;
    names.set(at, name);
    at += name.length + 1;
  }
  return names;
}
