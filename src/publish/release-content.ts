import { readManifest } from "../oci/manifest.ts";
import { type ContentReader, type Descriptor } from "../oci/types.ts";

/** Everything below a release index, in the order in which it must be written: blobs before what names them. */
export interface ReleaseContent {
  readonly blobs: readonly Descriptor[];
  readonly manifests: readonly Descriptor[];
}

/** Lists what the manifests of a release need, each blob once. */
export async function listReleaseContent(
  manifests: readonly Descriptor[],
  reader: ContentReader,
  signal?: AbortSignal,
): Promise<ReleaseContent> {
  const blobs = new Map<string, Descriptor>();
  for (const manifest of manifests) {
    const { config, layers } = await readManifest(reader, manifest, signal);
    for (const blob of [config, ...layers]) blobs.set(blob.digest, blob);
  }
  return { blobs: [...blobs.values()], manifests };
}
