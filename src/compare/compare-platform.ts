import { infrastructureError } from "../errors.ts";
import { canonicalJson } from "../json.ts";
import { openLayer } from "../oci/layer.ts";
import { isDigest } from "../oci/digest.ts";
import type { ContentReader, Descriptor } from "../oci/types.ts";
import { flattenLayers } from "./flatten.ts";
import { compareManifests, benign } from "./manifests.ts";
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
    const treeDifferences = compareTrees(
      flattenLayers(leftLayers.map(entriesOf)),
      flattenLayers(rightLayers.map(entriesOf)),
      "filesystem",
    );
    sameTree = treeDifferences.length === 0;
    // where an entry is given twice or through a link, its order counts: the tree has the last word
    sameEntries =
      sameTree &&
      leftLayers.length === rightLayers.length &&
      entryDifferences.every((difference) => difference.weight === "benign");
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
    if (!b || (a.digest === b.digest && a.mediaType === b.mediaType)) continue;
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
  const told = new Map<string, { readonly detail: string; readonly layers: string[] }>();
  const tell = (name: string, detail: string, layer: string): void => {
    const known = told.get(name);
    if (known) known.layers.push(layer);
    else told.set(name, { detail, layers: [layer] });
  };
  for (const [position, a] of left.entries()) {
    const b = right[position];
    if (!b || a.diffId === b.diffId) continue;
    const found = compareTrees(groupHardLinks(a.entries), groupHardLinks(b.entries), "entries");
    differences.push(...found);
    if (found.length > 0) continue;
    const layer = `layer ${position}`;
    if (a.times !== b.times) tell("layer-times", "other file times", layer);
    if (a.order !== b.order) tell("layer-order", "entries in another order", layer);
    if (a.dialect !== b.dialect) tell("tar-dialect", `${a.dialect} and ${b.dialect}`, layer);
    const isTold = a.times !== b.times || a.order !== b.order || a.dialect !== b.dialect;
    if (!isTold) tell("tar-headers", "the same entries, written otherwise", layer);
  }
  for (const [name, { detail, layers }] of told)
    differences.push({ ...benign(name, "layers", detail), count: layers.length, paths: layers.slice(0, 100) });
  return differences.toSorted((x, y) => (x.class < y.class ? -1 : x.class > y.class ? 1 : 0));
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
