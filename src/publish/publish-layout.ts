import { ensureLayout, type OciLayout } from "../oci/layout.ts";
import { type Descriptor, type ImageIndex, mediaTypes } from "../oci/types.ts";
import { listReleaseContent } from "./release-content.ts";

const refName = "org.opencontainers.image.ref.name";

/**
 * Puts a release into an OCI layout under a tag: blobs, manifests, the index, and last
 * `index.json`, so that nobody ever sees half a release. What is there is left alone;
 * says how many bytes were written.
 */
export async function publishToLayout(
  release: { readonly index: Uint8Array; readonly manifests: readonly Descriptor[]; readonly tag: string },
  from: OciLayout,
  destination: string,
  signal?: AbortSignal,
): Promise<{ readonly index: Descriptor; readonly bytesWritten: number }> {
  const layout = await ensureLayout(destination);
  const { blobs, manifests } = await listReleaseContent(release.manifests, from, signal);
  let bytesWritten = 0;
  for (const content of [...blobs, ...manifests]) {
    if (await layout.has(content)) continue;
    await layout.writeStream(from.openBlob(content, signal), content);
    bytesWritten += content.size;
  }
  const index = await layout.writeBytes(release.index, mediaTypes.index);
  const before = await layout.readIndex();
  const others = before.manifests.filter((entry) => entry.annotations?.[refName] !== release.tag);
  const tagged: Descriptor = { ...index, annotations: { [refName]: release.tag } };
  const after: ImageIndex = { schemaVersion: 2, mediaType: mediaTypes.index, manifests: [...others, tagged] };
  if (JSON.stringify(before) !== JSON.stringify(after)) await layout.writeIndex(after);
  return { index, bytesWritten };
}
