import { usageError } from "../errors.ts";
import { isPlatformName, knownPlatforms, type PlatformName, platformSlug } from "../oci/platform.ts";
import { releaseTag } from "../publish/release-tags.ts";
import { didYouMean, quoted } from "../recipe/words.ts";
import type { ReleaseInputs } from "./types.ts";

/** A release with platforms that its recipe does not have, and the tag that this goes out under. */
export interface ExtendedRelease {
  readonly inputs: ReleaseInputs;
  readonly tag: string;
}

/**
 * A release as if its recipe added platforms: an old one for a machine of today, say.
 * The recipe and the release stay as they are, and so does the release's own tag: the
 * larger index gets one of its own, and no tag that follows the newest release moves.
 * Throws a usage error for what is no platform, one that the recipe has, or one that it leaves
 * out though upstream has it.
 */
export function extendRelease(inputs: ReleaseInputs, platforms: readonly string[]): ExtendedRelease {
  const { recipe, release } = inputs;
  const known: readonly PlatformName[] = [...recipe.platforms.reproduce, ...recipe.platforms.extend];
  const added = [...new Set(platforms)].toSorted().map((platform) => {
    if (!isPlatformName(platform) || !knownPlatforms.has(platform))
      throw usageError(`${quoted(platform)} is no platform that images are made for`, {
        hint: didYouMean(platform, [...knownPlatforms]) ?? "as in linux/riscv64 or linux/arm/v7",
      });
    if (known.includes(platform)) throw usageError(`${recipe.image} has ${platform} already`);
    const omitted = recipe.platforms.omit.find((each) => each.platform === platform);
    if (omitted)
      throw usageError(`${recipe.image} leaves ${platform} out, which upstream has: ${omitted.reason}`, {
        hint: "what upstream released is reproduced, under platforms.reproduce, and never replaced",
      });
    return platform;
  });
  const extend = [...recipe.platforms.extend, ...added];
  return {
    inputs: {
      ...inputs,
      recipe: { ...recipe, platforms: { ...recipe.platforms, extend }, tags: { floating: [] } },
    },
    tag: [releaseTag(release.version), "with", ...added.map(platformSlug)].join("-"),
  };
}
