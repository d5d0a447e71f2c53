import pLimit from "p-limit";
import { mismatch } from "../errors.ts";
import { digestOf } from "../oci/digest.ts";
import type { OciLayout } from "../oci/layout.ts";
import type { RegistryRepository } from "../oci/registry/repository.ts";
import { type Descriptor, mediaTypes } from "../oci/types.ts";
import { listReleaseContent } from "./release-content.ts";

/**
 * Puts a release into a registry: blobs, manifests by digest, and last the index under
 * its tag, so that nobody ever sees half a release. A tag that names the same index
 * already is a success with nothing sent; one that names another is refused: a release's
 * tag does not move.
 */
export async function publishToRegistry(
  release: { readonly index: Uint8Array; readonly manifests: readonly Descriptor[]; readonly tag: string },
  from: OciLayout,
  to: RegistryRepository,
  signal?: AbortSignal,
): Promise<{ readonly index: Descriptor; readonly bytesWritten: number }> {
  const digest = digestOf(release.index);
  const tagged = await to.find(release.tag, signal);
  if (tagged?.digest === digest) return { index: tagged, bytesWritten: 0 };
  if (tagged) {
    throw mismatch(
      `${to.name}:${release.tag} is ${tagged.digest} already, and this release is ${digest}: a release's tag does not move`,
      {
        hint: "push to another name, or find out which input changed: refoundry plan",
      },
    );
  }
  const { blobs, manifests } = await listReleaseContent(release.manifests, from, signal);
  const limit = pLimit(4);
  const sent = await Promise.all(
    blobs.map((blob) => limit(() => to.pushBlob(blob, () => from.openBlob(blob, signal), signal ? { signal } : {}))),
  );
  for (const manifest of manifests)
    await to.pushManifest(await from.readDocument(manifest, signal), manifest.mediaType, manifest.digest, signal);
  const index = await to.pushManifest(release.index, mediaTypes.index, release.tag, signal);
  const documents = manifests.reduce((sum, manifest) => sum + manifest.size, release.index.length);
  return { index, bytesWritten: sent.reduce((sum, bytes) => sum + bytes, documents) };
}
