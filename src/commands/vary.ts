import { type Variation, variations, variationTexts } from "../build/variations.ts";
import { findRoot, listRecipes } from "../recipe/load.ts";
import { selectReleases } from "../recipe/range.ts";
import { type VariedPlatform, varyRelease } from "../rebuild/vary-release.ts";
import { plainText } from "../report/text.ts";
import { type CliContext, type CommonFlags, runCommand } from "./context.ts";
import { withFactory } from "./factory.ts";
import { loadInputs, readPlatforms } from "./rebuild-one.ts";

/** Flags of `refoundry vary`. */
export interface VaryFlags extends CommonFlags {
  readonly platform?: readonly string[];
}

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
      const agree = results.every(({ platforms }) => platforms.every(({ agrees }) => agrees));
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
  const agreeing = all.filter(({ agrees }) => agrees).length;
  const conditions = variations.map((variation) => variationTexts[variation]).join(", ");
  return [...lines, "", `${agreeing} of ${all.length} builds give the same layers under: ${conditions}`].join("\n");
}

function describe({ agrees, varied, causes, differences }: VariedPlatform): string {
  if (agrees) return "agrees";
  const cause = causes.length === 0 ? "no variation alone, only several together" : causes.map(textOf).join("; ");
  const seen = differences
    .flatMap(({ paths }) => paths)
    .slice(0, 3)
    .map(plainText);
  if (varied === null) return `does not build; because of: ${cause}`;
  return `differs; because of: ${cause}${seen.length > 0 ? ` (${seen.join(", ")})` : ""}`;
}

function textOf(variation: Variation): string {
  return `${variation} (${variationTexts[variation]})`;
}
