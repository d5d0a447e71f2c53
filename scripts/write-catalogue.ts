// Writes the table of recipes, platforms and verdicts into the README, from what the
// releases record. The docs check holds it against them.
import { readFile, writeFile } from "node:fs/promises";
import { listRecipes, listReleases, loadRecipeForVersion, loadRelease } from "../src/recipe/load.ts";
import type { Recipe, Release } from "../src/recipe/schema.ts";

const root = new URL("../", import.meta.url).pathname;
const readmePath = `${root}README.md`;
const begin = "<!-- catalogue: written by npm run catalogue -->";
const end = "<!-- end of catalogue -->";

interface Recorded {
  readonly recipe: Recipe;
  readonly release: Release;
}

/** The README with the table as the recipes in git say. Throws when it has no place for it. */
export async function readmeWithCatalogue(): Promise<string> {
  const readme = await readFile(readmePath, "utf8");
  const [before, rest] = readme.split(begin);
  const after = rest?.split(end)[1];
  if (before === undefined || after === undefined) throw new Error(`README.md lacks "${begin}" or "${end}"`);
  const all: Recorded[] = [];
  for (const name of await listRecipes(root)) {
    for (const version of await listReleases(root, name)) {
      const recipe = await loadRecipeForVersion(root, name, version);
      all.push({ recipe, release: await loadRelease(root, name, version) });
    }
  }
  return `${before}${begin}\n\n${tableOf(all)}\n${end}${after}`;
}

function tableOf(all: readonly Recorded[]): string {
  const columns = [...new Set(all.flatMap(({ recipe }) => platformsOf(recipe)))].toSorted(byUse(all));
  const short = columns.map((platform) => platform.replace("linux/", ""));
  const rows = all.map(({ recipe, release }) => [
    recipe.image,
    release.version,
    ...columns.map((platform) => cellOf(recipe, release, platform)),
  ]);
  const lines = [["recipe", "version", ...short], short.map(() => "---").concat("---", "---"), ...rows];
  return [...lines.map((cells) => `| ${cells.join(" | ")} |`), "", rateOf(all), ""].join("\n");
}

function platformsOf({ platforms }: Recipe): readonly string[] {
  return [...platforms.reproduce, ...platforms.extend];
}

/** Platforms that most releases have come first. */
function byUse(all: readonly Recorded[]): (a: string, b: string) => number {
  const uses = (platform: string): number => all.filter(({ recipe }) => platformsOf(recipe).includes(platform)).length;
  return (a, b) => uses(b) - uses(a) || (a < b ? -1 : 1);
}

function cellOf(recipe: Recipe, release: Release, platform: string): string {
  if (!platformsOf(recipe).includes(platform)) return "";
  const recorded = release.expect?.platforms[platform as keyof typeof release.expect.platforms];
  if (!recorded?.verdict) return "not recorded";
  if (recorded.verdict === "extended") return "added";
  return recorded.level && recorded.level !== recorded.verdict
    ? `${recorded.verdict} (${recorded.level})`
    : recorded.verdict;
}

function rateOf(all: readonly Recorded[]): string {
  const verdicts = all.flatMap(({ release }) =>
    Object.values(release.expect?.platforms ?? {}).flatMap(({ verdict }) => verdict ?? []),
  );
  const compared = verdicts.filter((verdict) => verdict !== "extended");
  const count = (wanted: string): number => compared.filter((verdict) => verdict === wanted).length;
  const share = (wanted: string): string =>
    `${count(wanted)} ${wanted} (${compared.length === 0 ? 0 : Math.round((count(wanted) / compared.length) * 100)} %)`;
  const added = verdicts.length - compared.length;
  return (
    `Of ${compared.length} images that upstream has: ${["identical", "equivalent", "drift", "different"].map(share).join(", ")}. ` +
    `${added} more are for platforms that upstream never released.`
  );
}

if (import.meta.main) await writeFile(readmePath, await readmeWithCatalogue());
