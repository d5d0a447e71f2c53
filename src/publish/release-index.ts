import { canonicalJson } from "../json.ts";
import { type PlatformName, platformName } from "../oci/platform.ts";
import { type Descriptor, mediaTypes } from "../oci/types.ts";

/** One platform of a release: whose manifest it is and how the index describes it. */
export interface ReleaseEntry {
  readonly platform: PlatformName;
  readonly origin: "upstream" | "rebuilt";
  /** With its `platform`; upstream's platform object is kept as upstream wrote it. */
  readonly descriptor: Descriptor;
}

/**
 * The release index's bytes: children in the order of their platforms' names, keys in
 * code-unit order, no white space, no annotations; the same content always gives the
 * same digest. Attestations are referrers, never children.
 */
export function assembleReleaseIndex(entries: readonly ReleaseEntry[]): Uint8Array {
  const manifests = entries
    .toSorted((a, b) => (a.platform < b.platform ? -1 : a.platform > b.platform ? 1 : 0))
    .map(({ descriptor, platform }) => {
      if (!descriptor.platform || platformName(descriptor.platform) !== platform)
        throw new Error(`${platform} has another platform's descriptor`);
      const { mediaType, digest, size } = descriptor;
      return { mediaType, digest, size, platform: descriptor.platform };
    });
  return Buffer.from(canonicalJson({ schemaVersion: 2, mediaType: mediaTypes.index, manifests }));
}
