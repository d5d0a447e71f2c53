import { createPrivateKey, type KeyObject } from "node:crypto";
import type { PemBlock } from "./pem.ts";

/** What kind of key a key is, without the key. */
export interface KeyKind {
  readonly type: "rsa" | "ec" | "ed25519";
  /** The modulus' bits and the exponent; a curve's name; nothing for keys of one size. */
  readonly size: string;
}

const forms: ReadonlyMap<string, "pkcs1" | "sec1" | "pkcs8"> = new Map([
  ["RSA PRIVATE KEY", "pkcs1"],
  ["EC PRIVATE KEY", "sec1"],
  ["PRIVATE KEY", "pkcs8"],
]);
const maxBytes = 16 * 1024;

/** The kind of a key; nothing for kinds that servers have no longer, and for restricted RSA keys. */
export function kindOfKey(key: KeyObject): KeyKind | undefined {
  const type = key.asymmetricKeyType;
  const { modulusLength, publicExponent, namedCurve } = key.asymmetricKeyDetails ?? {};
  if (type === "rsa") return { type, size: `${modulusLength} ${publicExponent}` };
  if (type === "ec" && namedCurve !== undefined) return { type, size: namedCurve };
  return type === "ed25519" ? { type, size: "" } : undefined;
}

/**
 * Reads a private key that nothing encrypts (RFC 8017 A.1.2, RFC 5915, RFC 5958). Nothing
 * when it is not exactly what would be written for this key again.
 */
export function readPrivateKey({ label, bytes }: PemBlock): KeyKind | undefined {
  const form = forms.get(label);
  if (form === undefined || bytes.length > maxBytes) return undefined;
  try {
    const key = createPrivateKey({ key: bytes, format: "der", type: form });
    return key.export({ format: "der", type: form }).equals(bytes) ? kindOfKey(key) : undefined;
  } catch {
    return undefined;
  }
}
