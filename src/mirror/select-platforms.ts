import { infrastructureError } from "../errors.ts";
import { canonicalJson } from "../json.ts";
import { type Digest, isDigest } from "../oci/digest.ts";
import { type PlatformName, platformName } from "../oci/platform.ts";
import { type Descriptor, mediaTypes } from "../oci/types.ts";
import { isIndexType, namedContent } from "./tree-document.ts";

/** The digest of the index that an index of some of its platforms was made from. */
const sourceAnnotation = "dev.refoundry.mirror.source";
/** Of which platforms it is, in order, with commas between them. */
const platformsAnnotation = "dev.refoundry.mirror.platforms";
/** What BuildKit's attestations name the image by that they are about. */
const attestedAnnotation = "vnd.docker.reference.digest";

/** A part of an index: the children as the source has them, and an index of just these. */
export interface PlatformSelection {
  readonly children: readonly Descriptor[];
  readonly index: Uint8Array;
}

/**
 * The part of an index that is of some platforms, with the attestations of these. The
 * children stay as they are; the index cannot, as a registry takes none whose children
 * are missing: it is a new one, in canonical bytes, that says what it was made from.
 * Throws an infrastructure error when the index lacks a platform or is none.
 */
export function selectPlatforms(
  source: Descriptor,
  bytes: Uint8Array,
  platforms: readonly PlatformName[],
  where: string,
): PlatformSelection {
  if (!isIndexType(source))
    throw infrastructureError(
      `${where}@${source.digest} is one image and no index, so it has no platforms to choose from`,
      {
        hint: "write platforms: all",
      },
    );
  const { manifests } = namedContent(source, bytes, where);
  const has = manifests.flatMap(({ platform }) => (platform ? [platformName(platform)] : []));
  const missing = platforms.filter((name) => !has.includes(name));
  if (missing.length > 0)
    throw infrastructureError(
      `${where}@${source.digest} has no image for ${missing.join(", ")}; it has ${has.join(", ") || "none"}`,
    );
  const chosen = manifests.filter(({ platform }) => platform && platforms.includes(platformName(platform)));
  const digests = new Set<string>(chosen.map(({ digest }) => digest));
  const children = manifests.filter(
    (entry) => chosen.includes(entry) || digests.has(entry.annotations?.[attestedAnnotation] ?? ""),
  );
  const index = {
    schemaVersion: 2,
    mediaType: mediaTypes.index,
    manifests: children,
    annotations: { [sourceAnnotation]: source.digest, [platformsAnnotation]: nameOf(platforms) },
  };
  return { children, index: Buffer.from(canonicalJson(index)) };
}

/** The index that {@link selectPlatforms} made an index from, where it was made for these platforms. */
export function selectedFrom(bytes: Uint8Array, platforms: readonly PlatformName[]): Digest | undefined {
  const { annotations } = JSON.parse(Buffer.from(bytes).toString("utf8")) as Partial<Descriptor>;
  const source = annotations?.[sourceAnnotation];
  const isOfThese = annotations?.[platformsAnnotation] === nameOf(platforms);
  return source !== undefined && isOfThese && isDigest(source) ? source : undefined;
}

function nameOf(platforms: readonly PlatformName[]): string {
  return platforms.toSorted().join(",");
}
