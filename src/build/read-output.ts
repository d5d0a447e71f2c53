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

/** An image that another may be built on: its layers, and every time in its config. */
export interface BaseImage {
  readonly diffIds: readonly Digest[];
  readonly times: readonly string[];
}

/**
 * Reads the OCI layout that buildx exported and checks what makes it reproducible: one
 * image manifest, uncompressed layers that BuildKit says it clamped to the epoch, and no
 * other time in the config. BuildKit only warns in its daemon's log when it did not.
 * `bases` are images that it may be built on: BuildKit leaves their layers and history as
 * they are, and they are pinned.
 */
export async function readBuildOutput(
  folder: string,
  platform: PlatformName,
  epoch: number,
  bases: readonly BaseImage[] = [],
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
  const below = bases.filter(({ diffIds }) => liesOn(diffIds, manifest));
  const ofBase = Math.max(0, ...below.map(({ diffIds }) => diffIds.length));
  const ofBases = new Set(below.flatMap(({ times }) => times.map((time) => Date.parse(time))));
  for (const [position, layer] of manifest.layers.entries()) {
    checkLayer(layer, position, platform);
    if (position >= ofBase) checkClamped(layer, position, epoch, platform);
    if (parsed.rootfs.diff_ids[position] !== layer.digest) {
      throw infrastructureError(`layer ${position} for ${platform} is not the one its config names: ${layer.digest}`);
    }
  }
  const expected = configTime(epoch);
  const times = [parsed.created, ...(parsed.history ?? []).map((step) => step.created)];
  const isLate = (time: number): boolean => time > epoch * 1000 && !ofBases.has(time);
  const late = times.find((time) => time !== undefined && isLate(Date.parse(time)));
  if (late !== undefined)
    throw infrastructureError(
      `the config for ${platform} carries the time ${late}, later than ${expected}: the builder ignored SOURCE_DATE_EPOCH`,
    );
  return { layout, manifest, config };
}

function liesOn(diffIds: readonly Digest[], { layers }: ImageManifest): boolean {
  return diffIds.every((diffId, position) => layers[position]?.digest === diffId);
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
