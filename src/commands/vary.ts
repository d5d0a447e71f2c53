import { variationTexts } from "../build/variations.ts";
import { findRoot, listRecipes } from "../recipe/load.ts";
import { selectReleases } from "../recipe/range.ts";
import { type Variation, variations } from "../recipe/variations.ts";
import type { KnownDependence } from "../rebuild/vary-known.ts";
import { isAsNamed, type VariedPlatform, varyRelease } from "../rebuild/vary-release.ts";
import { plainText } from "../report/text.ts";
import { type CliContext, type CommonFlags, runCommand } from "./context.ts";
import { withFactory } from "./factory.ts";
import { loadInputs, readPlatforms } from "./rebuild-one.ts";

/** Flags of `refoundry vary`. */
export interface VaryFlags extends CommonFlags {
  readonly platform?: readonly string[];
}

/** How many paths are named to people. */
const mostPaths = 3;

interface VariedRelease {
  readonly release: string;
  readonly platforms: readonly VariedPlatform[];
}

/** `refoundry vary [RECIPE[@VERSION]...]`: builds again under other conditions, and names what a build depends on. */
export function vary(this: CliContext, flags: VaryFlags, ...named: readonly string[]): Promise<void> {
  return runCommand(this, flags, () =>
    withFactory(this, async (factory) => {
      const root = await findRoot(this.cwd);
      const results: VariedRelease[] = [];
      for (const argument of named.length > 0 ? named : await listRecipes(root))
        for (const { recipe, version } of await selectReleases(root, argument)) {
          const release = `${recipe}@${version}`;
          const inputs = await loadInputs(this, release);
          const { reproduce, extend } = inputs.recipe.platforms;
          const platforms = readPlatforms(flags.platform, inputs) ?? [...reproduce, ...extend];
          results.push({ release, platforms: await varyRelease(inputs, platforms, factory) });
        }
      const agree = results.every(({ platforms }) => platforms.every(isAsNamed));
      const document = { schema: "refoundry/variation/v1", variations, releases: results };
      return { text: render(results), document, exitCode: agree ? 0 : 1 };
    }),
  );
}

function render(results: readonly VariedRelease[]): string {
  const all = results.flatMap(({ platforms }) => platforms);
  const lines = results.flatMap(({ release, platforms }) =>
    platforms.map((platform) => `${plainText(release)} ${platform.platform}: ${describe(platform)}`),
  );
  const passed = all.filter(isAsNamed);
  const but = passed.filter(({ known }) => known.length > 0).length;
  const conditions = variations.map((variation) => variationTexts[variation]).join(", ");
  const sum = `${passed.length} of ${all.length} builds give the same layers under: ${conditions}`;
  return [...lines, "", `${sum}${but > 0 ? `; ${but} of them but for what their recipes name` : ""}`].join("\n");
}

function describe(platform: VariedPlatform): string {
  const { agrees, known } = platform;
  const named = known.filter(({ seen }) => seen === "as-named").map(describeNamed);
  const others = known.flatMap(describeOther);
  if (!agrees) return [describeDifference(platform), ...others, ...named.map((each) => `and ${each}`)].join("; ");
  const agreeing = `agrees${others.length > 0 ? " otherwise" : ""}`;
  return [...others, named.length > 0 ? `${agreeing} but ${named.join("; ")}` : agreeing].join("; ");
}

function describeNamed({ by, reason }: KnownDependence): string {
  return `for ${by}, as its recipe says: ${plainText(reason)}`;
}

/** What is not as the recipe says. */
function describeOther({ by, seen, named, unnamed, reason }: KnownDependence): string[] {
  if (seen === "as-named") return [];
  if (seen === "not-seen") return [`no more depends on ${by}, which its recipe names (${plainText(reason)})`];
  if (seen === "build-failed")
    return [`does not build under ${textOf(by)}, by which its recipe says that files change`];
  return [`depends on ${by} in more than its recipe says (${some(named)}): ${some(unnamed)}`];
}

function describeDifference({ varied, causes, differences }: VariedPlatform): string {
  const cause = causes.length === 0 ? "no variation alone, only several together" : causes.map(textOf).join("; ");
  if (varied === null) return `does not build; because of: ${cause}`;
  const paths = [...new Set(differences.flatMap(({ paths: seen }) => seen))];
  return `differs; because of: ${cause}${paths.length > 0 ? ` (${some(paths)})` : ""}`;
}

function some(paths: readonly string[]): string {
  const more = paths.length > mostPaths ? ` and ${paths.length - mostPaths} more` : "";
  return `${paths.slice(0, mostPaths).map(plainText).join(", ")}${more}`;
}

function textOf(variation: Variation): string {
  return `${variation} (${variationTexts[variation]})`;
}
