import pLimit from "p-limit";
import { infrastructureError } from "../errors.ts";
import type { OciLayout } from "./layout.ts";
import { type PlatformName, platformName } from "./platform.ts";
import { type ContentReader, type Descriptor, type ImageIndex, type ImageManifest, mediaTypes } from "./types.ts";

const indexTypes: ReadonlySet<string> = new Set([mediaTypes.index, mediaTypes.dockerIndex]);

/** Whether a descriptor is of an image index or a Docker manifest list. */
export function isIndex(descriptor: Descriptor): boolean {
  return indexTypes.has(descriptor.mediaType);
}

/**
 * Copies one platform's image, manifest and blobs, into a layout; what is there already
 * is not read. `descriptor` may be an index, whose child for `platform` is taken.
 * Returns the manifest's descriptor.
 */
export async function copyImage(
  from: ContentReader,
  descriptor: Descriptor,
  to: OciLayout,
  options: {
    readonly platform: PlatformName;
    readonly signal?: AbortSignal;
    readonly onBlob?: (blob: Descriptor) => void;
  },
): Promise<Descriptor> {
  const { signal } = options;
  const bytes = await from.readDocument(descriptor, signal);
  if (isIndex(descriptor)) {
    const index = JSON.parse(Buffer.from(bytes).toString("utf8")) as ImageIndex;
    const child = index.manifests.find(
      (entry) => entry.platform !== undefined && platformName(entry.platform) === options.platform,
    );
    if (!child) {
      const has = index.manifests.flatMap((entry) => (entry.platform ? [platformName(entry.platform)] : []));
      throw infrastructureError(
        `${from.name}@${descriptor.digest} has no image for ${options.platform}; it has ${has.join(", ") || "none"}`,
      );
    }
    return copyImage(from, child, to, options);
  }
  const manifest = JSON.parse(Buffer.from(bytes).toString("utf8")) as ImageManifest;
  const limit = pLimit(3);
  await Promise.all(
    [manifest.config, ...manifest.layers].map((blob) =>
      limit(async () => {
        if (await to.has(blob)) return;
        options.onBlob?.(blob);
        await to.writeStream(from.openBlob(blob, signal), blob);
      }),
    ),
  );
  return {
    ...(await to.writeBytes(bytes, descriptor.mediaType)),
    ...(descriptor.platform && { platform: descriptor.platform }),
  };
}
