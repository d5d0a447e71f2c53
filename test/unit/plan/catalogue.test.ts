import { utimes } from "node:fs/promises";
import { join } from "node:path";
import { expect, test } from "vitest";
import { type Catalogue, type CatalogueMemory, readCatalogue } from "../../../src/plan/catalogue.ts";
import { createRecipeTree, recipeTreeFiles } from "../../support/recipes.ts";

const all = [{ recipe: "tini", releases: "all" }] as const;
const release = "recipes/images/tini/releases/0.19.0.yaml";
const recipe = "recipes/images/tini/recipe.yaml";
/** Long after the files were written, so that they count as settled. */
const later = (): number => Date.now() + 3_600_000;

async function again(root: string, memory: CatalogueMemory): Promise<Catalogue> {
  // what is kept goes through JSON
  return readCatalogue(root, all, JSON.parse(JSON.stringify(memory)) as CatalogueMemory, later());
}

test("what was read once is not read again, and is the same", async () => {
  await using tree = await createRecipeTree();
  const first = await readCatalogue(tree.root, all, {}, later());
  expect(first).toMatchObject({ fresh: true, problems: [], releases: [{ toolchain: "packages" }] });
  const second = await again(tree.root, first.memory);
  expect(second.fresh).toBe(false);
  expect(second.releases).toEqual(first.releases);
});

test.each([
  ["the recipe", recipe, "FLAVOUR: static", "FLAVOUR: dynamic"],
  ["the release", release, "epoch: 1587291300", "epoch: 1587291301"],
  ["the Dockerfile", "recipes/images/tini/Dockerfile", "make", "cake"],
  ["the source", "vendor-sources/tini.yaml", "MIT", "GPL"],
  ["the toolchain", "recipes/toolchains/debian-c/toolchain.yaml", "make, ", ""],
  ["the lock", "recipes/toolchains/debian-c/locks/trixie-20260912.yaml", "4.4.1-2", "4.4.1-3"],
])("when %s changes, it is read again", async (_, path, from, to) => {
  await using tree = await createRecipeTree();
  const first = await readCatalogue(tree.root, all, {}, later());
  // of the same length, and with the same times: only the system's own time of change tells
  const time = new Date(1_700_000_000_000);
  await utimes(await tree.edit(path, from, to), time, time);
  const second = await again(tree.root, first.memory);
  expect(second.fresh).toBe(true);
  const anew = await readCatalogue(tree.root, all, {}, later());
  expect(second.releases).toEqual(anew.releases);
});

test("a mistake made since is found, with its place, and so is one in what several name", async () => {
  await using tree = await createRecipeTree();
  const { memory } = await readCatalogue(tree.root, all, {}, later());
  await tree.edit(release, "epoch: 1587291300", "epoch: -1");
  const broken = await again(tree.root, memory);
  expect(broken.problems[0]?.location).toMatchObject({ line: 6, column: 10 });
  await tree.write(release, recipeTreeFiles[release]);
  await tree.remove("recipes/toolchains/debian-c/locks/trixie-20260912.yaml");
  expect((await again(tree.root, memory)).problems[0]?.message).toMatch(/has no lock/);
});

test("a file that was written this moment is not believed to stay", async () => {
  await using tree = await createRecipeTree();
  const { memory } = await readCatalogue(tree.root, all, {}, Date.now());
  expect((await again(tree.root, memory)).fresh).toBe(true);
});

test("memory that is damaged or of other rules counts for nothing", async () => {
  await using tree = await createRecipeTree();
  const { memory, releases } = await readCatalogue(tree.root, all, {}, later());
  const damaged = JSON.parse(JSON.stringify(memory).replaceAll('"epoch":1587291300', '"epoch":"soon"'));
  const second = await again(tree.root, damaged);
  expect(second).toMatchObject({ fresh: true, problems: [] });
  expect(second.releases).toEqual(releases);
});

test("the newest, one version, or all; every mistake of every recipe at once", async () => {
  await using tree = await createRecipeTree();
  const text = recipeTreeFiles[release];
  for (const version of ["0.9.0", "0.20.0"])
    await tree.write(`recipes/images/tini/releases/${version}.yaml`, text.replace('"0.19.0"', `"${version}"`));
  const versions = async (releases: "all" | "newest" | { version: string }): Promise<string[]> =>
    (await readCatalogue(tree.root, [{ recipe: "tini", releases }], {}, later())).releases.map(
      (item) => item.release.version,
    );
  expect(await versions("all")).toEqual(["0.9.0", "0.19.0", "0.20.0"]);
  expect(await versions("newest")).toEqual(["0.20.0"]);
  expect(await versions({ version: "0.9.0" })).toEqual(["0.9.0"]);
  for (const version of ["0.9.0", "0.20.0"])
    await tree.edit(`recipes/images/tini/releases/${version}.yaml`, "epoch: 1587291300", "epoch: x");
  const selections = [...all, { recipe: "timi", releases: "newest" as const }];
  const { problems } = await readCatalogue(tree.root, selections, {}, later());
  expect(problems.map(({ message }) => message).join("\n")).toMatch(
    /epoch.*\n.*epoch.*\n.*no recipe "timi"|no recipe "timi".*\n.*epoch.*\n.*epoch/,
  );
});

test("memory of some releases grows with others, and is not lost", async () => {
  await using tree = await createRecipeTree();
  const newer = recipeTreeFiles[release].replace('"0.19.0"', '"0.20.0"');
  const first = await readCatalogue(tree.root, all, {}, later());
  await tree.write(join("recipes/images/tini/releases", "0.20.0.yaml"), newer);
  const second = await again(tree.root, first.memory);
  expect(second).toMatchObject({ fresh: true });
  expect((await again(tree.root, second.memory)).fresh).toBe(false);
});
