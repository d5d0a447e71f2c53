import {
  createPrivateKey,
  createPublicKey,
  generateKeyPairSync,
  type KeyObject,
  randomBytes,
  scrypt,
} from "node:crypto";
import { promisify } from "node:util";
import { xsalsa20poly1305 } from "@noble/ciphers/salsa.js";
import { z } from "zod";
import { usageError } from "../errors.ts";

/** A key pair: the private key encrypted in cosign's file format, the public key as PEM. */
export interface KeyPairFiles {
  readonly privateKey: string;
  readonly publicKey: string;
}

const derive = promisify<
  string,
  Buffer,
  number,
  { readonly N: number; readonly r: number; readonly p: number; readonly maxmem: number },
  Buffer
>(scrypt);
const label = "ENCRYPTED SIGSTORE PRIVATE KEY";
const maxKeyFileBytes = 64 * 1024;
// cosign's own parameters; a file may ask for more work, and not for the whole machine
const parameters = { N: 65_536, r: 8, p: 1 } as const;
const maxMemoryBytes = 512 * 1024 * 1024;

const base64 = z.string().regex(/^[A-Za-z0-9+/]+={0,2}$/);
const encryptedSchema = z.object({
  kdf: z.object({
    name: z.literal("scrypt"),
    params: z.object({
      N: z
        .int()
        .min(2)
        .max(1 << 20),
      r: z.int().min(1).max(32),
      p: z.int().min(1).max(16),
    }),
    salt: base64,
  }),
  cipher: z.object({ name: z.literal("nacl/secretbox"), nonce: base64 }),
  ciphertext: base64,
});

/**
 * Reads a private key: cosign's encrypted file (scrypt and NaCl's secretbox round a
 * PKCS#8 key, as `cosign generate-key-pair` writes it) or a plain PEM one. Throws a usage
 * error that names `from` for a wrong password, a damaged file, and a key that cannot
 * sign; never quotes the file.
 */
export async function readPrivateKey(text: string, password: string, from: string): Promise<KeyObject> {
  if (Buffer.byteLength(text) > maxKeyFileBytes) throw usageError(`${from} is too large for a private key`);
  const block = /-----BEGIN ENCRYPTED (?:SIGSTORE|COSIGN) PRIVATE KEY-----([^-]+)-----END/.exec(text)?.[1];
  const key = block === undefined ? readPlainKey(text, from) : await decryptKey(block, password, from);
  const { asymmetricKeyType, asymmetricKeyDetails } = key;
  const isSupported =
    (asymmetricKeyType === "ec" && asymmetricKeyDetails?.namedCurve === "prime256v1") ||
    asymmetricKeyType === "ed25519" ||
    (asymmetricKeyType === "rsa" && (asymmetricKeyDetails?.modulusLength ?? 0) >= 2048);
  if (isSupported) return key;
  throw usageError(`${from} is a private key of a kind that is not used for signing here`, {
    hint: "an ECDSA P-256 key (cosign generate-key-pair, refoundry key), Ed25519, or RSA of at least 2048 bits",
  });
}

function readPlainKey(text: string, from: string): KeyObject {
  try {
    return createPrivateKey(text);
  } catch {
    // what OpenSSL says of it helps nobody, and might quote it
    throw usageError(`${from} is not a private key`, {
      hint: "a file that cosign generate-key-pair or refoundry key wrote, or a PEM private key",
    });
  }
}

async function decryptKey(block: string, password: string, from: string): Promise<KeyObject> {
  const { kdf, cipher, ciphertext } = parseEncrypted(block, from);
  const secret = await derive(password, Buffer.from(kdf.salt, "base64"), 32, {
    ...kdf.params,
    maxmem: maxMemoryBytes,
  }).catch(() => {
    throw usageError(`${from} asks for more memory than is given to read a key`);
  });
  let der: Uint8Array;
  try {
    der = xsalsa20poly1305(secret, Buffer.from(cipher.nonce, "base64")).decrypt(Buffer.from(ciphertext, "base64"));
  } catch {
    throw usageError(`the password does not open ${from}`, {
      hint: "the password is read from the environment variable COSIGN_PASSWORD",
    });
  }
  try {
    return createPrivateKey({ key: Buffer.from(der), format: "der", type: "pkcs8" });
  } catch {
    throw usageError(`${from} holds no PKCS#8 private key`);
  }
}

function parseEncrypted(block: string, from: string): z.infer<typeof encryptedSchema> {
  try {
    return encryptedSchema.parse(JSON.parse(Buffer.from(block, "base64").toString("utf8")));
  } catch {
    throw usageError(`${from} is damaged: it is no key file of cosign's format`);
  }
}

/** Makes a new ECDSA P-256 key pair, in the files that cosign reads. */
export async function createKeyPair(password: string): Promise<KeyPairFiles> {
  const { privateKey, publicKey } = generateKeyPairSync("ec", { namedCurve: "prime256v1" });
  const salt = randomBytes(32);
  const nonce = randomBytes(24);
  const secret = await derive(password, salt, 32, { ...parameters, maxmem: maxMemoryBytes });
  const der = privateKey.export({ format: "der", type: "pkcs8" });
  const file = {
    kdf: { name: "scrypt", params: parameters, salt: salt.toString("base64") },
    cipher: { name: "nacl/secretbox", nonce: nonce.toString("base64") },
    ciphertext: Buffer.from(xsalsa20poly1305(secret, nonce).encrypt(der)).toString("base64"),
  };
  const lines =
    Buffer.from(JSON.stringify(file))
      .toString("base64")
      .match(/.{1,64}/g) ?? [];
  return {
    privateKey: `-----BEGIN ${label}-----\n${lines.join("\n")}\n-----END ${label}-----\n`,
    publicKey: publicKey.export({ format: "pem", type: "spki" }).toString(),
  };
}

/** Reads a public key in PEM form. Throws a usage error that names `from`. */
export function readPublicKey(text: string, from: string): KeyObject {
  try {
    if (/PRIVATE KEY/.test(text)) throw new Error("a private key");
    return createPublicKey(text);
  } catch {
    throw usageError(`${from} is not a public key in PEM form`, { hint: "cosign.pub, beside the private key" });
  }
}
