import { mkdir } from "node:fs/promises";
import { join } from "node:path";
import { expect, test } from "vitest";
import { formatLocation } from "../../../src/errors.ts";
import { lint } from "../../../src/recipe/lint.ts";
import { createRecipeTree, type RecipeTree, recipeTreeFiles } from "../../support/recipes.ts";

const recipe = "recipes/images/tini/recipe.yaml";
const release = "recipes/images/tini/releases/0.19.0.yaml";
const lock = "recipes/toolchains/debian-c/locks/trixie-20260912.yaml";
const source = "vendor-sources/tini.yaml";
const today = "2026-11-20";

async function found(tree: RecipeTree, paths?: string[]): Promise<string[]> {
  const problems = await lint(tree.root, {
    today,
    ...(paths && { paths: paths.map((path) => join(tree.root, path)) }),
  });
  return problems.map(({ severity, location, message }) =>
    `${severity} ${formatLocation(location)}: ${message}`.replaceAll(`${tree.root}/`, ""),
  );
}

test("the tree has no problems, nor has an empty one", async () => {
  await using tree = await createRecipeTree();
  expect(await found(tree)).toEqual([]);
  for (const folder of ["recipes", "vendor-sources"]) await tree.remove(folder);
  expect(await found(tree)).toEqual([]);
});

test("everything is told at once, each once, by file and line", async () => {
  await using tree = await createRecipeTree();
  await tree.edit(recipe, "2027-06-30", "2026-11-19");
  await tree.edit(recipe, "toolchain: debian-c", "toolchain: debian-d");
  await tree.edit("recipes/images/tini/Dockerfile", "FROM scratch", "FROM busybox");
  await tree.edit(lock, "name: make", "name: gcc");
  await tree.edit(source, "https://git.example", "http://git.example");
  await tree.write(
    "recipes/images/tini/releases/0.18.0.yaml",
    recipeTreeFiles[release].replace("0.19.0", "0.18.0").replace(`    linux/arm64: sha256:${"2".repeat(64)}\n`, ""),
  );
  expect(await found(tree)).toEqual([
    'error recipes/images/tini/Dockerfile:3: FROM "busybox" is neither scratch, a stage above, toolchain nor src',
    'error recipes/images/tini/recipe.yaml:4:12: there is no toolchain "debian-d"',
    "error recipes/images/tini/recipe.yaml:22:14: the waiver for elf-build-id expired on 2026-11-19",
    "error recipes/images/tini/releases/0.18.0.yaml:14:3: upstream.manifests has no linux/arm64, which the recipe reproduces (recipes/images/tini/recipe.yaml:12:3)",
    "error recipes/toolchains/debian-c/locks/trixie-20260912.yaml:8:13: gcc:amd64 is in the lock twice",
    "warning recipes/toolchains/debian-c/toolchain.yaml:1:12: no recipe uses the toolchain debian-c",
    'error vendor-sources/tini.yaml:3:11: "http://git.example/krallin/tini" uses http://, which anyone on the way can change; use https:// or ssh://',
  ]);
});

test.each<[what: string, change: (tree: RecipeTree) => Promise<unknown>, expected: string[]]>([
  [
    "a source nobody uses",
    (tree) => tree.write("vendor-sources/other.yaml", recipeTreeFiles[source].replace("source: tini", "source: other")),
    ["warning vendor-sources/other.yaml:1:9: no recipe uses the source other"],
  ],
  [
    "a waiver that ends soon",
    (tree) => tree.edit(recipe, "2027-06-30", "2026-12-01"),
    [`warning ${recipe}:22:14: the waiver for elf-build-id expires on 2026-12-01`],
  ],
  ["no release", (tree) => tree.remove(release), [`warning ${recipe}:1:8: tini has no release yet`]],
  [
    "a lock that is not there",
    (tree) => tree.remove(lock),
    [`error ${release}:8:9: the toolchain debian-c has no lock "trixie-20260912"`],
  ],
  [
    "a fork on this machine",
    (tree) => tree.edit(source, "https://git.example/krallin/tini", "file:///srv/tini"),
    [`warning ${source}:3:11: "file:///srv/tini" is on this machine only: nobody else can fetch it`],
  ],
  [
    "a fork that looks like an option",
    (tree) => tree.edit(source, "ssh://git@git.example/forks/tini", "--upload-pack=x"),
    [`error ${source}:4:9: "--upload-pack=x" begins with -, which git would take for an option`],
  ],
  [
    "a folder without a recipe",
    (tree) => mkdir(join(tree.root, "recipes/images/empty")),
    ["error recipes/images/empty/recipe.yaml: there is no such file"],
  ],
  [
    "a folder with a bad name",
    (tree) => mkdir(join(tree.root, "recipes/images/Tini")),
    ['error recipes/images/Tini: "Tini" is not a name that a folder can have here'],
  ],
  [
    "a release that nothing reads",
    (tree) => tree.write("recipes/images/tini/releases/0.18.0.yml", "x"),
    ["warning recipes/images/tini/releases/0.18.0.yml: nothing reads this file"],
  ],
  [
    "a release with a bad name",
    (tree) => tree.write("recipes/images/tini/releases/a b.yaml", "x"),
    ['error recipes/images/tini/releases/a b.yaml: "a b" is not a name that a file can have here'],
  ],
  [
    "a recipe that cannot be read hides no other problem, and blames nobody",
    async (tree) => {
      await tree.edit(recipe, "image: tini", "image: [");
      await tree.edit(release, "a".repeat(40), "abc");
    },
    [
      `error ${recipe}:2:1: flow sequence in block collection must be sufficiently indented and end with a ]`,
      `error ${release}:3:11: source.commit: "abc" must be the full commit id of 40 hex digits, not a branch, tag or short id`,
    ],
  ],
])("%s", async (_what, change, expected) => {
  await using tree = await createRecipeTree();
  await change(tree);
  const problems = await found(tree);
  expect(problems.filter((problem) => !problem.includes("implicit") && !problem.includes("Implicit"))).toEqual(
    expected,
  );
});

test("paths choose what is told, not what is read", async () => {
  await using tree = await createRecipeTree();
  await tree.edit(recipe, "source: tini", "source: other");
  await tree.edit(release, "a".repeat(40), "abc");
  const unused = `warning ${source}:1:9: no recipe uses the source tini`;
  expect(await found(tree, ["vendor-sources"])).toEqual([unused]);
  expect(await found(tree, [source, release])).toHaveLength(2);
  expect(await found(tree, ["recipes/toolchains"])).toEqual([]);
  await expect(found(tree, ["recipes/images/tin"])).rejects.toMatchObject({ kind: "usage" });
});

test("a toolchain that no recipe uses is said, unless the factory itself builds with it", async () => {
  await using tree = await createRecipeTree();
  await tree.write(
    "recipes/toolchains/own/toolchain.yaml",
    "toolchain: own\nimage: registry.example/own@sha256:" + "a".repeat(64) + "\n",
  );
  expect(await found(tree)).toEqual([
    "warning recipes/toolchains/own/toolchain.yaml:1:12: no recipe uses the toolchain own",
  ]);
  expect(await lint(tree.root, { today, ownToolchains: ["own"] })).toEqual([]);
});
