import { hexOf } from "../oci/digest.ts";
import type { Descriptor } from "../oci/types.ts";
import type { Copying } from "./copy-types.ts";

/** What cosign 1 and 2 add to `sha256-HEX` for the tags of signatures, attestations and SBOMs. */
const suffixes = ["sig", "att", "sbom"] as const;

/**
 * Copies what cosign keeps under tags that are made from a digest, as it did before there
 * were referrers; such a tag moves when something is added.
 */
export async function copySignatureTags({ digest }: Descriptor, copying: Copying): Promise<void> {
  const { from, to, signal } = copying;
  for (const suffix of suffixes) {
    const tag = `sha256-${hexOf(digest)}.${suffix}`;
    if (!(await from.hasManifest(tag, signal))) continue;
    const { descriptor, bytes } = await from.resolve(tag, signal);
    await copying.copyContent(descriptor);
    if (signal.aborted) return;
    await to.pushManifest(bytes, descriptor.mediaType, tag, signal);
  }
}
