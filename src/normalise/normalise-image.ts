import type { BuiltImage } from "../build/read-output.ts";
import type { Digest } from "../oci/digest.ts";
import type { OciLayout } from "../oci/layout.ts";
import { type Descriptor, type ImageManifest, mediaTypes } from "../oci/types.ts";
import { gzip, gzipEncoder } from "./gzip.ts";

/** Names what {@link normaliseImage} does; changes when its output does. */
export const normaliserVersion = `1; ${gzipEncoder}`;

/** Remembers which blob a layer's tar was compressed to; the encoder is pinned, so it would be the same again. */
export interface CompressedLayers {
  find(diffId: Digest): Promise<Descriptor | undefined>;
  remember(diffId: Digest, layer: Descriptor): Promise<void>;
}

/**
 * Brings a built image into the form that is published: layers compressed by the pinned
 * encoder, BuildKit's annotations stripped, the manifest written as BuildKit writes it
 * (struct order, two spaces). The config keeps its bytes, hence its digest.
 */
export async function normaliseImage(
  image: BuiltImage,
  blobs: OciLayout,
  compressed: CompressedLayers,
  signal?: AbortSignal,
): Promise<Descriptor> {
  const config = await blobs.writeBytes(image.config, mediaTypes.config);
  const layers: Descriptor[] = [];
  for (const layer of image.manifest.layers) {
    const known = await compressed.find(layer.digest);
    if (known && (await blobs.has(known))) {
      await verifyBlob(image.layout, layer, signal);
      layers.push(known);
      continue;
    }
    const written = await blobs.writeStream(gzip(image.layout.openBlob(layer, signal)));
    const fresh: Descriptor = { mediaType: mediaTypes.layerGzip, ...written };
    await compressed.remember(layer.digest, fresh);
    layers.push(fresh);
  }
  const manifest: ImageManifest = { schemaVersion: 2, mediaType: mediaTypes.manifest, config, layers };
  return blobs.writeBytes(JSON.stringify(manifest, null, 2), mediaTypes.manifest);
}

/** A layer that need not be compressed again must still be what its digest says. */
async function verifyBlob(layout: OciLayout, layer: Descriptor, signal?: AbortSignal): Promise<void> {
  for await (const _ of layout.openBlob(layer, signal));
}
