import { infrastructureError } from "../errors.ts";
import { canonicalJson } from "../json.ts";
import { openLayer } from "../oci/layer.ts";
import { isDigest } from "../oci/digest.ts";
import type { ContentReader, Descriptor } from "../oci/types.ts";
import { flattenLayers } from "./flatten.ts";
import { groupHardLinks, type LayerEntries, readLayerEntries } from "./layer-entries.ts";
import { readImage, type ResolvedImage } from "./resolve.ts";
import { compareConfigs } from "./runtime-config.ts";
import { compareTrees } from "./tree-differences.ts";
import { type ComparedImage, type Difference, type PlatformComparison, platformLevels } from "./types.ts";

/** One side: an image's descriptor and where it is read. */
export interface Side {
  readonly reader: ContentReader;
  readonly descriptor: Descriptor;
}

/**
 * Compares two images of one platform at every level. Layers that both sides share as
 * blobs are not read for `layers`; of others it is checked that they unpack to the diffIDs
 * that their configs claim, so that no claim counts as equality.
 */
export async function comparePlatform(
  leftSide: Side,
  rightSide: Side,
  signal?: AbortSignal,
): Promise<PlatformComparison> {
  const [left, right] = [
    await readImage(leftSide.reader, leftSide.descriptor, signal),
    await readImage(rightSide.reader, rightSide.descriptor, signal),
  ];
  const differences: Difference[] = [...compareManifests(left, right), ...compareConfigs(left.config, right.config)];
  const sameManifest = left.descriptor.digest === right.descriptor.digest;
  const sameConfig = left.manifest.config.digest === right.manifest.config.digest;
  if (
    !sameConfig &&
    differences.every((difference) => difference.scope === "manifest") &&
    canonicalJson(left.config) === canonicalJson(right.config)
  ) {
    differences.push(benign("config-key-order", "config", "the same content, written otherwise"));
  }
  const sameRuntime = !differences.some((difference) => difference.weight === "unexplained");
  const sameLayers =
    left.diffIds.length === right.diffIds.length &&
    left.diffIds.every((diffId, position) => diffId === right.diffIds[position]);
  let sameEntries = sameLayers;
  let sameTree = sameLayers;
  if (sameLayers) await verifyUnsharedLayers(leftSide, left, rightSide, right, signal);
  else {
    const cache = new Map<string, Promise<LayerEntries>>();
    const leftLayers = await readLayers(leftSide, left, cache, signal);
    const rightLayers = await readLayers(rightSide, right, cache, signal);
    const entryDifferences = compareLayers(leftLayers, rightLayers);
    sameEntries =
      leftLayers.length === rightLayers.length &&
      entryDifferences.every((difference) => difference.weight === "benign");
    const treeDifferences = sameEntries
      ? []
      : compareTrees(flattenLayers(leftLayers.map(entriesOf)), flattenLayers(rightLayers.map(entriesOf)), "filesystem");
    sameTree = treeDifferences.length === 0;
    // what the flattened trees say is said once; below that it is a matter of layering
    differences.push(...entryDifferences.filter((difference) => difference.weight === "benign"), ...treeDifferences);
    if (sameTree && !sameEntries)
      differences.push(
        benign("layer-split", "layers", `${leftLayers.length} layers and ${rightLayers.length}, the same tree`),
      );
  }
  const levels = {
    manifest: sameManifest,
    config: sameConfig && sameLayers,
    layers: sameLayers && sameRuntime,
    entries: sameEntries && sameRuntime,
    filesystem: sameTree && sameRuntime,
  };
  return {
    platform: left.platform,
    level: platformLevels.find((level) => levels[level]) ?? "different",
    levels,
    differences,
    unexplained: differences
      .filter((difference) => difference.weight === "unexplained")
      .reduce((sum, difference) => sum + difference.count, 0),
    left: describeImage(left),
    right: describeImage(right),
  };
}

function compareManifests(left: ResolvedImage, right: ResolvedImage): Difference[] {
  const [a, b] = [left.manifest, right.manifest];
  const differences: Difference[] = [];
  if (a.mediaType !== b.mediaType)
    differences.push(benign("media-type", "manifest", `${a.mediaType ?? "none"} and ${b.mediaType ?? "none"}`));
  if (canonicalJson(a.annotations ?? {}) !== canonicalJson(b.annotations ?? {}))
    differences.push(benign("manifest-annotations", "manifest", "other annotations"));
  const compressed = a.layers.flatMap((layer, position) =>
    layer.digest === b.layers[position]?.digest || left.diffIds[position] !== right.diffIds[position]
      ? []
      : [`layer ${position}`],
  );
  if (compressed.length > 0)
    differences.push({
      ...benign("layer-compression", "manifest", "the same tar, compressed otherwise"),
      count: compressed.length,
      paths: compressed,
    });
  return differences;
}

/** Reads layers whose blobs differ although their diffIDs are said to be equal. */
async function verifyUnsharedLayers(
  leftSide: Side,
  left: ResolvedImage,
  rightSide: Side,
  right: ResolvedImage,
  signal?: AbortSignal,
): Promise<void> {
  for (const [position, a] of left.manifest.layers.entries()) {
    const b = right.manifest.layers[position];
    if (!b || a.digest === b.digest) continue;
    await verifyDiffId(leftSide.reader, a, left.diffIds[position], signal);
    await verifyDiffId(rightSide.reader, b, right.diffIds[position], signal);
  }
}

async function verifyDiffId(
  reader: ContentReader,
  layer: Descriptor,
  claimed: string | undefined,
  signal?: AbortSignal,
): Promise<void> {
  const open = openLayer(reader, layer, signal);
  for await (const _ of open.chunks);
  requireDiffId(open.diffId(), claimed, reader, layer);
}

function requireDiffId(actual: string, claimed: string | undefined, reader: ContentReader, layer: Descriptor): void {
  if (actual === claimed) return;
  throw infrastructureError(
    `${reader.name}: the layer ${layer.digest} unpacks to ${actual}, and its config claims ${claimed}: no runtime would run this image`,
  );
}

/** A layer that both sides have is read once. */
async function readLayers(
  side: Side,
  image: ResolvedImage,
  cache: Map<string, Promise<LayerEntries>>,
  signal?: AbortSignal,
): Promise<LayerEntries[]> {
  const layers: LayerEntries[] = [];
  for (const [position, layer] of image.manifest.layers.entries()) {
    const key = `${layer.digest} ${layer.mediaType}`;
    const reading = cache.get(key) ?? readLayerEntries(side.reader, layer, signal);
    cache.set(key, reading);
    const entries = await reading;
    requireDiffId(entries.diffId, image.diffIds[position], side.reader, layer);
    layers.push(entries);
  }
  return layers;
}

function compareLayers(left: readonly LayerEntries[], right: readonly LayerEntries[]): Difference[] {
  const differences: Difference[] = [];
  for (const [position, a] of left.entries()) {
    const b = right[position];
    if (!b || a.diffId === b.diffId) continue;
    const found = compareTrees(groupHardLinks(a.entries), groupHardLinks(b.entries), "entries");
    differences.push(...found);
    if (found.length > 0) continue;
    const layer = `layer ${position}`;
    if (a.times !== b.times)
      differences.push({ ...benign("layer-times", "layers", "other file times"), paths: [layer] });
    if (a.order !== b.order)
      differences.push({ ...benign("layer-order", "layers", "entries in another order"), paths: [layer] });
    if (a.dialect !== b.dialect)
      differences.push({ ...benign("tar-dialect", "layers", `${a.dialect} and ${b.dialect}`), paths: [layer] });
  }
  return differences;
}

function entriesOf(layer: LayerEntries): LayerEntries["entries"] {
  return layer.entries;
}

function describeImage(image: ResolvedImage): ComparedImage {
  const { descriptor, manifest, diffIds } = image;
  const layers = manifest.layers.map((layer, position) => {
    const diffId = diffIds[position] ?? "";
    if (!isDigest(diffId))
      throw infrastructureError(`${descriptor.digest} has a diffID that is no sha256 digest: ${diffId.slice(0, 100)}`);
    return { digest: layer.digest, diffId, size: layer.size, mediaType: layer.mediaType };
  });
  return { manifest: descriptor.digest, config: manifest.config.digest, layers };
}

function benign(name: string, scope: Difference["scope"], detail: string): Difference {
  return { class: name, scope, count: 1, paths: [], detail, weight: "benign" };
}
