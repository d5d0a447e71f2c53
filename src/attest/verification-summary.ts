import type { Digest } from "../oci/digest.ts";
import type { Outcome, PlatformOutcome, Verdict } from "../outcome.ts";
import { version } from "../version.ts";
import { digestSet, predicateTypes, type ResourceDescriptor, type Statement, statementOf } from "./statement.ts";

/** The predicate of a SLSA Verification Summary v1. */
export interface VerificationSummary {
  readonly verifier: { readonly id: string; readonly version: Readonly<Record<string, string>> };
  readonly timeVerified: string;
  readonly resourceUri: string;
  readonly policy: ResourceDescriptor;
  readonly inputAttestations: readonly ResourceDescriptor[];
  readonly verificationResult: "PASSED" | "FAILED";
  readonly verifiedLevels: readonly string[];
  readonly dependencyLevels?: Readonly<Record<string, number>>;
  readonly slsaVersion: "1.1";
}

/** Verdicts that a release stands on. */
const good: ReadonlySet<Verdict> = new Set<Verdict>(["identical", "equivalent", "drift", "extended"]);

/**
 * Sums up what the other attestations prove of an image, and no more: the verdicts as
 * levels of our own (`REFOUNDRY_IDENTICAL`, ...), and SLSA_BUILD_LEVEL_1, which is that
 * there is provenance. The builder's own guarantees, which higher levels ask about, are
 * not for the factory to vouch for.
 */
export function verificationSummaryOf(
  subject: { readonly name: string; readonly digest: Digest },
  outcome: Outcome,
  platforms: readonly PlatformOutcome[],
  context: { readonly builderId: string; readonly recipeDigest: Digest; readonly resourceUri: string },
  inputAttestations: readonly ResourceDescriptor[],
): Statement<VerificationSummary> {
  const verdicts = [...new Set(platforms.map(({ verdict }) => verdict))].toSorted();
  const passed = platforms.length > 0 && platforms.every(({ verdict }) => good.has(verdict));
  const levels = verdicts.map((verdict) => `REFOUNDRY_${verdict.toUpperCase().replaceAll("-", "_")}`);
  const hasProvenance = inputAttestations.some(({ name }) => name === "provenance");
  return statementOf(predicateTypes.summary, [{ name: subject.name, digest: digestSet(subject.digest) }], {
    verifier: { id: context.builderId, version: { refoundry: version } },
    timeVerified: outcome.startedAt,
    resourceUri: context.resourceUri,
    policy: { name: "recipe", digest: digestSet(context.recipeDigest) },
    inputAttestations,
    verificationResult: passed ? "PASSED" : "FAILED",
    verifiedLevels: passed ? [...(hasProvenance ? ["SLSA_BUILD_LEVEL_1"] : []), ...levels] : ["FAILED"],
    slsaVersion: "1.1",
  });
}
