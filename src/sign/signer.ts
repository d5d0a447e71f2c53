import { createPublicKey, type KeyObject, sign as signBytes } from "node:crypto";
import { bundleToJSON } from "@sigstore/bundle";
import { DSSEBundleBuilder, FulcioSigner, RekorWitness, type Signer as SigstoreSigner } from "@sigstore/sign";
import { infrastructureError, messageOf } from "../errors.ts";

/** Signs in-toto statements. */
export interface Signer {
  /** Who signs, for messages: `the key cosign.key`, `keyless`. */
  readonly name: string;
  /** What verifies the signatures; undefined where each has a certificate of its own. */
  readonly publicKey: KeyObject | undefined;
  /**
   * Signs a statement. Gives a Sigstore bundle (v0.3, a DSSE envelope) as JSON. Throws an
   * infrastructure error when a service does not do its part.
   */
  sign(statement: Uint8Array): Promise<Uint8Array>;
}

/**
 * A private key wherever it is held: a file's, or one that never leaves its
 * key-management service. `sign` gives the signature over the data as it is (ECDSA in
 * DER, over SHA-256).
 */
export interface KeyHolder {
  readonly name: string;
  readonly publicKey: KeyObject;
  sign(data: Uint8Array): Promise<Uint8Array>;
}

/** The media type of in-toto statements in DSSE envelopes. */
export const inTotoPayloadType = "application/vnd.in-toto+json";

/** Signs with a key, which the bundle does not name: who verifies has to know it. */
export function keySigner(holder: KeyHolder): Signer {
  const { name, publicKey } = holder;
  const signer: SigstoreSigner = {
    async sign(data) {
      const signature = Buffer.from(await holder.sign(data));
      const pem = publicKey.export({ format: "pem", type: "spki" }).toString();
      // with a hint the envelope names a key id, and cosign takes no id that it did not give
      return { signature, key: { $case: "publicKey", publicKey: pem, hint: "" } };
    },
  };
  return { name, publicKey, sign: (statement) => createBundle(signer, [], statement, name) };
}

/** Holds a private key in memory. */
export function memoryKeyHolder(key: KeyObject, name: string): KeyHolder {
  const algorithm = key.asymmetricKeyType === "ed25519" ? null : "sha256";
  return { name, publicKey: createPublicKey(key), sign: async (data) => signBytes(algorithm, data, key) };
}

/** Where keyless signing finds its services. */
export interface KeylessOptions {
  readonly fulcioUrl: string;
  readonly rekorUrl: string;
  /** Gives an OpenID Connect token of who signs. */
  readonly token: () => Promise<string>;
}

/**
 * Signs with a key made for each signature, certified for the bearer of a token
 * (Fulcio) and recorded in a transparency log (Rekor).
 */
export function keylessSigner({ fulcioUrl, rekorUrl, token }: KeylessOptions): Signer {
  const network = { retry: 3, timeout: 30_000 };
  const signer = new FulcioSigner({ fulcioBaseURL: fulcioUrl, identityProvider: { getToken: token }, ...network });
  const witness = new RekorWitness({ rekorBaseURL: rekorUrl, entryType: "dsse", ...network });
  const name = `keyless (${new URL(fulcioUrl).host})`;
  return { name, publicKey: undefined, sign: (statement) => createBundle(signer, [witness], statement, name) };
}

async function createBundle(
  signer: SigstoreSigner,
  witnesses: RekorWitness[],
  statement: Uint8Array,
  name: string,
): Promise<Uint8Array> {
  try {
    const builder = new DSSEBundleBuilder({ signer, witnesses });
    const bundle = await builder.create({ data: Buffer.from(statement), type: inTotoPayloadType });
    return Buffer.from(JSON.stringify(bundleToJSON(bundle)));
  } catch (cause) {
    throw infrastructureError(`signing with ${name} failed: ${messageOf(cause)}`, { cause });
  }
}
