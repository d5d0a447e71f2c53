import { type CompareOptions, compareImages } from "../compare/compare-images.ts";
import type { PlatformComparison } from "../compare/types.ts";
import type { Descriptor } from "../oci/types.ts";
import type { Factory } from "./types.ts";

/** Compares two images of the store, whatever platform each is for. */
export async function compareBuilds(
  left: Descriptor,
  right: Descriptor,
  options: Omit<CompareOptions, "signal">,
  { store, signal }: Factory,
): Promise<PlatformComparison> {
  // descriptors without a platform: one image against one image
  const side = ({ mediaType, digest, size }: Descriptor) => ({
    reader: store.blobs,
    descriptor: { mediaType, digest, size },
  });
  const [platform] = (await compareImages(side(left), side(right), { ...options, signal })).platforms;
  if (!platform) throw new Error("two images gave no comparison");
  return platform;
}
