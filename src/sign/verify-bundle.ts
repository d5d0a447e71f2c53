import type { KeyObject } from "node:crypto";
import { bundleFromJSON } from "@sigstore/bundle";
import { toSignedEntity, toTrustMaterial, type TrustMaterial, Verifier } from "@sigstore/verify";
import { messageOf } from "../errors.ts";
import { inTotoPayloadType } from "./signer.ts";

/** Whom a verifier believes. */
export interface TrustedSigners {
  readonly keys: readonly { readonly name: string; readonly publicKey: KeyObject }[];
  /** For the certificates of keyless signatures. */
  readonly keyless?: KeylessTrust;
}

/** Which certificates are believed: by whom they were issued, and for whom. */
export interface KeylessTrust {
  /** Sigstore's trusted root. */
  readonly root: Parameters<typeof toTrustMaterial>[0];
  /** The certificate's subject and the issuer of its token, both exact. */
  readonly identities: readonly { readonly subject: string; readonly issuer: string }[];
}

/** A bundle whose signature holds, or why it does not count. */
export type VerifiedBundle =
  | { readonly verified: true; readonly signer: string; readonly payload: Uint8Array }
  | { readonly verified: false; readonly reason: string };

/**
 * Verifies a Sigstore bundle with a DSSE envelope round an in-toto statement against each
 * signer that is trusted. Says nothing of what the statement is about: that is for who
 * reads it to check.
 */
export function verifyBundle(bytes: Uint8Array, trusted: TrustedSigners): VerifiedBundle {
  let bundle: ReturnType<typeof bundleFromJSON>;
  try {
    bundle = bundleFromJSON(JSON.parse(Buffer.from(bytes).toString("utf8")));
  } catch (error) {
    return { verified: false, reason: `it is no Sigstore bundle: ${messageOf(error)}` };
  }
  const { content } = bundle;
  if (content.$case !== "dsseEnvelope") return { verified: false, reason: "it holds no DSSE envelope" };
  const { payload, payloadType } = content.dsseEnvelope;
  if (payloadType !== inTotoPayloadType) return { verified: false, reason: "it holds no in-toto statement" };
  const entity = toSignedEntity(bundle);
  const attempts = entity.key.$case === "public-key" ? keyAttempts(trusted) : keylessAttempts(trusted.keyless);
  const reasons: string[] = [];
  for (const { name, verifier, policy } of attempts) {
    try {
      verifier.verify(entity, policy);
      return { verified: true, signer: name, payload };
    } catch (error) {
      reasons.push(`${name}: ${messageOf(error)}`);
    }
  }
  return { verified: false, reason: reasons.join("; ") || "none of the trusted signers is of its kind" };
}

interface Attempt {
  readonly name: string;
  readonly verifier: Verifier;
  readonly policy?: Parameters<Verifier["verify"]>[1];
}

/** A key that is trusted stays so: no clock, certificate or log is asked. */
function keyAttempts({ keys }: TrustedSigners): Attempt[] {
  const thresholds = { ctlogThreshold: 0, tlogThreshold: 0, timestampThreshold: 0 };
  return keys.map(({ name, publicKey }) => ({ name, verifier: new Verifier(trustKey(publicKey), thresholds) }));
}

function trustKey(publicKey: KeyObject): TrustMaterial {
  return {
    certificateAuthorities: [],
    timestampAuthorities: [],
    tlogs: [],
    ctlogs: [],
    publicKey: () => ({ publicKey, validFor: () => true }),
  };
}

function keylessAttempts(trust: KeylessTrust | undefined): Attempt[] {
  if (!trust) return [];
  const verifier = new Verifier(toTrustMaterial(trust.root));
  return trust.identities.map(({ subject, issuer }) => ({
    name: `${subject} (${issuer})`,
    verifier,
    // the library takes the subject for a pattern
    policy: { subjectAlternativeName: `^${escapePattern(subject)}$`, extensions: { issuer } },
  }));
}

function escapePattern(text: string): string {
  return text.replaceAll(/[.*+?^${}()|[\]\\/]/g, "\\$&");
}
