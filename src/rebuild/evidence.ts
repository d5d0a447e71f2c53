import { readFile } from "node:fs/promises";
import { join } from "node:path";
import pLimit from "p-limit";
import { attachArtifact, type Artifact } from "../attest/attach.ts";
import { attest, ownAttestations, statementDigest } from "../attest/attest.ts";
import { equivalenceOf } from "../attest/equivalence.ts";
import { type Byproduct, type ProvenanceContext, provenanceOf } from "../attest/provenance.ts";
import { rebuildFailureOf } from "../attest/rebuild-failure.ts";
import { digestSet, predicateName, predicateTypes, type Statement, statementOf } from "../attest/statement.ts";
import { verificationSummaryOf } from "../attest/verification-summary.ts";
import { exporterAttributes } from "../build/buildx.ts";
import { findCommit } from "../git/checkout.ts";
import { normaliserVersion } from "../normalise/normalise-image.ts";
import { digestOf } from "../oci/digest.ts";
import type { Repository } from "../oci/repository.ts";
import type { Descriptor } from "../oci/types.ts";
import type { Outcome, PlatformOutcome } from "../outcome.ts";
import type { ReleaseEntry } from "../publish/release-index.ts";
import { billsOf, buildLogOf, reportsOf } from "./artifacts.ts";
import type { Factory, ReleaseInputs } from "./types.ts";

/** What is attached to a release, and what was there. */
export interface EvidenceCount {
  readonly attached: number;
  readonly there: number;
}

/** A release whose images are in place, for evidence to be attached. */
export interface ReleaseWithEvidence {
  readonly outcome: Outcome;
  readonly index: Descriptor;
  readonly entries: readonly ReleaseEntry[];
  /** How statements name the image: `HOST/NAME`, or the recipe where it goes nowhere. */
  readonly imageName: string;
}

/**
 * Attaches what proves a release, to its index and to each of its manifests: signatures,
 * attestations, the report, the logs. Each piece stands alone: one that is there is left,
 * one that is missing is made, whatever became of the others before.
 */
export async function attachEvidence(
  release: ReleaseWithEvidence,
  inputs: ReleaseInputs,
  to: Repository,
  factory: Factory,
): Promise<EvidenceCount> {
  const { outcome, entries, index } = release;
  const context = await provenanceContext(inputs, outcome, factory);
  const limit = pLimit(4);
  const counts = await Promise.all([
    ...entries.map((entry) =>
      limit(async () => {
        const platform = outcome.platforms.find((item) => item.platform === entry.platform);
        if (!platform) throw new Error(`${entry.platform} has no outcome`);
        return attachToSubject(
          {
            subject: entry.descriptor,
            artifacts: [...buildLogOf(outcome, platform), ...(await billsOf(entry, inputs, outcome, factory))],
            statements: (byproducts) => platformStatements(release, entry, platform, context, byproducts),
          },
          to,
          factory,
        );
      }),
    ),
    limit(() =>
      attachToSubject(
        {
          subject: index,
          artifacts: reportsOf(outcome),
          statements: (byproducts) => indexStatements(release, context, byproducts),
        },
        to,
        factory,
      ),
    ),
  ]);
  return counts.reduce((sum, count) => ({ attached: sum.attached + count.attached, there: sum.there + count.there }));
}

/** Attaches a failure to the index that a release has had, where it has one. Gives that index. */
export async function attachFailure(
  outcome: Outcome,
  tag: string,
  to: Repository,
  factory: Factory,
): Promise<Descriptor | undefined> {
  const { signal } = factory;
  const lastGood = await to.find(tag, signal);
  const failure = lastGood && rebuildFailureOf(outcome, lastGood.digest);
  if (!failure) return undefined;
  const signer = await factory.signer();
  await attest(to, lastGood, [failure], await ownAttestations(to, lastGood, signer, signal), signer, signal);
  return lastGood;
}

interface SubjectEvidence {
  readonly subject: Descriptor;
  readonly artifacts: readonly Artifact[];
  readonly statements: (byproducts: readonly Byproduct[]) => readonly Statement[];
}

async function attachToSubject(
  { subject, artifacts, statements }: SubjectEvidence,
  to: Repository,
  factory: Factory,
): Promise<EvidenceCount> {
  const { signal } = factory;
  const referrers = await to.listReferrers(subject.digest, { signal });
  const byproducts: Byproduct[] = [];
  let there = 0;
  for (const artifact of artifacts) {
    const attached = await attachArtifact(to, subject, referrers, artifact, signal);
    if (attached.there) there++;
    byproducts.push({
      name: artifact.title,
      mediaType: attached.content.mediaType,
      digest: attached.content.digest,
    });
  }
  const signer = await factory.signer();
  const own = await ownAttestations(to, subject, signer, signal);
  const count = await attest(to, subject, statements(byproducts), own, signer, signal);
  return { attached: artifacts.length - there + count.attached, there: there + count.there };
}

function platformStatements(
  release: ReleaseWithEvidence,
  entry: ReleaseEntry,
  platform: PlatformOutcome,
  context: ProvenanceContext,
  byproducts: readonly Byproduct[],
): Statement[] {
  const subject = { name: release.imageName, digest: entry.descriptor.digest };
  const equivalence = equivalenceOf(release.imageName, platform);
  const proofs: Statement[] = [
    // what upstream made has upstream's provenance; ours says what we made
    ...(entry.origin === "rebuilt" ? [provenanceOf(subject, context, byproducts, platform.platform)] : []),
    ...(equivalence ? [equivalence] : []),
  ];
  return [signatureOf(subject), ...proofs, summaryOf(release, subject, [platform], context, proofs)];
}

function indexStatements(
  release: ReleaseWithEvidence,
  context: ProvenanceContext,
  byproducts: readonly Byproduct[],
): Statement[] {
  const subject = { name: release.imageName, digest: release.index.digest };
  const provenance = provenanceOf(subject, context, byproducts);
  return [
    signatureOf(subject),
    provenance,
    summaryOf(release, subject, release.outcome.platforms, context, [provenance]),
  ];
}

type Subject = Parameters<typeof provenanceOf>[0];

function signatureOf({ digest }: Subject): Statement {
  return statementOf(predicateTypes.signature, [{ digest: digestSet(digest) }], {});
}

function summaryOf(
  release: ReleaseWithEvidence,
  subject: Subject,
  platforms: readonly PlatformOutcome[],
  context: ProvenanceContext,
  proofs: readonly Statement[],
): Statement {
  const { outcome, imageName } = release;
  return verificationSummaryOf(
    subject,
    outcome,
    platforms,
    { builderId: context.builderId, recipeDigest: context.recipe.digest, resourceUri: imageName },
    proofs.map((proof) => ({
      name: predicateName(proof.predicateType),
      digest: digestSet(statementDigest(proof)),
    })),
  );
}

async function provenanceContext(
  inputs: ReleaseInputs,
  outcome: Outcome,
  { settings, signal }: Factory,
): Promise<ProvenanceContext> {
  const path = `recipes/images/${inputs.recipe.image}/recipe.yaml`;
  const root = join(inputs.dockerfile.folder, "../../..");
  const checkedOut = await findCommit(root, inputs.dockerfile.folder, signal);
  return {
    inputs,
    outcome,
    builderId: settings.builderId,
    exporter: Object.entries(exporterAttributes)
      .map(([name, value]) => `${name}=${value}`)
      .join(","),
    normaliser: normaliserVersion,
    recipe: {
      ...(checkedOut?.url !== undefined && { uri: checkedOut.url }),
      ...(checkedOut && { commit: checkedOut.commit }),
      path,
      digest: digestOf(await readFile(join(inputs.dockerfile.folder, "recipe.yaml"))),
    },
  };
}
