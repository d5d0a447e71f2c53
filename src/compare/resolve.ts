import { infrastructureError } from "../errors.ts";
import { isIndex } from "../oci/copy-image.ts";
import { isDigest } from "../oci/digest.ts";
import { type PlatformName, platformName } from "../oci/platform.ts";
import {
  type ContentReader,
  type Descriptor,
  type ImageIndex,
  type ImageManifest,
  type JsonObject,
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
  /** Every image as `platform digest`, sorted: the level `index-core` is about these. */
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
const imageConfigs: ReadonlySet<string> = new Set([mediaTypes.config, mediaTypes.dockerConfig]);

/**
 * The image manifests below a descriptor, nested indexes included; attestation children
 * and artifacts are left out. Throws an infrastructure error for documents that are not
 * what image-spec says, or too many.
 */
export async function resolvePlatforms(source: ImageSource, signal?: AbortSignal): Promise<ResolvedPlatforms> {
  const children: Child[] = [];
  await collect(source.reader, source.descriptor, { children, read: 0 }, signal, 0);
  const manifests = new Map<PlatformName, Descriptor>();
  for (const { platform, manifest } of children) if (!manifests.has(platform)) manifests.set(platform, manifest);
  return { manifests, core: children.map(({ platform, manifest }) => `${platform} ${manifest.digest}`).toSorted() };
}

interface Child {
  readonly platform: PlatformName;
  readonly manifest: Descriptor;
}

async function collect(
  reader: ContentReader,
  descriptor: Descriptor,
  found: { readonly children: Child[]; read: number },
  signal: AbortSignal | undefined,
  depth: number,
): Promise<void> {
  found.read += 1;
  if (found.read > maxChildren)
    throw infrastructureError(`${reader.name}: an index has more than ${maxChildren} children, nested ones included`);
  if (!isIndex(descriptor)) {
    if (descriptor.platform && depth > 0) {
      found.children.push({
        platform: describePlatform(descriptor.platform, reader, descriptor),
        manifest: descriptor,
      });
      return;
    }
    // without a platform it may be an artifact, which runs nowhere
    const manifest = await readManifest(reader, descriptor, signal);
    if (depth > 0 && !imageConfigs.has(manifest.config.mediaType)) return;
    const { platform } = await readImage(reader, descriptor, signal);
    found.children.push({ platform, manifest: descriptor });
    return;
  }
  if (depth >= maxDepth) throw infrastructureError(`${reader.name}: indexes are nested more than ${maxDepth} deep`);
  const index = await readObject<ImageIndex>(reader, descriptor, signal);
  if (!Array.isArray(index.manifests))
    throw infrastructureError(`${reader.name}: ${descriptor.digest} is no image index`);
  for (const child of index.manifests as unknown[]) {
    const checked = requireDescriptor(child, reader, descriptor);
    if (!isAttestation(checked)) await collect(reader, checked, found, signal, depth + 1);
  }
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

/** Digests name files and addresses, so nothing that is no digest gets further. */
function requireDescriptor(value: unknown, reader: ContentReader, of: Descriptor): Descriptor {
  const { mediaType, digest, size } = (value ?? {}) as Partial<Record<keyof Descriptor, unknown>>;
  const isValid =
    typeof mediaType === "string" &&
    typeof digest === "string" &&
    isDigest(digest) &&
    Number.isSafeInteger(size) &&
    Number(size) >= 0;
  if (!isValid)
    throw infrastructureError(
      `${reader.name}: ${of.digest} has a descriptor without a media type, sha256 digest and size: ${JSON.stringify(value).slice(0, 200)}`,
    );
  return value as Descriptor;
}

async function readObject<T>(reader: ContentReader, descriptor: Descriptor, signal?: AbortSignal): Promise<T> {
  const bytes = await reader.readDocument(descriptor, signal);
  const what = `${reader.name}: ${descriptor.digest}`;
  const parsed: unknown = parseStrictJson(Buffer.from(bytes).toString("utf8"), what);
  if (typeof parsed !== "object" || parsed === null || Array.isArray(parsed))
    throw infrastructureError(`${what} is no JSON object`);
  return parsed as T;
}
