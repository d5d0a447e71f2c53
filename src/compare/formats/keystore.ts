import { createHash } from "node:crypto";

/** A certificate that a Java keystore trusts. */
export interface TrustedCertificate {
  /** In Java's modified UTF-8. */
  readonly alias: Buffer;
  /** The type's name and the certificate, each behind its length, as the file has them. */
  readonly certificate: Buffer;
}

/** A keystore of trusted certificates only. */
export interface TrustStore {
  readonly version: 1 | 2;
  readonly entries: readonly TrustedCertificate[];
}

const magic = 0xfeedfeed;
const trustedCertificate = 2;
const digestLength = 20;
/** Milliseconds; the year 2200. */
const latestDate = 7_258_118_400_000n;

/** Whether the bytes begin as a keystore of the type JKS does. */
export function isKeystore(bytes: Buffer): boolean {
  return bytes.length >= 12 + digestLength && bytes.readUInt32BE(0) === magic;
}

/**
 * Reads a keystore of the type JKS whose entries are all trusted certificates, without the
 * times at which they were put in. Nothing when the digest at its end is not the one for `password`,
 * when there is a private key, when an alias stands there twice, or when bytes are left over.
 */
export function readTrustStore(bytes: Buffer, password: string): TrustStore | undefined {
  if (!isKeystore(bytes)) return undefined;
  const body = bytes.subarray(0, bytes.length - digestLength);
  if (!keyedDigest(body, password).equals(bytes.subarray(body.length))) return undefined;
  const version = body.readUInt32BE(4);
  if (version !== 1 && version !== 2) return undefined;
  const entries: TrustedCertificate[] = [];
  const aliases = new Set<string>();
  let at = 12;
  for (let left = body.readUInt32BE(8); left > 0; left -= 1) {
    const entry = readEntry(body, at, version);
    if (!entry || aliases.has(entry.alias.toString("latin1"))) return undefined;
    aliases.add(entry.alias.toString("latin1"));
    entries.push(entry);
    at = entry.end;
  }
  return at === body.length ? { version, entries } : undefined;
}

/** The keystore with these entries, all put in at the start of 1970, and the digest for `password`. */
export function writeTrustStore({ version, entries }: TrustStore, password: string): Buffer {
  const head = Buffer.alloc(12);
  head.writeUInt32BE(magic, 0);
  head.writeUInt32BE(version, 4);
  head.writeUInt32BE(entries.length, 8);
  const pieces: Buffer[] = [head];
  for (const { alias, certificate } of entries) {
    const tagAndLength = Buffer.alloc(6);
    tagAndLength.writeUInt32BE(trustedCertificate, 0);
    tagAndLength.writeUInt16BE(alias.length, 4);
    pieces.push(tagAndLength, alias, Buffer.alloc(8), certificate);
  }
  const body = Buffer.concat(pieces);
  return Buffer.concat([body, keyedDigest(body, password)]);
}

function readEntry(body: Buffer, at: number, version: 1 | 2): (TrustedCertificate & { end: number }) | undefined {
  if (at + 6 > body.length || body.readUInt32BE(at) !== trustedCertificate) return undefined;
  const aliasAt = at + 6;
  const dateAt = aliasAt + body.readUInt16BE(at + 4);
  const typeAt = dateAt + 8;
  if (typeAt + 2 > body.length || body.readBigUInt64BE(dateAt) > latestDate) return undefined;
  const lengthAt = version === 1 ? typeAt : typeAt + 2 + body.readUInt16BE(typeAt);
  if (lengthAt + 4 > body.length) return undefined;
  const end = lengthAt + 4 + body.readUInt32BE(lengthAt);
  if (end > body.length) return undefined;
  return { alias: body.subarray(aliasAt, dateAt), certificate: body.subarray(typeAt, end), end };
}

/** As the type JKS has it; it keeps nobody from changing the file who knows the password. */
function keyedDigest(body: Buffer, password: string): Buffer {
  const key = Buffer.from(password, "utf16le").swap16();
  return createHash("sha1").update(key).update("Mighty Aphrodite").update(body).digest();
}
