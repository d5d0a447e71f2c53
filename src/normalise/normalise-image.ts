import type { BuiltImage } from "../build/read-output.ts";
import type { OciLayout } from "../oci/layout.ts";
import { type Descriptor, type ImageManifest, mediaTypes } from "../oci/types.ts";
import { gzip, gzipEncoder } from "./gzip.ts";

/** Names what {@link normaliseImage} does; changes when its output does. */
export const normaliserVersion = `1; ${gzipEncoder}`;

/**
 * Brings a built image into the form that is published: layers compressed by the pinned
 * encoder, BuildKit's annotations stripped, the manifest written as BuildKit writes it
 * (struct order, two spaces). The config keeps its bytes, hence its digest.
 */
export async function normaliseImage(image: BuiltImage, blobs: OciLayout, signal?: AbortSignal): Promise<Descriptor> {
  const config = await blobs.writeBytes(image.config, mediaTypes.config);
  const layers: Descriptor[] = [];
  for (const layer of image.manifest.layers) {
    const written = await blobs.writeStream(gzip(image.layout.openBlob(layer, signal)));
    layers.push({ mediaType: mediaTypes.layerGzip, ...written });
  }
  const manifest: ImageManifest = { schemaVersion: 2, mediaType: mediaTypes.manifest, config, layers };
  return blobs.writeBytes(JSON.stringify(manifest, null, 2), mediaTypes.manifest);
}
