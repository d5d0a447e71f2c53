import { canonicalJson } from "../json.ts";
import { digestOf } from "../oci/digest.ts";
import type { Repository } from "../oci/repository.ts";
import { type Descriptor, type ImageManifest, mediaTypes } from "../oci/types.ts";

/** Content to be kept beside an image: a report, an SBOM, a log. */
export interface Artifact {
  readonly artifactType: string;
  /** A file's name, for who looks at it. */
  readonly title: string;
  readonly bytes: Uint8Array;
  /** Equal for artifacts that say the same, however their bytes differ in times and such. */
  readonly claim: string;
}

/** The media type of the empty config (image-spec, guidance for an empty descriptor). */
const emptyConfig = {
  mediaType: "application/vnd.oci.empty.v1+json",
  digest: digestOf("{}"),
  size: 2,
} as const satisfies Descriptor;
const title = "org.opencontainers.image.title";
const claimAnnotation = "dev.refoundry.claim";

/** Content as it was attached. */
export interface Attached {
  /** The content's own descriptor. */
  readonly content: Descriptor;
  /** Whether it was there before. */
  readonly there: boolean;
}

/**
 * Attaches one piece of content to a subject: an image manifest without a config, whose
 * only layer is the content (image-spec, guidelines for artifact usage). The subject
 * need not be there yet.
 */
export async function attachContent(
  to: Repository,
  subject: Descriptor,
  content: {
    readonly bytes: Uint8Array;
    readonly mediaType: string;
    readonly annotations: Readonly<Record<string, string>>;
    readonly layerAnnotations?: Readonly<Record<string, string>>;
  },
  signal?: AbortSignal,
): Promise<Descriptor> {
  const { bytes, mediaType, annotations, layerAnnotations } = content;
  const layer: Descriptor = {
    mediaType,
    digest: digestOf(bytes),
    size: bytes.length,
    ...(layerAnnotations && { annotations: layerAnnotations }),
  };
  const options = signal ? { signal } : {};
  await to.pushBlob(emptyConfig, () => once(Buffer.from("{}")), options);
  await to.pushBlob(layer, () => once(bytes), options);
  const manifest: ImageManifest = {
    schemaVersion: 2,
    mediaType: mediaTypes.manifest,
    artifactType: mediaType,
    config: emptyConfig,
    layers: [layer],
    subject: { mediaType: subject.mediaType, digest: subject.digest, size: subject.size },
    annotations,
  };
  const document = Buffer.from(canonicalJson(manifest));
  await to.pushManifest(document, mediaTypes.manifest, digestOf(document), signal);
  return layer;
}

/**
 * Attaches an artifact, unless one of its type with the same title and claim is there:
 * what a rerun would say once more in other words is not attached again.
 */
export async function attachArtifact(
  to: Repository,
  subject: Descriptor,
  referrers: readonly Descriptor[],
  artifact: Artifact,
  signal?: AbortSignal,
): Promise<Attached> {
  const same = referrers.find(
    ({ artifactType, annotations }) =>
      artifactType === artifact.artifactType &&
      annotations?.[title] === artifact.title &&
      annotations[claimAnnotation] === artifact.claim,
  );
  const there = same && (await contentOf(to, same, signal));
  if (there) return { content: there, there: true };
  const content = await attachContent(
    to,
    subject,
    {
      bytes: artifact.bytes,
      mediaType: artifact.artifactType,
      annotations: { [title]: artifact.title, [claimAnnotation]: artifact.claim },
      layerAnnotations: { [title]: artifact.title },
    },
    signal,
  );
  return { content, there: false };
}

/** The content that a referrer holds; undefined where it is incomplete, or no artifact of one layer. */
export async function contentOf(
  from: Repository,
  referrer: Descriptor,
  signal?: AbortSignal,
): Promise<Descriptor | undefined> {
  if (!(await from.hasManifest(referrer.digest, signal))) return undefined;
  const parsed: unknown = JSON.parse(Buffer.from(await from.readDocument(referrer, signal)).toString("utf8"));
  const { layers } = (parsed ?? {}) as Partial<ImageManifest>;
  if (!Array.isArray(layers) || layers.length !== 1) return undefined;
  const [layer] = layers;
  return layer && (await from.hasBlob(layer, signal)) ? layer : undefined;
}

async function* once(bytes: Uint8Array): AsyncGenerator<Uint8Array> {
  yield bytes;
}
