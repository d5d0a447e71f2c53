import { infrastructureError } from "../errors.ts";
import { isDescriptor } from "../oci/descriptor.ts";
import { type Descriptor, type JsonObject, mediaTypes } from "../oci/types.ts";

const indexTypes: ReadonlySet<string> = new Set([mediaTypes.index, mediaTypes.dockerIndex]);
const imageTypes: ReadonlySet<string> = new Set([mediaTypes.manifest, mediaTypes.dockerManifest]);
/** Layers that their makers do not allow to be passed on (image-spec, layer.md, "Non-Distributable Layers"). */
const foreignTypes: ReadonlySet<string> = new Set([
  mediaTypes.dockerForeignLayer,
  "application/vnd.oci.image.layer.nondistributable.v1.tar",
  "application/vnd.oci.image.layer.nondistributable.v1.tar+gzip",
  "application/vnd.oci.image.layer.nondistributable.v1.tar+zstd",
]);

/** What a manifest or index names, in the order in which it names it. */
export interface NamedContent {
  /** Manifests and indexes below an index. */
  readonly manifests: readonly Descriptor[];
  /** Config and layers of a manifest, and what else an index names that is no manifest. */
  readonly blobs: readonly Descriptor[];
  /** Layers that are fetched from elsewhere and never copied. */
  readonly foreign: readonly Descriptor[];
}

/** Whether a descriptor is of a manifest or an index, which have referrers and are read by the manifests API. */
export function isManifestOrIndex({ mediaType }: Pick<Descriptor, "mediaType">): boolean {
  return indexTypes.has(mediaType) || imageTypes.has(mediaType);
}

/** Whether a descriptor is of an index or a Docker manifest list. */
export function isIndexType({ mediaType }: Pick<Descriptor, "mediaType">): boolean {
  return indexTypes.has(mediaType);
}

/**
 * What the bytes of a manifest or index name (image-spec, manifest.md and
 * image-index.md). Throws an infrastructure error when they are not such a document or
 * have a descriptor without media type, sha256 digest and size. `where` names it there.
 */
export function namedContent(descriptor: Descriptor, bytes: Uint8Array, where: string): NamedContent {
  const what = `${where}@${descriptor.digest}`;
  const document = parseObject(bytes, what);
  if (isIndexType(descriptor)) {
    const entries = listOf(document["manifests"], `${what}: manifests`);
    return {
      manifests: entries.filter(isManifestOrIndex),
      // image-spec lets an index name anything; what is no manifest is a blob of the repository
      blobs: entries.filter((entry) => !isManifestOrIndex(entry)),
      foreign: [],
    };
  }
  const layers = listOf(document["layers"], `${what}: layers`);
  return {
    manifests: [],
    blobs: [requireDescriptor(document["config"], `${what}: config`), ...layers.filter((layer) => !isForeign(layer))],
    foreign: layers.filter(isForeign),
  };
}

/** As crane decides it: by media type; a layer of another type is copied also where it has `urls`. */
function isForeign({ mediaType }: Descriptor): boolean {
  return foreignTypes.has(mediaType);
}

function parseObject(bytes: Uint8Array, what: string): JsonObject {
  try {
    const parsed: unknown = JSON.parse(Buffer.from(bytes).toString("utf8"));
    if (typeof parsed === "object" && parsed !== null && !Array.isArray(parsed)) return parsed as JsonObject;
  } catch (cause) {
    throw infrastructureError(`${what} is not JSON`, { cause });
  }
  throw infrastructureError(`${what} is not a JSON object`);
}

function listOf(value: unknown, what: string): Descriptor[] {
  if (!Array.isArray(value)) throw infrastructureError(`${what} is not a list`);
  return value.map((entry, position) => requireDescriptor(entry, `${what}[${position}]`));
}

function requireDescriptor(value: unknown, what: string): Descriptor {
  if (isDescriptor(value)) return value;
  throw infrastructureError(`${what} is not a descriptor with a media type, a sha256 digest and a size`, {
    hint: "images with digests of another algorithm are not copied",
  });
}
