import { infrastructureError, usageError } from "../errors.ts";
import { isIndex } from "../oci/copy-image.ts";
import { isDescriptor } from "../oci/descriptor.ts";
import type { Digest } from "../oci/digest.ts";
import { platformName } from "../oci/platform.ts";
import type { Repository } from "../oci/repository.ts";
import type { Descriptor, ImageIndex } from "../oci/types.ts";
import type { Verdict } from "../outcome.ts";
import type { TrustedSigners } from "../sign/verify-bundle.ts";
import { type ReadAttestation, readAttestations } from "./read-attestations.ts";
import { predicateName, predicateTypes } from "./statement.ts";

/** What is proved of one manifest or index. */
export interface VerifiedSubject {
  readonly digest: Digest;
  /** Absent for an index. */
  readonly platform?: string;
  /** Who signed it, of those who are trusted. */
  readonly signedBy: readonly string[];
  /** Who, of those who are trusted, says to have built it and not to have taken it over from others. */
  readonly builtBy: readonly string[];
  /** Attestations that count, by kind and signer. */
  readonly attestations: readonly { readonly kind: string; readonly signer: string }[];
  /** Attestations that do not count, and why. */
  readonly refused: readonly { readonly referrer: Digest; readonly reason: string }[];
  /** What a comparison found, where one is attested. */
  readonly equivalence?: {
    readonly against: string;
    readonly verdict: string;
    readonly level: string;
    readonly unexplained: number;
    /** Differences by class. */
    readonly differences: readonly string[];
  };
  readonly provenance?: VerifiedProvenance;
  /** What is missing; empty where it may be relied on. */
  readonly problems: readonly string[];
  /** What does not stand against it, and is good to know. */
  readonly warnings: readonly string[];
}

/** From what an image was built, as its provenance says. */
export interface VerifiedProvenance {
  readonly builder: string;
  readonly recipe: string;
  readonly release: string;
  readonly source: string;
  readonly toolchain: string;
  readonly dependencies: number;
}

/** What a consumer may know of an image; `refoundry/verification/v1`. */
export interface ImageVerification {
  readonly schema: "refoundry/verification/v1";
  readonly image: string;
  readonly digest: Digest;
  readonly verified: boolean;
  readonly subjects: readonly VerifiedSubject[];
}

/** Verdicts that `--require` takes, strongest first. */
const bestFirst: readonly Verdict[] = ["identical", "equivalent", "extended", "drift"];

/**
 * Verifies an image or index, and every platform of an index: that a trusted signer
 * signed it, that a trusted provenance or equivalence says where it comes from, and that
 * no verdict is weaker than `require`. What cannot be verified is in the result; throws
 * only where the repository cannot be read.
 */
export async function verifyImage(
  image: string,
  from: Repository,
  descriptor: Descriptor,
  trusted: TrustedSigners,
  options: { readonly require: string; readonly signal?: AbortSignal },
): Promise<ImageVerification> {
  if (!bestFirst.some((verdict) => verdict === options.require))
    throw usageError(`--require takes ${bestFirst.join(", ")}, and got "${options.require}"`);
  const { signal } = options;
  const top = await readSubject(from, descriptor, trusted, signal);
  const children = isIndex(descriptor) ? await readChildren(from, descriptor, signal) : [];
  const subjects = [judge(top, isIndex(descriptor) ? "index" : "image", options.require)];
  for (const child of children)
    subjects.push(judge(await readSubject(from, child, trusted, signal), "image", options.require));
  return {
    schema: "refoundry/verification/v1",
    image,
    digest: descriptor.digest,
    verified: subjects.every(({ problems }) => problems.length === 0),
    subjects,
  };
}

async function readChildren(from: Repository, index: Descriptor, signal?: AbortSignal): Promise<Descriptor[]> {
  const bytes = await from.readDocument(index, signal);
  const { manifests } = JSON.parse(Buffer.from(bytes).toString("utf8")) as Partial<ImageIndex>;
  if (Array.isArray(manifests) && manifests.length > 0 && manifests.every(isDescriptor)) return manifests;
  throw infrastructureError(`${from.name}@${index.digest} names no image, or one without a sha256 digest`);
}

interface SubjectFacts {
  readonly descriptor: Descriptor;
  readonly attestations: readonly ReadAttestation[];
}

async function readSubject(
  from: Repository,
  descriptor: Descriptor,
  trusted: TrustedSigners,
  signal?: AbortSignal,
): Promise<SubjectFacts> {
  return { descriptor, attestations: await readAttestations(from, descriptor.digest, trusted, signal) };
}

function judge({ descriptor, attestations }: SubjectFacts, kind: "index" | "image", require: string): VerifiedSubject {
  const trusted = attestations.filter((item) => item.trusted);
  const of = (type: string): typeof trusted => trusted.filter(({ statement }) => statement.predicateType === type);
  const signedBy = [...new Set(of(predicateTypes.signature).map(({ signer }) => signer))];
  const provenance = of(predicateTypes.provenance).map(({ statement }) => provenanceIn(statement.predicate))[0];
  // of several findings the weakest is what may be relied on
  const equivalence = of(predicateTypes.equivalence)
    .map(({ statement }) => equivalenceIn(statement.predicate))
    .toSorted((a, b) => rankOf(b.verdict) - rankOf(a.verdict))[0];
  const failures = of(predicateTypes.failure).map(
    ({ statement }) => `a rebuild failed on ${textOf(fieldsOf(statement.predicate)["failedAt"]).slice(0, 10)}`,
  );
  const problems: string[] = [];
  if (signedBy.length === 0) problems.push("no trusted signature");
  if (!provenance && (kind === "index" || !equivalence))
    problems.push(kind === "index" ? "no trusted provenance" : "neither provenance nor equivalence by who is trusted");
  if (equivalence && !isGoodEnough(equivalence.verdict, require))
    problems.push(`its verdict is ${equivalence.verdict}, and ${require} is asked for`);
  for (const { statement } of of(predicateTypes.summary)) {
    const { verificationResult } = fieldsOf(statement.predicate);
    if (verificationResult !== "PASSED") problems.push("a trusted summary says that it did not pass");
  }
  return {
    digest: descriptor.digest,
    ...(descriptor.platform && { platform: platformName(descriptor.platform) }),
    signedBy,
    builtBy: [
      ...new Set(
        of(predicateTypes.provenance)
          .filter(({ statement }) => !tookOver(statement.predicate))
          .map(({ signer }) => signer),
      ),
    ],
    attestations: trusted
      .map(({ statement, signer }) => ({ kind: predicateName(statement.predicateType), signer }))
      .toSorted((a, b) => (a.kind < b.kind ? -1 : a.kind > b.kind ? 1 : 0)),
    refused: attestations.flatMap((item) => (item.trusted ? [] : [{ referrer: item.referrer, reason: item.reason }])),
    ...(equivalence && { equivalence }),
    ...(provenance && { provenance }),
    problems,
    warnings: failures.toSorted(),
  };
}

function rankOf(verdict: string): number {
  const rank = bestFirst.findIndex((known) => known === verdict);
  return rank === -1 ? bestFirst.length : rank;
}

/** A platform that upstream never had cannot equal upstream: `extended` is the best there is. */
function isGoodEnough(verdict: string, require: string): boolean {
  return verdict === "extended" || rankOf(verdict) <= rankOf(require);
}

function provenanceIn(predicate: unknown): VerifiedProvenance {
  const definition = fieldsOf(fieldsOf(predicate)["buildDefinition"]);
  const parameters = fieldsOf(definition["externalParameters"]);
  const resolved = definition["resolvedDependencies"];
  const dependencies = Array.isArray(resolved) ? resolved.map(fieldsOf) : [];
  const named = (prefix: string): Readonly<Record<string, unknown>> =>
    dependencies.find(({ name }) => String(name).startsWith(prefix)) ?? {};
  const recipe = fieldsOf(parameters["recipe"]);
  return {
    builder: textOf(fieldsOf(fieldsOf(fieldsOf(predicate)["runDetails"])["builder"])["id"]),
    recipe: [textOf(recipe["uri"]), textOf(recipe["path"])].filter((part) => part !== "").join(" "),
    release: textOf(parameters["release"]),
    source: textOf(named("source ")["uri"]),
    toolchain:
      `${textOf(named("toolchain ")["name"])} ${textOf(fieldsOf(named("toolchain ")["digest"])["sha256"])}`.trim(),
    dependencies: dependencies.length,
  };
}

function tookOver(predicate: unknown): boolean {
  const { takenOver } = fieldsOf(fieldsOf(fieldsOf(predicate)["buildDefinition"])["internalParameters"]);
  return Object.keys(fieldsOf(takenOver)).length > 0;
}

function equivalenceIn(predicate: unknown): NonNullable<VerifiedSubject["equivalence"]> {
  const { against, verdict, level, unexplained, differences } = fieldsOf(predicate);
  return {
    against: textOf(against),
    verdict: textOf(verdict),
    level: textOf(level),
    unexplained: typeof unexplained === "number" ? unexplained : 0,
    differences: (Array.isArray(differences) ? differences : []).map((difference) => {
      const { class: name, count, weight } = fieldsOf(difference);
      return `${textOf(name)} (${typeof count === "number" ? count : "?"}, ${textOf(weight)})`;
    }),
  };
}

function fieldsOf(value: unknown): Readonly<Record<string, unknown>> {
  return typeof value === "object" && value !== null ? (value as Readonly<Record<string, unknown>>) : {};
}

/** A text of a statement, on one line and without what steers a terminal. */
function textOf(value: unknown): string {
  return typeof value === "string" ? value.replaceAll(/[\p{Cc}\p{Cf}]/gu, "�").slice(0, 500) : "";
}
