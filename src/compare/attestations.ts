import { errorCode } from "../errors.ts";
import { type Digest, isDigest } from "../oci/digest.ts";
import {
  type ContentReader,
  type Descriptor,
  type Json,
  type JsonObject,
  maxDocumentBytes,
  mediaTypes,
} from "../oci/types.ts";
import { type ImageSource, isDescriptor, resolveChildren } from "./resolve.ts";

/** A statement (in-toto attestation framework, spec/v1/statement.md and its v0.1) in an attestation's layer. */
export interface AttestationStatement {
  /** `_type`: `https://in-toto.io/Statement/v1` or `.../v0.1`. */
  readonly statementType: string;
  /** `predicateType`: `https://slsa.dev/provenance/v1`, `https://spdx.dev/Document`, ... */
  readonly predicateType: string;
  /** The sha256 digests of what it is about, each once; a subject without one is in `mismatches`. */
  readonly subjects: readonly Digest[];
}

/** An attestation child of an index, as BuildKit writes them. */
export interface Attestation {
  /** The digest of the attestation's manifest. */
  readonly digest: Digest;
  /** The image it is for, by its annotation. */
  readonly subject?: Digest;
  readonly statements: readonly AttestationStatement[];
  /** Where its parts disagree about its subject or its predicate, in words. */
  readonly mismatches: readonly string[];
  /** In what it is no attestation that can be read, in words; empty for one that is. */
  readonly malformed: readonly string[];
}

const subjectAnnotation = "vnd.docker.reference.digest";
const predicateAnnotation = "in-toto.io/predicate-type";
const statementMediaType = "application/vnd.in-toto+json";
const statementTypes: ReadonlySet<string> = new Set([
  "https://in-toto.io/Statement/v0.1",
  "https://in-toto.io/Statement/v1",
]);
const manifestTypes: ReadonlySet<string> = new Set([mediaTypes.manifest, mediaTypes.dockerManifest]);
const limits = { layers: 100, statementBytes: 32 * 1024 ** 2, totalBytes: 256 * 1024 ** 2, subjects: 1000 } as const;

/**
 * Reads the in-toto attestations among an index's children (BuildKit,
 * docs/attestations/attestation-storage.md): what each is for and what it states. One
 * that is malformed, missing or too large is described as such. Throws an infrastructure
 * error when content is not what its digest says or cannot be read.
 */
export async function readAttestations(source: ImageSource, signal?: AbortSignal): Promise<Attestation[]> {
  const { children } = await resolveChildren(source, signal);
  const images = new Set(children.filter(({ kind }) => kind === "image").map(({ descriptor }) => descriptor.digest));
  const descriptors = children.filter(({ kind }) => kind === "attestation").map(({ descriptor }) => descriptor);
  return readAttestationChildren(source.reader, descriptors, images, signal);
}

/** As {@link readAttestations}, of children that were found already; `images` are the index's images. */
export async function readAttestationChildren(
  reader: ContentReader,
  descriptors: readonly Descriptor[],
  images: ReadonlySet<Digest>,
  signal?: AbortSignal,
): Promise<Attestation[]> {
  const reading: Reading = { reader, signal, left: limits.totalBytes };
  const attestations: Attestation[] = [];
  for (const descriptor of descriptors) attestations.push(await readAttestation(reading, descriptor, images));
  return attestations;
}

interface Reading {
  readonly reader: ContentReader;
  readonly signal: AbortSignal | undefined;
  /** Bytes that statements may still have. */
  left: number;
}

interface Notes {
  readonly statements: AttestationStatement[];
  readonly mismatches: string[];
  readonly malformed: string[];
}

async function readAttestation(
  reading: Reading,
  descriptor: Descriptor,
  images: ReadonlySet<Digest>,
): Promise<Attestation> {
  const notes: Notes = { statements: [], mismatches: [], malformed: [] };
  const named: unknown = descriptor.annotations?.[subjectAnnotation];
  const subject = typeof named === "string" && isDigest(named) ? named : undefined;
  if (subject === undefined) notes.malformed.push(`it has no ${subjectAnnotation} with a digest`);
  else if (!images.has(subject)) notes.mismatches.push(`its subject ${subject} is no image of the index`);
  const manifest = await readManifestObject(reading, descriptor, notes);
  if (manifest) await readLayers(reading, manifest, subject, notes);
  return { digest: descriptor.digest, ...(subject !== undefined && { subject }), ...notes };
}

async function readManifestObject(
  reading: Reading,
  descriptor: Descriptor,
  { malformed }: Notes,
): Promise<JsonObject | undefined> {
  if (!manifestTypes.has(descriptor.mediaType)) {
    malformed.push(`it is ${printable(descriptor.mediaType)}, which is no manifest`);
    return undefined;
  }
  const bytes =
    descriptor.size > maxDocumentBytes
      ? "too large"
      : await orMissing(() => reading.reader.readDocument(descriptor, reading.signal));
  if (!(bytes instanceof Uint8Array)) {
    malformed.push(`its manifest is ${bytes}`);
    return undefined;
  }
  const manifest = parseObject(bytes);
  if (!manifest || !Array.isArray(manifest["layers"])) {
    malformed.push("its manifest is none");
    return undefined;
  }
  return manifest;
}

async function readLayers(
  reading: Reading,
  manifest: JsonObject,
  subject: Digest | undefined,
  notes: Notes,
): Promise<void> {
  const layers = manifest["layers"] as readonly Json[];
  const referred = objectOf(manifest["subject"])?.["digest"];
  if (referred !== undefined && referred !== subject)
    notes.mismatches.push(`its manifest's subject is ${printable(referred)}`);
  if (layers.length === 0) notes.malformed.push("it has no statement");
  if (layers.length > limits.layers) {
    notes.malformed.push(`it has ${layers.length} layers; at most ${limits.layers} are read`);
    return;
  }
  for (const layer of layers) await readStatement(reading, layer, subject, notes);
}

async function readStatement(
  reading: Reading,
  layer: Json | Descriptor,
  subject: Digest | undefined,
  { statements, mismatches, malformed }: Notes,
): Promise<void> {
  if (!isDescriptor(layer)) {
    malformed.push("a layer has no sha256 digest and size");
    return;
  }
  if (layer.mediaType !== statementMediaType) {
    malformed.push(`a layer is ${printable(layer.mediaType)}, not ${statementMediaType}`);
    return;
  }
  const isTooLarge = layer.size > Math.min(limits.statementBytes, reading.left);
  const bytes = isTooLarge ? "too large" : await orMissing(() => readWhole(reading, layer));
  if (!(bytes instanceof Uint8Array)) {
    malformed.push(`a statement of ${layer.size} bytes is ${bytes}`);
    return;
  }
  reading.left -= bytes.length;
  const statement = parseObject(bytes);
  const { _type: type, predicateType } = statement ?? {};
  if (!statement || typeof type !== "string" || !statementTypes.has(type) || typeof predicateType !== "string") {
    malformed.push(`a layer is no in-toto statement: its _type is ${printable(type)}`);
    return;
  }
  const subjects = subjectsOf(statement["subject"]);
  if (!subjects) {
    malformed.push(`a statement of ${printable(predicateType)} has no list of subjects`);
    return;
  }
  statements.push({ statementType: type, predicateType, subjects: subjects.digests });
  const others = subjects.digests.filter((digest) => digest !== subject);
  if (others.length > 0 || subjects.hasOthers || subjects.digests.length === 0)
    mismatches.push(
      `its statement of ${printable(predicateType)} is about ${others.length > 0 ? others.slice(0, 3).join(", ") : "nothing that has a sha256 digest"}`,
    );
  const announced = layer.annotations?.[predicateAnnotation];
  if (announced !== undefined && announced !== predicateType)
    mismatches.push(`a layer announces ${printable(announced)} and states ${printable(predicateType)}`);
}

/** The sha256 digests in a statement's `subject`; `hasOthers` when some have none. */
function subjectsOf(
  value: Json | undefined,
): { readonly digests: readonly Digest[]; readonly hasOthers: boolean } | undefined {
  if (!Array.isArray(value) || value.length > limits.subjects) return undefined;
  const digests = (value as readonly Json[]).map((subject) => {
    const sha256 = objectOf(objectOf(subject)?.["digest"])?.["sha256"];
    const digest = `sha256:${typeof sha256 === "string" ? sha256 : ""}`;
    return isDigest(digest) ? digest : undefined;
  });
  const known = digests.filter((digest) => digest !== undefined);
  return { digests: [...new Set(known)], hasOthers: known.length < digests.length };
}

async function readWhole({ reader, signal }: Reading, blob: Descriptor): Promise<Uint8Array> {
  return Buffer.concat(await Array.fromAsync(reader.openBlob(blob, signal)));
}

/** Copies of an index often come without what is not run. */
async function orMissing(read: () => Promise<Uint8Array>): Promise<Uint8Array | "missing"> {
  try {
    return await read();
  } catch (error) {
    if (error instanceof Error && errorCode(error.cause) === "ENOENT") return "missing";
    throw error;
  }
}

function parseObject(bytes: Uint8Array): JsonObject | undefined {
  try {
    return objectOf(JSON.parse(Buffer.from(bytes).toString("utf8")) as Json);
  } catch {
    return undefined;
  }
}

function objectOf(value: Json | undefined): JsonObject | undefined {
  const isObject = typeof value === "object" && value !== null && !Array.isArray(value);
  return isObject ? (value as JsonObject) : undefined;
}

/** What several attestations are, in one line: `2 of https://slsa.dev/provenance/v1 (https://in-toto.io/Statement/v0.1)`. */
export function describeAttestations(attestations: readonly Attestation[]): string {
  const counts = new Map<string, number>();
  const tell = (what: string): void => void counts.set(what, (counts.get(what) ?? 0) + 1);
  for (const { statements, mismatches, malformed } of attestations) {
    for (const { statementType, predicateType } of statements) tell(`${printable(predicateType)} (${statementType})`);
    for (const note of [...mismatches, ...malformed]) tell(`an attestation where ${note}`);
  }
  const kinds = [...counts].toSorted(([a], [b]) => (a < b ? -1 : 1)).map(([what, count]) => `${count} of ${what}`);
  const more = kinds.length > maxKinds ? `, ${kinds.length - maxKinds} more kinds` : "";
  return kinds.length === 0 ? "none" : `${kinds.slice(0, maxKinds).join(", ")}${more}`;
}

const maxKinds = 10;

/** Text of an attestation's for a message: bounded, without control characters. */
function printable(value: Json | undefined): string {
  const text = typeof value === "string" ? value : (JSON.stringify(value) ?? "absent");
  return text.slice(0, 200).replaceAll(/[\p{Cc}\p{Cf}]/gu, "�");
}
