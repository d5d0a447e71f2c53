import { isIndex } from "../oci/copy-image.ts";
import { comparePlatform } from "./compare-platform.ts";
import { type ImageSource, resolvePlatforms } from "./resolve.ts";
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
  const platforms: PlatformComparison[] = [];
  const [onlyA] = a.values();
  const [onlyB] = b.values();
  if (!isIndex(left.descriptor) && !isIndex(right.descriptor) && onlyA && onlyB) {
    platforms.push(
      await comparePlatform(
        { reader: left.reader, descriptor: onlyA },
        { reader: right.reader, descriptor: onlyB },
        signal,
      ),
    );
  } else {
    for (const platform of [...a.keys()].toSorted()) {
      const [mine, theirs] = [a.get(platform), b.get(platform)];
      if (!mine || !theirs) continue;
      const comparison = await comparePlatform(
        { reader: left.reader, descriptor: mine },
        { reader: right.reader, descriptor: theirs },
        signal,
      );
      platforms.push({ ...comparison, platform });
    }
  }
  const compared = new Set(platforms.map((comparison) => comparison.platform));
  const single =
    platforms.length === 1 && a.size === 1 && b.size === 1 && !isIndex(left.descriptor) && !isIndex(right.descriptor);
  const onlyLeft = single ? [] : [...a.keys()].filter((platform) => !compared.has(platform)).toSorted();
  const onlyRight = single ? [] : [...b.keys()].filter((platform) => !compared.has(platform)).toSorted();
  const bothIndexes = isIndex(left.descriptor) && isIndex(right.descriptor);
  const sameIndex = left.descriptor.digest === right.descriptor.digest;
  const sameCore =
    onlyLeft.length + onlyRight.length === 0 &&
    platforms.length > 0 &&
    platforms.every((platform) => platform.levels.manifest);
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
