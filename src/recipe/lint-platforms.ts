import { formatLocation } from "../errors.ts";
import { knownPlatforms, type PlatformName, parsePlatform, platformName } from "../oci/platform.ts";
import type { LocatedDocument } from "./document.ts";
import type { Report } from "./lint-rules.ts";
import type { Recipe, Release } from "./schema.ts";
import { didYouMean, quoted } from "./words.ts";
import type { DocumentPath } from "./yaml-tree.ts";

/** Tells of platforms in a recipe that are well formed but that nobody makes images for. */
export function checkPlatformNames(recipe: LocatedDocument<Recipe>, report: Report): void {
  const { reproduce, extend, omit } = recipe.value.platforms;
  const named: readonly (readonly [PlatformName, DocumentPath])[] = [
    ...reproduce.map((name, index) => [name, ["platforms", "reproduce", index]] as const),
    ...extend.map((name, index) => [name, ["platforms", "extend", index]] as const),
    ...omit.map(({ platform }, index) => [platform, ["platforms", "omit", index, "platform"]] as const),
  ];
  for (const [name, path] of named) {
    if (knownPlatforms.has(name)) continue;
    const short = platformName(parsePlatform(name));
    const hint = short === name ? (didYouMean(name, [...knownPlatforms]) ?? "check its spelling") : `write ${short}`;
    const message =
      short === name
        ? `${quoted(name)} is no platform that images are made for`
        : `${quoted(name)} is ${short}, and indexes call it that`;
    report("platform-unknown", { message, location: recipe.locate(path), hint });
  }
}

/** Tells of platforms that a recipe leaves out of what upstream has, where there is no upstream. */
export function checkOmitted(recipe: LocatedDocument<Recipe>, report: Report): void {
  const { platforms, upstream } = recipe.value;
  if (!("none" in upstream) || platforms.omit.length === 0) return;
  report("platform-omitted", {
    message: "nothing can be left out of an image of our own, which no upstream has for any platform",
    location: recipe.locate(["platforms", "omit"], "key"),
    hint: "remove it; a platform that is not under extend is not built",
  });
}

/** Tells of digests that a release expects of platforms which its recipe does not build. */
export function checkExpected(
  recipe: LocatedDocument<Recipe>,
  release: LocatedDocument<Release>,
  report: Report,
): void {
  const { expect } = release.value;
  if (!expect) return;
  const { reproduce, extend } = recipe.value.platforms;
  const hint = `record them anew: refoundry rebuild ${recipe.value.image}@${release.value.version} --record`;
  for (const name of Object.keys(expect.platforms) as PlatformName[]) {
    if (reproduce.includes(name) || extend.includes(name)) continue;
    const place = formatLocation(recipe.locate(["platforms"], "key"));
    const location = release.locate(["expect", "platforms", name], "key");
    report("platform-expected", {
      message: `expect.platforms has ${name}, which the recipe does not build (${place})`,
      location,
      hint,
    });
  }
}
