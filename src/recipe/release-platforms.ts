import type { PlatformName } from "../oci/platform.ts";
import type { Recipe, Release } from "./schema.ts";

/**
 * The platforms of one release. They are the recipe's, but a release that was recorded
 * stays what it was when the recipe gains some later: a platform that upstream had not
 * released yet is one that we added to it, or is not of it at all; and one for which a
 * base that it pins has no image is not of it either.
 */
export function platformsOf(recipe: Recipe, release: Release): Recipe["platforms"] {
  const { reproduce, extend, omit } = recipe.platforms;
  if (!release.expect) return recipe.platforms;
  const wasBuilt = (platform: PlatformName): boolean => release.expect?.platforms[platform] !== undefined;
  const upstreamHas = (platform: PlatformName): boolean => release.upstream.manifests[platform] !== undefined;
  const bases = Object.values(release.contexts ?? {}).flatMap((pin) => ("recipe" in pin ? [pin.recipe.manifests] : []));
  const hasBases = (platform: PlatformName): boolean => bases.every((manifests) => manifests[platform] !== undefined);
  return {
    reproduce: reproduce.filter((platform) => upstreamHas(platform) && (wasBuilt(platform) || hasBases(platform))),
    extend: [
      ...extend.filter((platform) => wasBuilt(platform) || hasBases(platform)),
      ...reproduce.filter((platform) => !upstreamHas(platform) && wasBuilt(platform)),
    ],
    omit,
  };
}

/** The recipe as it is for one release: with the platforms of {@link platformsOf}. */
export function recipeOf(recipe: Recipe, release: Release): Recipe {
  return { ...recipe, platforms: platformsOf(recipe, release) };
}
