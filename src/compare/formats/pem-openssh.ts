import { createECDH, createPrivateKey, createPublicKey } from "node:crypto";
import type { KeyKind } from "./pem-keys.ts";

const magic = "openssh-key-v1\0";
const curves: ReadonlyMap<string, string> = new Map([
  ["nistp256", "prime256v1"],
  ["nistp384", "secp384r1"],
  ["nistp521", "secp521r1"],
]);
const maxBytes = 32 * 1024;
const maxModulusBits = 16_384;
/** A private key of Ed25519 in PKCS #8 (RFC 8410), but for its 32 bytes. */
const ed25519Head = Buffer.from("302e020100300506032b657004220420", "hex");

/** A public key as SSH sends it (RFC 4253, section 6.6; RFC 5656; RFC 8709). Nothing for another form. */
export function readSshPublicKey(bytes: Buffer): KeyKind | undefined {
  const fields = bytes.length <= maxBytes ? readStrings(bytes) : undefined;
  const [name, first = Buffer.alloc(0), second = Buffer.alloc(0)] = fields ?? [];
  const type = name?.toString("latin1");
  if (type === "ssh-ed25519")
    return fields?.length === 2 && first.length === 32 ? { type: "ed25519", size: "" } : undefined;
  if (fields?.length !== 3) return undefined;
  if (type === "ssh-rsa") return rsaKind(first, second);
  const curve = curves.get(first.toString("latin1"));
  const isPoint = curve !== undefined && type === `ecdsa-sha2-${first.toString("latin1")}` && second[0] === 4;
  return isPoint ? { type: "ec", size: curve } : undefined;
}

/**
 * A private key in OpenSSH's own form (openssh/PROTOCOL.key) that nothing encrypts. Nothing
 * when there is more than one, or when its public and private parts do not belong together.
 */
export function readOpenSshKey(bytes: Buffer): KeyKind | undefined {
  if (bytes.length > maxBytes || bytes.toString("latin1", 0, magic.length) !== magic) return undefined;
  const head = readStrings(bytes.subarray(magic.length), 3);
  const [cipher, derivation, options] = head ?? [];
  const isPlain = cipher?.toString("latin1") === "none" && derivation?.toString("latin1") === "none";
  const countAt = magic.length + 20;
  if (!isPlain || options?.length !== 0 || bytes.length < countAt + 4 || bytes.readUInt32BE(countAt) !== 1)
    return undefined;
  const [publicKey, secret, ...others] = readStrings(bytes.subarray(countAt + 4)) ?? [];
  if (!publicKey || !secret || others.length > 0 || secret.length < 8 || secret.length % 8 !== 0) return undefined;
  const kind = readSshPublicKey(publicKey);
  const isChecked = secret.readUInt32BE(0) === secret.readUInt32BE(4);
  return kind && isChecked && belongsTogether(kind, readStrings(publicKey) ?? [], secret.subarray(8))
    ? kind
    : undefined;
}

/** Length-prefixed strings: so many, or as many as fill the bytes. */
function readStrings(bytes: Buffer, count?: number): readonly Buffer[] | undefined {
  const strings: Buffer[] = [];
  let at = 0;
  while (count === undefined ? at < bytes.length : strings.length < count) {
    if (at + 4 > bytes.length) return undefined;
    const end = at + 4 + bytes.readUInt32BE(at);
    if (end > bytes.length) return undefined;
    strings.push(bytes.subarray(at + 4, end));
    at = end;
  }
  return strings;
}

function rsaKind(exponent: Buffer, modulus: Buffer): KeyKind | undefined {
  const [e, n] = [positive(exponent), positive(modulus)];
  if (e === undefined || n === undefined || exponent.length > 8) return undefined;
  const bits = n.toString(2).length;
  return bits >= 1024 && bits <= maxModulusBits ? { type: "rsa", size: `${bits} ${e}` } : undefined;
}

/** A number above zero in its shortest form. */
function positive(bytes: Buffer): bigint | undefined {
  const [first = 0x80, second = 0] = bytes;
  if (first >= 0x80 || (first === 0 && second < 0x80) || bytes.length > maxModulusBits / 8 + 1) return undefined;
  return BigInt(`0x${bytes.toString("hex")}`);
}

function belongsTogether(kind: KeyKind, publicFields: readonly Buffer[], secret: Buffer): boolean {
  const counts = { rsa: 7, ec: 4, ed25519: 3 };
  const fields = readStrings(secret, counts[kind.type] + 1);
  const comment = fields?.at(-1);
  if (!fields || !comment || !/^[\x20-\x7e]{0,255}$/.test(comment.toString("latin1"))) return false;
  const padding = secret.subarray(fields.reduce((sum, field) => sum + 4 + field.length, 0));
  if (padding.length >= 8 || !padding.every((byte, index) => byte === index + 1)) return false;
  if (fields[0]?.equals(publicFields[0] ?? Buffer.alloc(0)) !== true) return false;
  if (kind.type === "rsa") return isRsaPair(publicFields, fields);
  return kind.type === "ec" ? isCurvePair(kind.size, publicFields, fields) : isEd25519Pair(publicFields, fields);
}

function isRsaPair(publicFields: readonly Buffer[], fields: readonly Buffer[]): boolean {
  const [e, n] = publicFields.slice(1).map(positive);
  const [secretN, secretE, d, inverse, p, q] = fields.slice(1, 7).map(positive);
  if (e === undefined || n === undefined || d === undefined || inverse === undefined) return false;
  if (p === undefined || q === undefined || p < 3n || q < 3n) return false;
  const isInverse = (e * d) % (p - 1n) === 1n && (e * d) % (q - 1n) === 1n && (inverse * q) % p === 1n;
  return secretN === n && secretE === e && p * q === n && isInverse;
}

function isCurvePair(curve: string, publicFields: readonly Buffer[], fields: readonly Buffer[]): boolean {
  const [, name, point = Buffer.alloc(0)] = publicFields;
  const [, secretName, secretPoint, number = Buffer.alloc(0)] = fields;
  if (!name || secretName?.equals(name) !== true || secretPoint?.equals(point) !== true) return false;
  if (positive(number) === undefined) return false;
  try {
    const pair = createECDH(curve);
    pair.setPrivateKey(number[0] === 0 ? number.subarray(1) : number);
    return pair.getPublicKey().equals(point);
  } catch {
    return false;
  }
}

function isEd25519Pair([, point = Buffer.alloc(0)]: readonly Buffer[], fields: readonly Buffer[]): boolean {
  const [, secretPoint, pair] = fields;
  if (secretPoint?.equals(point) !== true || pair?.length !== 64 || !pair.subarray(32).equals(point)) return false;
  const key = createPrivateKey({
    key: Buffer.concat([ed25519Head, pair.subarray(0, 32)]),
    format: "der",
    type: "pkcs8",
  });
  return createPublicKey(key).export({ format: "der", type: "spki" }).subarray(-32).equals(point);
}
