import { canonicalJson } from "../json.ts";
import { type Digest, digestOf } from "../oci/digest.ts";
import type { Repository } from "../oci/repository.ts";
import type { Descriptor } from "../oci/types.ts";
import type { Signer } from "../sign/signer.ts";
import { attachContent } from "./attach.ts";
import { bundleType, type ReadAttestation, readAttestations } from "./read-attestations.ts";
import { predicateTypes, type Statement, statementBytes } from "./statement.ts";

/** What came of attesting: how many bundles were made, how many were there. */
export interface AttestCount {
  readonly attached: number;
  readonly there: number;
}

/** The attestations of a subject that this signer made. A keyless signer recognises none as its own. */
export async function ownAttestations(
  from: Repository,
  subject: Descriptor,
  signer: Signer,
  signal?: AbortSignal,
): Promise<readonly Statement[]> {
  if (!signer.publicKey) return [];
  const keys = [{ name: signer.name, publicKey: signer.publicKey }];
  const found: readonly ReadAttestation[] = await readAttestations(from, subject.digest, { keys }, signal);
  return found.flatMap((item) => (item.trusted ? [item.statement] : []));
}

/**
 * Signs statements about a subject and attaches them, each as a bundle of its own, unless
 * the signer said the same before: then only the times would be others.
 */
export async function attest(
  to: Repository,
  subject: Descriptor,
  statements: readonly Statement[],
  own: readonly Statement[],
  signer: Signer,
  signal?: AbortSignal,
): Promise<AttestCount> {
  let attached = 0;
  for (const statement of statements) {
    if (own.some((other) => saysTheSame(other, statement))) continue;
    const bytes = await signer.sign(statementBytes(statement));
    await attachContent(
      to,
      subject,
      {
        bytes,
        mediaType: bundleType,
        annotations: {
          "dev.sigstore.bundle.content": "dsse-envelope",
          "dev.sigstore.bundle.predicateType": statement.predicateType,
        },
      },
      signal,
    );
    attached++;
  }
  return { attached, there: statements.length - attached };
}

/** Whether two statements say the same but for when, and which files came of it. */
function saysTheSame(a: Statement, b: Statement): boolean {
  return a.predicateType === b.predicateType && canonicalJson(withoutTimes(a)) === canonicalJson(withoutTimes(b));
}

/** How another attestation is referred to: by the digest of what was signed. */
export function statementDigest(statement: Statement): Digest {
  return digestOf(statementBytes(withoutTimes(statement)));
}

function withoutTimes(statement: Statement): Statement {
  const predicate = statement.predicate as Readonly<Record<string, unknown>>;
  switch (statement.predicateType) {
    case predicateTypes.provenance: {
      const {
        metadata: _,
        byproducts: __,
        ...runDetails
      } = (predicate["runDetails"] ?? {}) as Readonly<Record<string, unknown>>;
      return { ...statement, predicate: { ...predicate, runDetails } };
    }
    case predicateTypes.summary: {
      const { timeVerified: _, inputAttestations: __, ...rest } = predicate;
      return { ...statement, predicate: rest };
    }
    case predicateTypes.failure: {
      const { failedAt: _, platforms, ...rest } = predicate;
      // a log says the same in other words each time
      const failed = (Array.isArray(platforms) ? platforms : []).map(({ explanation: __, ...platform }) => platform);
      return { ...statement, predicate: { ...rest, platforms: failed } };
    }
    case predicateTypes.build: {
      const { seconds: _, log: __, ...rest } = predicate;
      return { ...statement, predicate: rest };
    }
    default:
      return statement;
  }
}
