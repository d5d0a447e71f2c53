// Writes the table of recipes, platforms and verdicts into the README, from what the
// releases record. The docs check holds it against them.
import { readFile, writeFile } from "node:fs/promises";
import { listRecipes, listReleases, loadRecipeForVersion, loadRelease } from "../src/recipe/load.ts";
import { type Recorded, renderRecordedTable } from "../src/report/recorded-table.ts";

const root = new URL("../", import.meta.url).pathname;
const readmePath = `${root}README.md`;
const begin = "<!-- catalogue: written by npm run catalogue -->";
const end = "<!-- end of catalogue -->";

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
  return `${before}${begin}\n\n${renderRecordedTable(all)}\n${end}${after}`;
}

if (import.meta.main) await writeFile(readmePath, await readmeWithCatalogue());
