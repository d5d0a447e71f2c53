import { infrastructureError } from "../errors.ts";
import { canonicalJson } from "../json.ts";
import { isDigest } from "../oci/digest.ts";
import { benign } from "./benign.ts";
import { describedClasses } from "./classes/catalogue.ts";
import { layerCompression } from "./classes/manifest/layer-compression.ts";
import { tryEncoders } from "./encoder/recognise.ts";
import type { GzipEncoder } from "./encoder/types.ts";
import { createAttributeTable } from "./entry.ts";
import type { PlatformEvidence } from "./evidence/types.ts";
import { collectEvidence, documentEvidence, type FilesShown } from "./explain/collect-evidence.ts";
import type { ContentStore, ReadLayers } from "./explain/contents.ts";
import { type Explanation, explainResiduals } from "./explain/explain-residuals.ts";
import { type Finding, sumUp } from "./findings.ts";
import { flattenLayers, type Tree } from "./flatten.ts";
import { compareLayers, describeSplit } from "./layer-differences.ts";
import type { LayerEntries } from "./layer-entries.ts";
import { compareManifests } from "./manifests.ts";
import { readLayerPair, type Side, type SideImage, verifyUnsharedLayers } from "./read-layers.ts";
import { readImage, type ResolvedImage } from "./resolve.ts";
import { compareConfigs } from "./runtime-config.ts";
import { facetsOf, findResiduals, type Residual } from "./tree-residuals.ts";
import {
  type ComparedImage,
  type Difference,
  type PlatformComparison,
  type PlatformHeadline,
  platformLevels,
} from "./types.ts";
import { applyWaivers, waiveDifference, type WaiverBook } from "./waivers.ts";

/** How far a comparison goes. */
export interface PlatformOptions {
  readonly waivers: WaiverBook;
  /** Whether what differs is looked into; without it everything is `unexplained` at once. */
  readonly explain: boolean;
  /** How many paths each difference of the trees lists. */
  readonly listed?: number;
  /** Encoders by which it is found who compressed a layer of which only the compression differs. */
  readonly encoders?: readonly GzipEncoder[];
  /** Gets what people look at. */
  readonly onEvidence?: (evidence: PlatformEvidence) => void;
  readonly signal: AbortSignal;
}

/** What came of the trees. */
interface TreeComparison {
  readonly sameLayers: boolean;
  readonly sameEntries: boolean;
  readonly sameTree: boolean;
  readonly differences: readonly Difference[];
  readonly packages: Explanation["packages"];
  readonly warnings: Explanation["warnings"];
  readonly files: FilesShown;
}

const noFiles: FilesShown = { files: [], omitted: 0 };
const sameTrees = { packages: [], warnings: [], files: noFiles } as const;

/**
 * Compares two images of one platform at every level. Layers that both sides share as
 * blobs are not read for `layers`; of others it is checked that they unpack to the diffIDs
 * that their configs claim, so that no claim counts as equality.
 */
export async function comparePlatform(
  leftSide: Side,
  rightSide: Side,
  options: PlatformOptions,
): Promise<PlatformComparison> {
  const { signal, waivers } = options;
  const left = { ...leftSide, image: await readImage(leftSide.reader, leftSide.descriptor, signal) };
  const right = { ...rightSide, image: await readImage(rightSide.reader, rightSide.descriptor, signal) };
  const documents = compareDocuments(left.image, right.image).map((found) => waiveDifference(found, waivers));
  const sameRuntime = !compareDocuments(left.image, right.image).some(({ weight }) => weight === "unexplained");
  const trees = await compareTrees(left, right, options);
  const encoders = await nameEncoders(left, right, options);
  const differences = [...documents.map((found) => withEncoders(found, left, right, encoders)), ...trees.differences];
  options.onEvidence?.({
    platform: left.image.platform,
    documents: await documentEvidence(left, right, signal),
    ...trees.files,
  });
  const isExplained = differences.every(({ weight }) => weight === "benign" || weight === "explained");
  const sameConfig = left.image.manifest.config.digest === right.image.manifest.config.digest;
  const levels = {
    manifest: left.descriptor.digest === right.descriptor.digest,
    config: sameConfig && trees.sameLayers,
    layers: trees.sameLayers && sameRuntime,
    entries: trees.sameEntries && sameRuntime,
    filesystem: trees.sameTree && sameRuntime,
    explained: isExplained,
  };
  return {
    platform: left.image.platform,
    level: platformLevels.find((level) => levels[level]) ?? headlineBelow(differences),
    levels,
    differences,
    unexplained: differences.reduce((sum, { weight, count }) => sum + (weight === "unexplained" ? count : 0), 0),
    packages: trees.packages,
    normalisers: normalisersOf(differences),
    warnings: trees.warnings,
    left: describeImage(left.image, encoders),
    right: describeImage(right.image, encoders),
  };
}

function headlineBelow(differences: readonly Difference[]): PlatformHeadline {
  return differences.some(({ weight }) => weight === "unexplained") ? "different" : "drift";
}

/** What manifests and configs say differently. */
function compareDocuments(left: ResolvedImage, right: ResolvedImage): Difference[] {
  const differences = [...compareManifests(left, right), ...compareConfigs(left.config, right.config)];
  const isRewritten =
    left.manifest.config.digest !== right.manifest.config.digest &&
    differences.every((difference) => difference.scope === "manifest") &&
    canonicalJson(left.config) === canonicalJson(right.config);
  if (isRewritten) differences.push(benign("config-key-order", "config", "the same content, written otherwise"));
  return differences;
}

async function compareTrees(left: SideImage, right: SideImage, options: PlatformOptions): Promise<TreeComparison> {
  const { signal } = options;
  const [mine, theirs] = [left.image.diffIds, right.image.diffIds];
  if (mine.length === theirs.length && mine.every((diffId, position) => diffId === theirs[position])) {
    await verifyUnsharedLayers(left, right, signal);
    return { sameLayers: true, sameEntries: true, sameTree: true, differences: [], ...sameTrees };
  }
  const attributes = createAttributeTable();
  const read = await readLayerPair(left, right, attributes, signal);
  const layersOf = ({ image }: SideImage): LayerEntries[] =>
    image.diffIds.map((diffId) => {
      const layer = read.get(diffId);
      if (!layer) throw new Error(`the layer ${diffId} was not read`);
      return layer;
    });
  const [a, b] = [layersOf(left), layersOf(right)];
  const layering = compareLayers(a, b);
  const flatten = (layers: readonly LayerEntries[]): Tree =>
    flattenLayers(
      layers.map(({ entries }) => entries),
      attributes,
    );
  const [leftTree, rightTree] = [flatten(a), flatten(b)];
  const residuals = findResiduals(leftTree, rightTree);
  const sameTree = residuals.length === 0;
  // where an entry is given twice or through a link, its order counts: the tree has the last word
  const sameEntries = sameTree && layering.sameEntries;
  const differences: Difference[] = [...layering.differences];
  if (sameTree && !sameEntries) differences.push(describeSplit(a, b));
  if (sameTree) return { sameLayers: false, sameEntries, sameTree, differences, ...sameTrees };
  const sides = [
    { tree: leftTree, layers: readLayersOf(left, a) },
    { tree: rightTree, layers: readLayersOf(right, b) },
  ] as const;
  let files: FilesShown = noFiles;
  const look =
    options.onEvidence &&
    (async (found: readonly Finding[], store: ContentStore) => {
      files = await collectEvidence(residuals, found, store);
    });
  const judge = (found: readonly Finding[]): Finding[] =>
    found.map((finding) => applyWaivers(finding, options.waivers));
  const explanation: Explanation = options.explain
    ? await explainResiduals(residuals, ...sides, { judge, ...(look && { look }) }, signal)
    : { findings: judge(unexplained(residuals)), packages: [], warnings: [] };
  differences.push(...sumUp(explanation.findings, options.listed));
  const { packages, warnings } = explanation;
  return { sameLayers: false, sameEntries: false, sameTree: false, differences, packages, warnings, files };
}

/** What differs, as long as nobody looks into it. */
function unexplained(residuals: readonly Residual[]): Finding[] {
  return residuals.flatMap((residual) =>
    facetsOf(residual).map(
      (facet): Finding => ({ ...facet, scope: "filesystem", path: `/${residual.path}`, weight: "unexplained" }),
    ),
  );
}

function readLayersOf({ reader, image }: SideImage, read: readonly LayerEntries[]): ReadLayers {
  return {
    reader,
    layers: image.manifest.layers.map((layer, position) => ({ layer, entries: read[position]?.entries ?? [] })),
  };
}

/** The classes that an explanation rests on, with the versions of their normalisers. */
function normalisersOf(differences: readonly Difference[]): PlatformComparison["normalisers"] {
  const proved = differences.filter(({ proof }) => proof === "normalised-equal").map((found) => found.class);
  return [...new Set(proved)]
    .toSorted()
    .map((name) => ({ class: name, version: describedClasses.get(name)?.version ?? 1 }));
}

/** Encoders by the digest of the blob that they give. */
type NamedEncoders = ReadonlyMap<string, string>;

/** Finds who compressed the layers that have one diffID and two digests, by compressing them again. */
async function nameEncoders(left: SideImage, right: SideImage, options: PlatformOptions): Promise<NamedEncoders> {
  const { encoders, signal } = options;
  const named = new Map<string, string>();
  if (!encoders) return named;
  for (const [position, a] of left.image.manifest.layers.entries()) {
    const b = right.image.manifest.layers[position];
    if (!b || a.digest === b.digest || left.image.diffIds[position] !== right.image.diffIds[position]) continue;
    for (const [{ reader }, layer] of [
      [left, a],
      [right, b],
    ] as const) {
      if (named.has(layer.digest)) continue;
      const { recognised } = await tryEncoders(() => reader.openBlob(layer, signal), encoders, { signal });
      named.set(layer.digest, recognised ? [recognised.name, ...recognised.alsoBy].join(" or ") : "unknown");
    }
  }
  return named;
}

function withEncoders(difference: Difference, left: SideImage, right: SideImage, encoders: NamedEncoders): Difference {
  if (difference.class !== layerCompression.name || encoders.size === 0) return difference;
  const names = ({ image }: SideImage): string =>
    [...new Set(image.manifest.layers.flatMap(({ digest }) => encoders.get(digest) ?? []))].join(", ");
  return { ...difference, detail: `${difference.detail}: by ${names(left)}, and by ${names(right)}` };
}

function describeImage(image: ResolvedImage, encoders: NamedEncoders): ComparedImage {
  const { descriptor, manifest, diffIds } = image;
  const layers = manifest.layers.map((layer, position) => {
    const diffId = diffIds[position] ?? "";
    if (!isDigest(diffId))
      throw infrastructureError(`${descriptor.digest} has a diffID that is no sha256 digest: ${diffId.slice(0, 100)}`);
    const { digest, size, mediaType } = layer;
    const encoder = encoders.get(digest);
    return { digest, diffId, size, mediaType, ...(encoder !== undefined && { encoder }) };
  });
  return { manifest: descriptor.digest, config: manifest.config.digest, layers };
}
