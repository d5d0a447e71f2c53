import { infrastructureError, RefoundryError } from "../errors.ts";
import type { Digest } from "../oci/digest.ts";
import type { Repository } from "../oci/repository.ts";
import { type Descriptor, maxDocumentBytes } from "../oci/types.ts";
import { type TrustedSigners, verifyBundle } from "../sign/verify-bundle.ts";
import { contentOf } from "./attach.ts";
import { isAbout, parseStatement, type Statement } from "./statement.ts";

/** The artifact type of a Sigstore bundle, as cosign attaches it. */
export const bundleType = "application/vnd.dev.sigstore.bundle.v0.3+json";

/** An attestation of a subject: one that a trusted signer made, or one that does not count. */
export type ReadAttestation =
  | {
      readonly trusted: true;
      readonly referrer: Digest;
      readonly signer: string;
      readonly statement: Statement;
    }
  | { readonly trusted: false; readonly referrer: Digest; readonly reason: string };

const maxBundles = 1000;

/**
 * Reads and verifies the attestations that are attached to a subject. One that is
 * damaged, signed by nobody who is trusted, or about something else does not count, and
 * says why. Throws where the registry cannot be read.
 */
export async function readAttestations(
  from: Repository,
  subject: Digest,
  trusted: TrustedSigners,
  signal?: AbortSignal,
): Promise<ReadAttestation[]> {
  const referrers = await from.listReferrers(subject, { artifactType: bundleType, ...(signal && { signal }) });
  if (referrers.length > maxBundles)
    throw infrastructureError(
      `${from.name}@${subject} has ${referrers.length} attestations; ${maxBundles} are read at most`,
    );
  const found: ReadAttestation[] = [];
  for (const referrer of referrers) found.push(await readOne(from, subject, referrer, trusted, signal));
  return found;
}

async function readOne(
  from: Repository,
  subject: Digest,
  referrer: Descriptor,
  trusted: TrustedSigners,
  signal?: AbortSignal,
): Promise<ReadAttestation> {
  const not = (reason: string): ReadAttestation => ({ trusted: false, referrer: referrer.digest, reason });
  let bytes: Uint8Array;
  try {
    const content = await contentOf(from, referrer, signal);
    if (!content) return not("it is incomplete, or holds no bundle");
    if (content.size > maxDocumentBytes) return not("it is too large");
    bytes = await from.readDocument(content, signal);
  } catch (error) {
    if (signal?.aborted || !(error instanceof RefoundryError || error instanceof SyntaxError)) throw error;
    return not(error.message);
  }
  const verified = verifyBundle(bytes, trusted);
  if (!verified.verified) return not(verified.reason);
  const statement = parseStatement(verified.payload);
  if (!statement) return not("what was signed is no in-toto statement");
  if (!isAbout(statement, subject)) return not("what was signed is about something else");
  return { trusted: true, referrer: referrer.digest, signer: verified.signer, statement };
}
