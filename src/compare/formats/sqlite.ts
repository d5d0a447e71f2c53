const magic = Buffer.from("SQLite format 3\0", "latin1");
const headLength = 100;

/** Whether the bytes begin as a SQLite 3 database does. */
export function isSqlite(bytes: Buffer): boolean {
  return bytes.length >= headLength && bytes.subarray(0, magic.length).equals(magic);
}

/**
 * Whether the header of a database (SQLite's "Database File Format", section 1.3) is whole
 * and says of itself that it is up to date: its size is the file's, and was noted at the last change.
 */
export function hasCurrentHeader(bytes: Buffer): boolean {
  if (!isSqlite(bytes)) return false;
  const noted = bytes.readUInt16BE(16);
  const pageSize = noted === 1 ? 65536 : noted;
  if (pageSize < 512 || (pageSize & (pageSize - 1)) !== 0) return false;
  const hasFractions = bytes[21] === 64 && bytes[22] === 32 && bytes[23] === 32;
  const isReservedZero = bytes.subarray(72, 92).every((byte) => byte === 0);
  const isCurrent = bytes.readUInt32BE(24) === bytes.readUInt32BE(92);
  return hasFractions && isReservedZero && isCurrent && bytes.readUInt32BE(28) * pageSize === bytes.length;
}
