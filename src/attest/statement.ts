import { canonicalJson } from "../json.ts";
import { type Digest, hexOf } from "../oci/digest.ts";

/** An in-toto Statement v1: something said of artifacts that are named by digest. */
export interface Statement<Predicate = unknown> {
  readonly _type: typeof statementType;
  readonly subject: readonly ResourceDescriptor[];
  readonly predicateType: string;
  readonly predicate: Predicate;
}

/** in-toto's ResourceDescriptor, as far as it is used here. */
export interface ResourceDescriptor {
  readonly name?: string;
  readonly uri?: string;
  readonly mediaType?: string;
  readonly digest?: Readonly<Record<string, string>>;
  readonly annotations?: Readonly<Record<string, unknown>>;
}

/** The `_type` of every statement. */
export const statementType = "https://in-toto.io/Statement/v1";

/** What statements may be about; `signature` is what cosign takes for an image's signature. */
export const predicateTypes = {
  signature: "https://sigstore.dev/cosign/sign/v1",
  provenance: "https://slsa.dev/provenance/v1",
  equivalence: "https://refoundry.dev/attestations/image-equivalence/v1",
  failure: "https://refoundry.dev/attestations/rebuild-failure/v1",
  summary: "https://slsa.dev/verification_summary/v1",
  build: "https://refoundry.dev/attestations/staged-build/v1",
} as const;

/** A name for a predicate type, for people; the type itself where it has none. */
export function predicateName(predicateType: string): string {
  const found = Object.entries(predicateTypes).find(([, type]) => type === predicateType);
  return found?.[0] ?? predicateType;
}

/** A statement of a predicate about artifacts. */
export function statementOf<Predicate>(
  predicateType: string,
  subject: readonly ResourceDescriptor[],
  predicate: Predicate,
): Statement<Predicate> {
  return { _type: statementType, subject, predicateType, predicate };
}

/** The bytes that are signed: canonical JSON. */
export function statementBytes(statement: Statement): Uint8Array {
  return Buffer.from(canonicalJson(statement));
}

/** A digest as in-toto writes it. */
export function digestSet(digest: Digest): Readonly<Record<string, string>> {
  return { sha256: hexOf(digest) };
}

/**
 * Reads a statement's bytes. Undefined for what is no Statement v1, or names no subject
 * by a sha256 digest.
 */
export function parseStatement(bytes: Uint8Array): Statement | undefined {
  let parsed: unknown;
  try {
    parsed = JSON.parse(Buffer.from(bytes).toString("utf8"));
  } catch {
    return undefined;
  }
  const { _type, subject, predicateType, predicate } = (parsed ?? {}) as Readonly<Record<string, unknown>>;
  if (_type !== statementType || typeof predicateType !== "string" || !Array.isArray(subject)) return undefined;
  if (subject.length === 0 || !subject.every(hasSha256)) return undefined;
  return { _type, subject: subject as ResourceDescriptor[], predicateType, predicate };
}

function hasSha256(subject: unknown): boolean {
  const { digest } = (subject ?? {}) as { readonly digest?: { readonly sha256?: unknown } };
  return typeof digest?.sha256 === "string" && /^[0-9a-f]{64}$/.test(digest.sha256);
}

/** Whether a statement speaks of an artifact. */
export function isAbout(statement: Statement, subject: Digest): boolean {
  return statement.subject.some(({ digest }) => digest?.["sha256"] === hexOf(subject));
}
