import { attachContent } from "../attest/attach.ts";
import { canonicalJson } from "../json.ts";
import type { Digest } from "../oci/digest.ts";
import type { Repository } from "../oci/repository.ts";
import { annotationNames, artifactTypes, type Capsule } from "./types.ts";

/**
 * Says beside a release's index which capsule it can be built again from, as a referrer. The
 * same capsule in the same place is said once. False where the index is not in that repository.
 */
export async function referToCapsule(
  releases: Repository,
  index: Digest,
  { capsule, escrow, tag }: { readonly capsule: Capsule["descriptor"]; readonly escrow: string; readonly tag: string },
  signal?: AbortSignal,
): Promise<boolean> {
  const subject = await releases.find(index, signal);
  if (!subject) return false;
  const { mediaType, digest, size } = capsule;
  const bytes = Buffer.from(canonicalJson({ escrow, tag, capsule: { mediaType, digest, size } }));
  const annotations = { [annotationNames.capsule]: digest, [annotationNames.escrow]: escrow };
  await attachContent(releases, subject, { bytes, mediaType: artifactTypes.reference, annotations }, signal);
  return true;
}
