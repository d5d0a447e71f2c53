import type { PlatformName } from "../oci/platform.ts";
import { checkWaivers } from "./checks.ts";
import type { LocatedDocument } from "./document.ts";
import type { Report } from "./lint-rules.ts";
import type { Recipe } from "./schema.ts";
import { didYouMean, quoted } from "./words.ts";

/** What a recipe's waivers are checked against. */
export interface WaiverChecks {
  /** `YYYY-MM-DD`, by which waivers expire. */
  readonly today: string;
  /** The classes that a waiver may be for; any when absent. */
  readonly classes?: readonly string[];
  /** The platforms that any version of the recipe is built for. */
  readonly built: ReadonlySet<PlatformName>;
}

const soonDays = 30;

/** Tells of waivers that have ended or soon will, and of those that can cover nothing. */
export function lintWaivers(recipe: LocatedDocument<Recipe>, checks: WaiverChecks, report: Report): void {
  const { today, classes, built } = checks;
  report("waiver-expired", ...checkWaivers(recipe, today));
  const soon = new Date(Date.parse(today) + soonDays * 24 * 60 * 60 * 1000).toISOString().slice(0, 10);
  for (const [index, waiver] of recipe.value.waivers.entries()) {
    if (classes && !classes.includes(waiver.class)) {
      report("waiver-class", {
        message: `${quoted(waiver.class)} is no class of differences`,
        location: recipe.locate(["waivers", index, "class"]),
        hint: didYouMean(waiver.class, classes) ?? "refoundry classes lists them",
      });
    }
    for (const [at, platform] of (waiver.platforms ?? []).entries()) {
      if (built.has(platform)) continue;
      report("waiver-platform", {
        message: `the waiver for ${waiver.class} is for ${platform}, which the recipe does not build`,
        location: recipe.locate(["waivers", index, "platforms", at]),
        hint: `it builds ${[...built].toSorted().join(", ")}`,
      });
    }
    if (waiver.expires < today || waiver.expires > soon) continue;
    report("waiver-expiring", {
      message: `the waiver for ${waiver.class} expires on ${waiver.expires}`,
      location: recipe.locate(["waivers", index, "expires"]),
      hint: `${waiver.owner} decides whether its reason still holds`,
    });
  }
}

/** Tells of known dependences of builds that there are none of. */
export function lintDependences(recipe: LocatedDocument<Recipe>, { built }: WaiverChecks, report: Report): void {
  for (const [index, { by, platforms = [] }] of recipe.value.varies.entries())
    for (const [at, platform] of platforms.entries()) {
      if (built.has(platform)) continue;
      report("varies-platform", {
        message: `the dependence on ${by} is named for ${platform}, which the recipe does not build`,
        location: recipe.locate(["varies", index, "platforms", at]),
        hint: `it builds ${[...built].toSorted().join(", ")}`,
      });
    }
}

/** The platforms that a recipe builds, for whichever of its versions. */
export function platformsOfAnyVersion({ platforms, versions }: Recipe): ReadonlySet<PlatformName> {
  return new Set(
    [platforms, ...versions.map((entry) => entry.platforms ?? {})].flatMap(({ reproduce = [], extend = [] }) => [
      ...reproduce,
      ...extend,
    ]),
  );
}
