import { infrastructureError } from "../errors.ts";
import { isIndex } from "../oci/copy-image.ts";
import { type PlatformName, platformName } from "../oci/platform.ts";
import type { ContentReader, Descriptor, ImageIndex, ImageManifest, JsonObject, OciPlatform } from "../oci/types.ts";

/** An image or index to compare: where it is read, and which it is. */
export interface ImageSource {
  readonly reader: ContentReader;
  readonly descriptor: Descriptor;
  /** How it is called in the result. */
  readonly name?: string;
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

/** The image manifests below a descriptor by platform; attestation children are left out. */
export async function resolvePlatforms(
  source: ImageSource,
  signal?: AbortSignal,
  depth = 0,
): Promise<Map<PlatformName, Descriptor>> {
  const { reader, descriptor } = source;
  if (!isIndex(descriptor)) {
    const image = await readImage(reader, descriptor, signal);
    return new Map([[image.platform, descriptor]]);
  }
  if (depth >= maxDepth) throw infrastructureError(`${reader.name}: indexes are nested more than ${maxDepth} deep`);
  const index = parseDocument<ImageIndex>(await reader.readDocument(descriptor, signal), reader, descriptor);
  if (!Array.isArray(index.manifests) || index.manifests.length > maxChildren)
    throw infrastructureError(`${reader.name}: ${descriptor.digest} is no image index that can be read`);
  const found = new Map<PlatformName, Descriptor>();
  for (const child of index.manifests) {
    if (isAttestation(child)) continue;
    const named =
      child.platform && !isIndex(child)
        ? new Map([[platformName(child.platform), child]])
        : await resolvePlatforms({ reader, descriptor: child }, signal, depth + 1);
    // the first child of a platform is the one that runtimes take
    for (const [platform, manifest] of named) if (!found.has(platform)) found.set(platform, manifest);
  }
  return found;
}

/** in-toto attestations that BuildKit puts beside images; they run nowhere. */
function isAttestation(child: Descriptor): boolean {
  return (
    child.annotations?.["vnd.docker.reference.type"] === "attestation-manifest" || child.platform?.os === "unknown"
  );
}

/** Reads an image's manifest and config. */
export async function readImage(
  reader: ContentReader,
  descriptor: Descriptor,
  signal?: AbortSignal,
): Promise<ResolvedImage> {
  const manifest = parseDocument<ImageManifest>(await reader.readDocument(descriptor, signal), reader, descriptor);
  if (!manifest.config || !Array.isArray(manifest.layers))
    throw infrastructureError(`${reader.name}: ${descriptor.digest} is no image manifest`);
  const config = parseDocument<JsonObject>(await reader.readDocument(manifest.config, signal), reader, manifest.config);
  const rootfs = config["rootfs"] as { diff_ids?: unknown } | undefined;
  const diffIds = Array.isArray(rootfs?.diff_ids) ? rootfs.diff_ids.map(String) : [];
  if (diffIds.length !== manifest.layers.length) {
    throw infrastructureError(
      `${reader.name}: ${descriptor.digest} has ${manifest.layers.length} layers, and its config speaks of ${diffIds.length}`,
    );
  }
  const platform = platformName((descriptor.platform ?? config) as unknown as OciPlatform);
  return { platform, descriptor, manifest, config, diffIds };
}

function parseDocument<T>(bytes: Uint8Array, reader: ContentReader, descriptor: Descriptor): T {
  let parsed: unknown;
  try {
    parsed = JSON.parse(Buffer.from(bytes).toString("utf8"));
  } catch (cause) {
    throw infrastructureError(`${reader.name}: ${descriptor.digest} is not JSON`, { cause });
  }
  if (typeof parsed !== "object" || parsed === null || Array.isArray(parsed))
    throw infrastructureError(`${reader.name}: ${descriptor.digest} is no JSON object`);
  return parsed as T;
}
