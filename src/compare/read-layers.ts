import pLimit from "p-limit";
import { runTogether } from "../concurrency.ts";
import { infrastructureError } from "../errors.ts";
import { openLayer, releaseChunk } from "../oci/layer.ts";
import type { ContentReader, Descriptor } from "../oci/types.ts";
import type { AttributeTable } from "./entry.ts";
import { type LayerEntries, readLayerEntries } from "./layer-entries.ts";
import type { ResolvedImage } from "./resolve.ts";

/** One side: an image's descriptor and where it is read. */
export interface Side {
  readonly reader: ContentReader;
  readonly descriptor: Descriptor;
}

/** An image of one side, resolved. */
export interface SideImage extends Side {
  readonly image: ResolvedImage;
}

/** A layer where one side has it. */
interface LayerBlob {
  readonly reader: ContentReader;
  readonly layer: Descriptor;
  /** As the config claims. */
  readonly diffId: string;
}

/** Decompression takes a thread of its own for each layer; more at once would only hold more memory. */
const layersAtOnce = 2;

/**
 * Reads the layers of two images: the entries of each by its diffID. What both name is
 * read once, and of layers that are said to have one diffID one is walked and the others
 * are only hashed. Throws an infrastructure error for a layer that does not unpack to the diffID that its
 * config claims.
 */
export async function readLayerPair(
  left: SideImage,
  right: SideImage,
  attributes: AttributeTable,
  signal: AbortSignal,
): Promise<ReadonlyMap<string, LayerEntries>> {
  const walks = new Map<string, LayerBlob>();
  const checks = new Map<string, LayerBlob>();
  for (const blob of inTurns(layersOf(left), layersOf(right))) {
    const walked = walks.get(blob.diffId);
    if (!walked) walks.set(blob.diffId, blob);
    else if (blobKey(walked.layer) !== blobKey(blob.layer)) checks.set(blobKey(blob.layer), blob);
  }
  const entries = new Map<string, LayerEntries>();
  const limit = pLimit(layersAtOnce);
  await runTogether(signal, [
    ...[...walks.values()].map(
      (blob) => (stop: AbortSignal) =>
        limit(async () => {
          const read = await readLayerEntries(blob.reader, blob.layer, attributes, stop);
          requireDiffId(read.diffId, blob);
          entries.set(blob.diffId, read);
        }),
    ),
    ...[...checks.values()].map((blob) => (stop: AbortSignal) => limit(() => verifyDiffId(blob, stop))),
  ]);
  return entries;
}

/** Reads layers whose blobs differ although their diffIDs are said to be equal, and throws when one lies. */
export async function verifyUnsharedLayers(left: SideImage, right: SideImage, signal: AbortSignal): Promise<void> {
  const theirs = new Set(layersOf(right).map(({ layer }) => blobKey(layer)));
  const ours = new Set(layersOf(left).map(({ layer }) => blobKey(layer)));
  const pending = [
    ...layersOf(left).filter(({ layer }) => !theirs.has(blobKey(layer))),
    ...layersOf(right).filter(({ layer }) => !ours.has(blobKey(layer))),
  ];
  const limit = pLimit(layersAtOnce);
  await runTogether(
    signal,
    pending.map((blob) => (stop: AbortSignal) => limit(() => verifyDiffId(blob, stop))),
  );
}

function layersOf({ reader, image }: SideImage): LayerBlob[] {
  return image.manifest.layers.map((layer, position) => ({ reader, layer, diffId: image.diffIds[position] ?? "" }));
}

/** One of each in turn, so that both sides are read side by side. */
function inTurns(left: readonly LayerBlob[], right: readonly LayerBlob[]): LayerBlob[] {
  const longest = Math.max(left.length, right.length);
  return Array.from({ length: longest }, (_, position) => [left[position], right[position]])
    .flat()
    .filter((blob) => blob !== undefined);
}

function blobKey(layer: Descriptor): string {
  return `${layer.digest} ${layer.mediaType}`;
}

async function verifyDiffId(blob: LayerBlob, signal: AbortSignal): Promise<void> {
  const open = openLayer(blob.reader, blob.layer, signal);
  for await (const chunk of open.chunks) releaseChunk(chunk);
  requireDiffId(open.diffId(), blob);
}

function requireDiffId(actual: string, { reader, layer, diffId }: LayerBlob): void {
  if (actual === diffId) return;
  throw infrastructureError(
    `${reader.name}: the layer ${layer.digest} unpacks to ${actual}, and its config claims ${diffId}: no runtime would run this image`,
  );
}
