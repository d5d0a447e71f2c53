import { canonicalJson } from "../json.ts";
import { isIndex } from "../oci/copy-image.ts";
import type { PlatformName } from "../oci/platform.ts";
import type { Descriptor } from "../oci/types.ts";
import { comparePlatform } from "./compare-platform.ts";
import { type ImageSource, type ResolvedPlatforms, resolvePlatforms } from "./resolve.ts";
import { type Comparison, type Level, type PlatformComparison, platformLevels } from "./types.ts";

/**
 * Compares two images or indexes, platform by platform, at every level. Children are
 * matched by platform, not by position. When each side has one image, the two are
 * compared whatever their platforms. The same inputs give the same result, byte for byte.
 * Throws an infrastructure error when something cannot be read or is not what its digest says.
 */
export async function compareImages(
  left: ImageSource,
  right: ImageSource,
  options: { readonly signal?: AbortSignal } = {},
): Promise<Comparison> {
  const { signal } = options;
  const [a, b] = [await resolvePlatforms(left, signal), await resolvePlatforms(right, signal)];
  const bothIndexes = isIndex(left.descriptor) && isIndex(right.descriptor);
  const bothSingle = !isIndex(left.descriptor) && !isIndex(right.descriptor);
  const platforms: PlatformComparison[] = [];
  for (const [mine, theirs, platform] of bothSingle ? pairSingles(a, b) : pairByPlatform(a, b)) {
    const sides = [
      { reader: left.reader, descriptor: mine },
      { reader: right.reader, descriptor: theirs },
    ] as const;
    platforms.push({ ...(await comparePlatform(...sides, signal)), platform });
  }
  const unmatched = (mine: ResolvedPlatforms, theirs: ResolvedPlatforms): PlatformName[] =>
    bothSingle ? [] : [...mine.manifests.keys()].filter((platform) => !theirs.manifests.has(platform)).toSorted();
  const [onlyLeft, onlyRight] = [unmatched(a, b), unmatched(b, a)];
  const sameIndex = left.descriptor.digest === right.descriptor.digest;
  const sameCore = a.core.length > 0 && canonicalJson(a.core) === canonicalJson(b.core);
  return {
    schema: "refoundry/comparison/v1",
    left: left.name ?? nameOf(left),
    right: right.name ?? nameOf(right),
    level:
      bothIndexes && sameIndex
        ? "index"
        : bothIndexes && sameCore
          ? "index-core"
          : weakest(platforms, bothIndexes ? onlyLeft.length + onlyRight.length : 0),
    ...(bothIndexes && { levels: { index: sameIndex, "index-core": sameCore } }),
    platforms,
    onlyLeft,
    onlyRight,
  };
}

/** The two images by platform, in the order of their names. */
function pairByPlatform(a: ResolvedPlatforms, b: ResolvedPlatforms): [Descriptor, Descriptor, PlatformName][] {
  return [...a.manifests]
    .flatMap(([platform, mine]): [Descriptor, Descriptor, PlatformName][] => {
      const theirs = b.manifests.get(platform);
      return theirs ? [[mine, theirs, platform]] : [];
    })
    .toSorted(([, , x], [, , y]) => (x < y ? -1 : 1));
}

function pairSingles(a: ResolvedPlatforms, b: ResolvedPlatforms): [Descriptor, Descriptor, PlatformName][] {
  const [[platform, mine] = [], [, theirs] = []] = [[...a.manifests][0], [...b.manifests][0]];
  return platform !== undefined && mine && theirs ? [[mine, theirs, platform]] : [];
}

/** The strongest level that every platform reaches; a platform without a counterpart reaches none. */
function weakest(platforms: readonly PlatformComparison[], unmatched: number): Level {
  if (platforms.length === 0 || unmatched > 0) return "different";
  const rank = (level: PlatformComparison["level"]): number =>
    level === "different" ? platformLevels.length : platformLevels.indexOf(level);
  return platforms.map((platform) => platform.level).toSorted((x, y) => rank(y) - rank(x))[0] ?? "different";
}

function nameOf(source: ImageSource): string {
  return `${source.reader.name}@${source.descriptor.digest}`;
}
