/** The head of a cache of fontconfig. */
export interface FontCache {
  /** Of the format. */
  readonly version: number;
  readonly isLittleEndian: boolean;
  /** Size of a pointer, in bits. */
  readonly pointerBits: 32 | 64;
  /** The folder whose fonts are in it, absolute. */
  readonly folder: string;
}

const magic = 0xfc02fc04;
const maxFolderLength = 4096;

/** Whether the bytes begin as a cache of fontconfig does, in either byte order. */
export function isFontCache(bytes: Buffer): boolean {
  return bytes.length >= 48 && (bytes.readUInt32LE(0) === magic || bytes.readUInt32BE(0) === magic);
}

/**
 * Reads the head of a cache (fontconfig, src/fcint.h, `struct _FcCache`). Nothing when the
 * size in it is not the file's, or when the folder's name, its subfolders or its fonts are outside.
 */
export function readFontCache(bytes: Buffer): FontCache | undefined {
  if (!isFontCache(bytes)) return undefined;
  const isLittleEndian = bytes.readUInt32LE(0) === magic;
  for (const pointerBits of [64, 32] as const) {
    const length = pointerBits / 8;
    const pointer = (index: number): number => readPointer(bytes, 8 + index * length, pointerBits, isLittleEndian);
    if (pointer(0) !== bytes.length) continue;
    const countAt = 8 + 3 * length;
    const count = isLittleEndian ? bytes.readUInt32LE(countAt) : bytes.readUInt32BE(countAt);
    // the count of subfolders is an int, and what follows it is aligned
    const [folderAt, subfoldersAt, fontsAt] = [pointer(1), pointer(2), pointer(4)];
    const isInside = subfoldersAt + count * length <= bytes.length && fontsAt + 2 * length <= bytes.length;
    const folder = isInside && folderAt < bytes.length ? readFolder(bytes, folderAt) : undefined;
    if (folder === undefined) return undefined;
    const version = isLittleEndian ? bytes.readUInt32LE(4) : bytes.readUInt32BE(4);
    return { version, isLittleEndian, pointerBits, folder };
  }
  return undefined;
}

function readPointer(bytes: Buffer, at: number, bits: 32 | 64, isLittle: boolean): number {
  if (bits === 32) return isLittle ? bytes.readUInt32LE(at) : bytes.readUInt32BE(at);
  return Number(isLittle ? bytes.readBigUInt64LE(at) : bytes.readBigUInt64BE(at));
}

function readFolder(bytes: Buffer, at: number): string | undefined {
  const text = bytes.toString("latin1", at, at + maxFolderLength);
  const end = text.indexOf("\0");
  return end > 0 && text.startsWith("/") ? text.slice(0, end) : undefined;
}
