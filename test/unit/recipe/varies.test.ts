import { expect, test } from "vitest";
import { formatLocation } from "../../../src/errors.ts";
import { releaseBuildKeys } from "../../../src/plan/build-inputs.ts";
import { readCatalogue } from "../../../src/plan/catalogue.ts";
import { checksOf } from "../../../src/plan/since.ts";
import { planFixes } from "../../../src/recipe/fix.ts";
import { lint } from "../../../src/recipe/lint.ts";
import { loadReleaseInputs } from "../../../src/recipe/load.ts";
import { dependencesFor } from "../../../src/recipe/variations.ts";
import { createRecipeTree, type RecipeTree, recipeTreeFiles } from "../../support/recipes.ts";

const recipePath = "recipes/images/tini/recipe.yaml";
const today = "2026-11-20";
const path = { by: "path", paths: ["/tini"], reason: "it says where it was built" } as const;

/** The tree's recipe with more at its end. */
async function createTree(text: string): Promise<RecipeTree> {
  const tree = await createRecipeTree();
  await tree.write(recipePath, `${recipeTreeFiles[recipePath]}${text}`);
  return tree;
}

async function found(tree: RecipeTree): Promise<string[]> {
  const problems = await lint(tree.root, { today });
  return problems.map(({ rule, severity, location, message, hint }) =>
    `${rule} ${severity} ${formatLocation(location)}: ${message}${hint === undefined ? "" : ` | ${hint}`}`.replaceAll(
      `${tree.root}/recipes/images/tini/`,
      "",
    ),
  );
}

const entry = (by: string, platforms?: string): string =>
  `  - { by: ${by}, paths: [/tini]${platforms === undefined ? "" : `, platforms: [${platforms}]`}, reason: it says where it was built }\n`;

test.each<[what: string, text: string, expected: string[]]>([
  ["what is well said", `varies:\n${entry("path")}${entry("cpus", "linux/riscv64")}`, []],
  [
    "one condition for other platforms each",
    `varies:\n${entry("path", "linux/amd64")}${entry("path", "linux/arm64")}`,
    [],
  ],
  [
    "an unknown condition",
    `varies:\n${entry("weather")}`,
    [
      'schema error recipe.yaml:24:11: varies[0].by: "weather" must be one of hostname, path, locale, timezone, umask, cpus',
    ],
  ],
  [
    "a platform that is not built",
    `varies:\n${entry("path", "linux/amd64, linux/s390x")}`,
    [
      "varies-platform error recipe.yaml:24:58: the dependence on path is named for linux/s390x, which the recipe does not build | it builds linux/amd64, linux/arm64, linux/riscv64",
    ],
  ],
  [
    "a condition twice",
    `varies:\n${entry("path")}${entry("umask")}${entry("path", "linux/arm64")}`,
    ['schema error recipe.yaml:26:11: varies[2].by: "path" is named twice for the same platform'],
  ],
  [
    "platforms out of order",
    `varies:\n${entry("path", "linux/arm64, linux/amd64")}`,
    [expect.stringMatching(/^platform-order warning recipe.yaml:24:\d+: varies\[0\].platforms is not sorted/)],
  ],
  [
    "a path of the config, and no reason",
    "varies:\n  - { by: path, paths: [config.Env] }\n",
    [
      expect.stringContaining('varies[0].paths[0]: "config.Env" must be an absolute path'),
      expect.stringContaining('the key "reason" is missing'),
    ],
  ],
  [
    "a condition of some versions that is unknown",
    `versions:\n  - range: "0.*"\n    varies: [{ by: load, paths: [/tini], reason: r }]\n`,
    [expect.stringContaining('recipe.yaml:25:20: versions[0].varies[0].by: "load" must be one of hostname')],
  ],
])("lint of %s", async (_, text, expected) => {
  await using tree = await createTree(text);
  expect((await found(tree)).toSorted()).toEqual(expected.toSorted());
});

test("lists of platforms are sorted by --fix", () => {
  const text = `${recipeTreeFiles[recipePath]}varies:\n${entry("path", "linux/arm64, linux/amd64")}`;
  expect(planFixes(text, "recipe").text).toContain("platforms: [linux/amd64, linux/arm64]");
});

test("what is named for some versions takes the place of what the recipe names, and a template's holds where it names nothing", async () => {
  await using tree = await createTree(
    `varies:\n${entry("umask")}versions:\n  - range: "0.*"\n    varies:\n    ${entry("path")}`,
  );
  const { recipe } = await loadReleaseInputs(tree.root, "tini", { version: "0.19.0", today });
  expect(recipe.varies).toEqual([path]);
  await tree.write("recipes/templates/c.yaml", `varies:\n${entry("path")}`);
  await tree.write(recipePath, `inherits: c\n${recipeTreeFiles[recipePath]}`);
  const inherited = await loadReleaseInputs(tree.root, "tini", { version: "0.19.0", today });
  expect(inherited.recipe.varies).toEqual([path]);
});

test("what a build depends on is in no build key, and nothing is judged anew for it", async () => {
  await using before = await createRecipeTree();
  await using after = await createTree(`varies:\n${entry("path")}`);
  const [a, b] = await Promise.all(
    [before, after].map(async ({ root }) => {
      const selections = [{ recipe: "tini", releases: "all" }] as const;
      const [release] = (await readCatalogue(root, selections, {}, Date.now() + 3_600_000)).releases;
      if (!release) throw new Error("the tree has no release");
      return {
        named: release.recipe.varies.length,
        keys: releaseBuildKeys(release, "builder 1"),
        checks: checksOf(release.recipe),
      };
    }),
  );
  expect([a?.named, b?.named]).toEqual([0, 1]);
  expect(b?.keys).toEqual(a?.keys);
  expect(b?.checks).toBe(a?.checks);
});

test("a platform has the dependences that are for it, and those for all", () => {
  const umask = { ...path, by: "umask", platforms: ["linux/arm64"] } as const;
  const all = [path, { ...umask, platforms: [...umask.platforms] }].map((each) => ({ ...each, paths: ["/tini"] }));
  const names = (platform: "linux/amd64" | "linux/arm64") => dependencesFor(platform, all).map(({ by }) => by);
  expect(names("linux/amd64")).toEqual(["path"]);
  expect(names("linux/arm64")).toEqual(["path", "umask"]);
});
