import { infrastructureError } from "../errors.ts";
import { isIndex } from "../oci/copy-image.ts";
import { digestOf, isDigest } from "../oci/digest.ts";
import { type PlatformName, platformName } from "../oci/platform.ts";
import {
  type ContentReader,
  type Descriptor,
  type ImageIndex,
  type ImageManifest,
  type JsonObject,
  maxDocumentBytes,
  mediaTypes,
  type OciPlatform,
} from "../oci/types.ts";
import { parseStrictJson } from "./strict-json.ts";

/** An image or index to compare: where it is read, and which it is. */
export interface ImageSource {
  readonly reader: ContentReader;
  readonly descriptor: Descriptor;
  /** How it is called in the result. */
  readonly name?: string;
}

/** The images below a descriptor. */
export interface ResolvedPlatforms {
  /** The manifest that runtimes take for each platform, the first of its kind. */
  readonly manifests: ReadonlyMap<PlatformName, Descriptor>;
  /** Every image as `platform digest`, by platform: the level `index-core` is about these. */
  readonly core: readonly string[];
}

/** One platform's image, read as far as its config. */
export interface ResolvedImage {
  readonly platform: PlatformName;
  readonly descriptor: Descriptor;
  readonly manifest: ImageManifest;
  readonly config: JsonObject;
  readonly diffIds: readonly string[];
}

const maxDepth = 3;
const maxChildren = 1000;
const maxIndexBytes = 4 * maxDocumentBytes;
const imageConfigs: ReadonlySet<string> = new Set([mediaTypes.config, mediaTypes.dockerConfig]);

/**
 * The image manifests below a descriptor, nested indexes included; attestation children
 * and artifacts are left out. Throws as {@link resolveChildren}.
 */
export async function resolvePlatforms(source: ImageSource, signal?: AbortSignal): Promise<ResolvedPlatforms> {
  const { children } = await resolveChildren(source, signal);
  const images = children.filter((child) => child.kind === "image");
  const manifests = new Map<PlatformName, Descriptor>();
  for (const { platform, descriptor } of images) if (!manifests.has(platform)) manifests.set(platform, descriptor);
  // of several images for one platform the first is taken, so their order counts
  const sorted = images.toSorted((a, b) => (a.platform < b.platform ? -1 : a.platform > b.platform ? 1 : 0));
  return { manifests, core: sorted.map(({ platform, descriptor }) => `${platform} ${descriptor.digest}`) };
}

/** An index as it was read. */
export interface IndexDocument {
  readonly descriptor: Descriptor;
  readonly index: ImageIndex;
}

/** What stands below a descriptor and is no index itself. */
export type IndexChild = {
  readonly descriptor: Descriptor;
  /** The position of the index that names it; -1 for what stands alone. */
  readonly parent: number;
} & (
  | { readonly kind: "image"; readonly platform: PlatformName }
  /** By its annotation or the lack of a platform; what it says is not read. */
  | { readonly kind: "attestation" }
  /** A manifest without a platform whose config is no image's. */
  | { readonly kind: "artifact"; readonly manifest: ImageManifest }
);

/** Everything below a descriptor, in the order in which it is named. */
export interface ResolvedChildren {
  /** The index itself first, then nested ones; none when the descriptor is an image's. */
  readonly indexes: readonly IndexDocument[];
  readonly children: readonly IndexChild[];
}

/**
 * Reads the indexes from a descriptor downwards and tells images, attestations and
 * artifacts apart. Throws an infrastructure error for documents that are not what
 * image-spec says, or too many.
 */
export async function resolveChildren(source: ImageSource, signal?: AbortSignal): Promise<ResolvedChildren> {
  const found: Found = { indexes: [], children: [], read: 0, attestations: 0, indexBytes: 0 };
  await collect(source.reader, source.descriptor, found, signal, { depth: 0, parent: -1 });
  return found;
}

interface Found {
  readonly indexes: IndexDocument[];
  readonly children: IndexChild[];
  read: number;
  attestations: number;
  indexBytes: number;
}

async function collect(
  reader: ContentReader,
  descriptor: Descriptor,
  found: Found,
  signal: AbortSignal | undefined,
  { depth, parent }: { readonly depth: number; readonly parent: number },
): Promise<void> {
  found.read += 1;
  if (found.read > maxChildren)
    throw infrastructureError(`${reader.name}: an index has more than ${maxChildren} children, nested ones included`);
  if (!isIndex(descriptor)) {
    found.children.push(await resolveChild(reader, descriptor, signal, parent));
    return;
  }
  if (depth >= maxDepth) throw infrastructureError(`${reader.name}: indexes are nested more than ${maxDepth} deep`);
  found.indexBytes += descriptor.size;
  if (found.indexBytes > maxIndexBytes)
    throw infrastructureError(`${reader.name}: indexes, nested ones included, have more than ${maxIndexBytes} bytes`);
  const index = await readObject<ImageIndex>(reader, descriptor, signal);
  if (!Array.isArray(index.manifests))
    throw infrastructureError(`${reader.name}: ${descriptor.digest} is no image index`);
  if (index.subject) requireDescriptor(index.subject, reader, descriptor);
  const position = found.indexes.push({ descriptor, index }) - 1;
  for (const child of index.manifests as unknown[]) {
    const checked = requireDescriptor(child, reader, descriptor);
    if (!isAttestation(checked)) {
      await collect(reader, checked, found, signal, { depth: depth + 1, parent: position });
      continue;
    }
    found.attestations += 1;
    if (found.attestations > maxChildren)
      throw infrastructureError(`${reader.name}: an index has more than ${maxChildren} attestations`);
    found.children.push({ kind: "attestation", descriptor: checked, parent: position });
  }
}

async function resolveChild(
  reader: ContentReader,
  descriptor: Descriptor,
  signal: AbortSignal | undefined,
  parent: number,
): Promise<IndexChild> {
  const isAlone = parent < 0;
  if (descriptor.platform && !isAlone) {
    const platform = describePlatform(descriptor.platform, reader, descriptor);
    return { kind: "image", descriptor, parent, platform };
  }
  // without a platform it may be an artifact, which runs nowhere
  const manifest = await readManifest(reader, descriptor, signal);
  if (!isAlone && !imageConfigs.has(manifest.config.mediaType))
    return { kind: "artifact", descriptor, parent, manifest };
  const { platform } = await readImage(reader, descriptor, signal);
  return { kind: "image", descriptor, parent, platform };
}

/** in-toto attestations that BuildKit puts beside images; what names a platform could run, whatever its annotations say. */
function isAttestation(child: Descriptor): boolean {
  const { platform } = child;
  return platform
    ? platform.os === "unknown" && platform.architecture === "unknown"
    : child.annotations?.["vnd.docker.reference.type"] === "attestation-manifest";
}

/** Reads an image's manifest and config. Throws when they are not what image-spec says or contradict one another. */
export async function readImage(
  reader: ContentReader,
  descriptor: Descriptor,
  signal?: AbortSignal,
): Promise<ResolvedImage> {
  const manifest = await readManifest(reader, descriptor, signal);
  const config = await readObject<JsonObject>(reader, manifest.config, signal);
  const rootfs = config["rootfs"] as { diff_ids?: unknown } | null | undefined;
  const diffIds = Array.isArray(rootfs?.diff_ids) ? rootfs.diff_ids.map(String) : [];
  if (diffIds.length !== manifest.layers.length) {
    throw infrastructureError(
      `${reader.name}: ${descriptor.digest} has ${manifest.layers.length} layers, and its config speaks of ${diffIds.length}`,
    );
  }
  const platform = describePlatform((descriptor.platform ?? config) as unknown as OciPlatform, reader, descriptor);
  return { platform, descriptor, manifest, config, diffIds };
}

async function readManifest(
  reader: ContentReader,
  descriptor: Descriptor,
  signal: AbortSignal | undefined,
): Promise<ImageManifest> {
  const manifest = await readObject<ImageManifest>(reader, descriptor, signal);
  if (!manifest.config || !Array.isArray(manifest.layers))
    throw infrastructureError(`${reader.name}: ${descriptor.digest} is no image manifest`);
  for (const blob of [manifest.config, ...manifest.layers]) requireDescriptor(blob, reader, descriptor);
  return manifest;
}

/** `os/architecture[/variant]`, and `os(version)/...` as containerd writes it where several versions may stand together. */
function describePlatform(platform: OciPlatform, reader: ContentReader, of: Descriptor): PlatformName {
  const { os, architecture, variant } = platform;
  const version = platform["os.version"] ?? "";
  if ([os, architecture, variant ?? "", version].some((part) => typeof part !== "string") || !os || !architecture)
    throw infrastructureError(`${reader.name}: ${of.digest} does not say for which os and architecture it is`);
  return platformName({ ...platform, os: version === "" ? os : `${os}(${version})` });
}

/** Whether a value from a document has what image-spec, descriptor.md requires, with a digest that is accepted here. */
export function isDescriptor(value: unknown): value is Descriptor {
  const { mediaType, digest, size } = (value ?? {}) as Partial<Record<keyof Descriptor, unknown>>;
  return (
    typeof mediaType === "string" &&
    typeof digest === "string" &&
    isDigest(digest) &&
    Number.isSafeInteger(size) &&
    Number(size) >= 0
  );
}

/** Digests name files and addresses, so nothing that is no digest gets further. */
function requireDescriptor(value: unknown, reader: ContentReader, of: Descriptor): Descriptor {
  if (!isDescriptor(value))
    throw infrastructureError(
      `${reader.name}: ${of.digest} has a descriptor without a media type, sha256 digest and size: ${JSON.stringify(value).slice(0, 200)}`,
    );
  requireInlineData(value, reader);
  return value;
}

/** image-spec, descriptor.md: `data` is the content itself in base64, and has to be just that. */
function requireInlineData({ data, digest, size }: Descriptor, reader: ContentReader): void {
  if (data === undefined) return;
  const bytes = typeof data === "string" ? Buffer.from(data, "base64") : undefined;
  if (bytes?.toString("base64") === data && bytes.length === size && digestOf(bytes) === digest) return;
  throw infrastructureError(
    `${reader.name}: the inline data of ${digest} is not what its digest says: it was changed or damaged`,
  );
}

async function readObject<T>(reader: ContentReader, descriptor: Descriptor, signal?: AbortSignal): Promise<T> {
  const bytes = await reader.readDocument(descriptor, signal);
  const what = `${reader.name}: ${descriptor.digest}`;
  const parsed: unknown = parseStrictJson(Buffer.from(bytes).toString("utf8"), what);
  if (typeof parsed !== "object" || parsed === null || Array.isArray(parsed))
    throw infrastructureError(`${what} is no JSON object`);
  return parsed as T;
}
