import { configTime, readManifest } from "../oci/manifest.ts";
import { z } from "zod";
import { infrastructureError } from "../errors.ts";
import { type Digest, isDigest } from "../oci/digest.ts";
import { openLayout, type OciLayout } from "../oci/layout.ts";
import type { PlatformName } from "../oci/platform.ts";
import { type Descriptor, type ImageManifest, mediaTypes } from "../oci/types.ts";

const rewrittenAnnotation = "buildkit/rewritten-timestamp";

/** What buildx wrote: one image of one platform. */
export interface BuiltImage {
  readonly layout: OciLayout;
  readonly manifest: ImageManifest;
  /** The config's bytes as BuildKit wrote them. */
  readonly config: Uint8Array;
}

const configSchema = z.looseObject({
  created: z.string().optional(),
  architecture: z.string(),
  os: z.string(),
  rootfs: z.object({ diff_ids: z.array(z.string()) }),
  history: z.array(z.object({ created: z.string().optional() })).optional(),
});

/**
 * Reads the OCI layout that buildx exported and checks what makes it reproducible: one
 * image manifest, uncompressed layers that BuildKit says it clamped to the epoch, and no
 * other time in the config. BuildKit only warns in its daemon's log when it did not.
 * `bases` are the layers (diffIDs) of images that it may be built on: BuildKit leaves
 * those as they are, and they are pinned.
 */
export async function readBuildOutput(
  folder: string,
  platform: PlatformName,
  epoch: number,
  bases: readonly (readonly Digest[])[] = [],
): Promise<BuiltImage> {
  const layout = await openLayout(folder);
  const index = await layout.readIndex();
  const [descriptor, ...others] = index.manifests;
  if (!descriptor || others.length > 0 || descriptor.mediaType !== mediaTypes.manifest) {
    throw infrastructureError(
      `buildx exported ${index.manifests.length} manifests for ${platform}; one image manifest was asked for`,
    );
  }
  const manifest = await readManifest(layout, descriptor);
  const config = await layout.readDocument(manifest.config);
  const parsed = configSchema.parse(JSON.parse(Buffer.from(config).toString("utf8")));
  const ofBase = Math.max(0, ...bases.map((base) => sharedLayers(base, manifest)));
  for (const [position, layer] of manifest.layers.entries()) {
    checkLayer(layer, position, platform);
    if (position >= ofBase) checkClamped(layer, position, epoch, platform);
    if (parsed.rootfs.diff_ids[position] !== layer.digest) {
      throw infrastructureError(`layer ${position} for ${platform} is not the one its config names: ${layer.digest}`);
    }
  }
  const expected = configTime(epoch);
  const times = [parsed.created, ...(parsed.history ?? []).map((step) => step.created)];
  const late = times.find((time) => time !== undefined && Date.parse(time) > epoch * 1000);
  if (late !== undefined)
    throw infrastructureError(
      `the config for ${platform} carries the time ${late}, later than ${expected}: the builder ignored SOURCE_DATE_EPOCH`,
    );
  return { layout, manifest, config };
}

/** How many layers an image has from one that it is built on: all of that, or none. */
function sharedLayers(base: readonly Digest[], { layers }: ImageManifest): number {
  return base.every((diffId, position) => layers[position]?.digest === diffId) ? base.length : 0;
}

function checkLayer(layer: Descriptor, position: number, platform: PlatformName): void {
  if (layer.mediaType !== mediaTypes.layer || !isDigest(layer.digest)) {
    throw infrastructureError(
      `layer ${position} for ${platform} is ${layer.mediaType}; an uncompressed OCI layer was asked for`,
    );
  }
}

function checkClamped(layer: Descriptor, position: number, epoch: number, platform: PlatformName): void {
  if (layer.annotations?.[rewrittenAnnotation] !== String(epoch)) {
    throw infrastructureError(`layer ${position} for ${platform} was not clamped to SOURCE_DATE_EPOCH ${epoch}`, {
      hint: "the builder must be BuildKit 0.13 or later; refoundry doctor shows what it is",
    });
  }
}
