import { usageError } from "../errors.ts";
import { canonicalJson } from "../json.ts";
import { isIndex } from "../oci/copy-image.ts";
import type { PlatformName } from "../oci/platform.ts";
import type { Descriptor } from "../oci/types.ts";
import { comparePlatform } from "./compare-platform.ts";
import type { GzipEncoder } from "./encoder/types.ts";
import type { Evidence, PlatformEvidence } from "./evidence/types.ts";
import { compareIndexes } from "./indexes.ts";
import { type ImageSource, type ResolvedPlatforms, resolvePlatforms } from "./resolve.ts";
import { type Comparison, type Level, levels, type PlatformComparison } from "./types.ts";
import { type Waiver, waiversFor } from "./waivers.ts";

/** How far images are compared. */
export interface CompareOptions {
  readonly signal?: AbortSignal;
  /** Differences that somebody answers for. */
  readonly waivers?: readonly Waiver[];
  /** The day that decides which waivers hold, `YYYY-MM-DD`; only needed with waivers. */
  readonly today?: string;
  /** Whether what differs is looked into for a proof (default), or only found. */
  readonly explain?: boolean;
  /** How many paths each difference of the trees lists; 100 by default. */
  readonly listed?: number;
  /** Encoders by which it is found who compressed a layer of which only the compression differs; slow. */
  readonly encoders?: readonly GzipEncoder[];
  /** Gets what people look at, for a page or a comment. */
  readonly onEvidence?: (evidence: Evidence) => void;
}

/**
 * Compares two images or indexes, platform by platform, at every level. Children are
 * matched by platform, not by position. When each side has one image, the two are
 * compared whatever their platforms. The same inputs give the same result, byte for byte.
 * Throws an infrastructure error when something cannot be read or is not what its digest says.
 */
export async function compareImages(
  left: ImageSource,
  right: ImageSource,
  options: CompareOptions = {},
): Promise<Comparison> {
  const {
    signal = new AbortController().signal,
    waivers = [],
    today,
    explain = true,
    listed,
    encoders,
    onEvidence,
  } = options;
  if (waivers.length > 0 && today === undefined)
    throw usageError("waivers expire, and no day is given that decides which hold");
  const evidence: PlatformEvidence[] = [];
  const [a, b] = [await resolvePlatforms(left, signal), await resolvePlatforms(right, signal)];
  const bothIndexes = isIndex(left.descriptor) && isIndex(right.descriptor);
  const bothSingle = !isIndex(left.descriptor) && !isIndex(right.descriptor);
  const platforms: PlatformComparison[] = [];
  for (const [mine, theirs, platform, judged] of bothSingle ? pairSingles(a, b) : pairByPlatform(a, b)) {
    const sides = [
      { reader: left.reader, descriptor: mine },
      { reader: right.reader, descriptor: theirs },
    ] as const;
    const compared = await comparePlatform(...sides, {
      waivers: { waivers: waiversFor(judged, waivers), today: today ?? "" },
      explain,
      ...(listed !== undefined && { listed }),
      ...(encoders && { encoders }),
      ...(onEvidence && { onEvidence: (seen) => void evidence.push({ ...seen, platform }) }),
      signal,
    });
    platforms.push({ ...compared, platform });
  }
  const unmatched = (mine: ResolvedPlatforms, theirs: ResolvedPlatforms): PlatformName[] =>
    bothSingle ? [] : [...mine.manifests.keys()].filter((platform) => !theirs.manifests.has(platform)).toSorted();
  const [onlyLeft, onlyRight] = [unmatched(a, b), unmatched(b, a)];
  onEvidence?.({ platforms: evidence });
  const sameIndex = left.descriptor.digest === right.descriptor.digest;
  const sameCore = a.core.length > 0 && canonicalJson(a.core) === canonicalJson(b.core);
  const differences = bothIndexes ? await compareIndexes(left, right, signal) : [];
  const ofPlatforms = weakest(platforms, bothIndexes ? onlyLeft.length + onlyRight.length : 0);
  const level: Level = bothIndexes && sameIndex ? "index" : bothIndexes && sameCore ? "index-core" : ofPlatforms;
  return {
    schema: "refoundry/comparison/v1",
    left: left.name ?? nameOf(left),
    right: right.name ?? nameOf(right),
    level,
    ...(bothIndexes && { levels: { index: sameIndex, "index-core": sameCore } }),
    differences,
    platforms,
    onlyLeft,
    onlyRight,
  };
}

/** Two images, the platform that they are listed under, and that of the right one, which waivers are for. */
type Pair = [Descriptor, Descriptor, PlatformName, PlatformName];

/** The two images by platform, in the order of their names. */
function pairByPlatform(a: ResolvedPlatforms, b: ResolvedPlatforms): Pair[] {
  return [...a.manifests]
    .flatMap(([platform, mine]): Pair[] => {
      const theirs = b.manifests.get(platform);
      return theirs ? [[mine, theirs, platform, platform]] : [];
    })
    .toSorted(([, , x], [, , y]) => (x < y ? -1 : 1));
}

function pairSingles(a: ResolvedPlatforms, b: ResolvedPlatforms): Pair[] {
  const [[platform, mine] = [], [judged, theirs] = []] = [[...a.manifests][0], [...b.manifests][0]];
  return platform !== undefined && mine && judged !== undefined && theirs ? [[mine, theirs, platform, judged]] : [];
}

/** The strongest level that every platform reaches; a platform without a counterpart reaches none. */
function weakest(platforms: readonly PlatformComparison[], unmatched: number): Level {
  if (platforms.length === 0 || unmatched > 0) return "different";
  const rank = (level: Level): number => levels.indexOf(level);
  return platforms.map((platform) => platform.level).toSorted((x, y) => rank(y) - rank(x))[0] ?? "different";
}

function nameOf(source: ImageSource): string {
  return `${source.reader.name}@${source.descriptor.digest}`;
}
