import { mkdtemp, rename, rm, symlink } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { expect, test } from "vitest";
import { $ } from "zx";
import { openRevision } from "../../../src/git/revision.ts";
import { readCatalogue } from "../../../src/plan/catalogue.ts";
import { readEarlier } from "../../../src/plan/since.ts";
import type { Earlier } from "../../../src/plan/types.ts";
import { createRecipeTree, type RecipeTree, recipeTreeFiles } from "../../support/recipes.ts";
import { temporaryFolder } from "../../support/temporary.ts";

const release = "recipes/images/tini/releases/0.19.0.yaml";
const recipe = "recipes/images/tini/recipe.yaml";
const dockerfile = "recipes/images/tini/Dockerfile";

async function commit(folder: string): Promise<void> {
  const env = { ...process.env, GIT_CONFIG_GLOBAL: "/dev/null", GIT_CONFIG_SYSTEM: "/dev/null" };
  const git = $({ cwd: folder, env, quiet: true });
  await git`git init --quiet --initial-branch=main .`;
  await git`git add .`;
  await git`git -c user.name=a -c user.email=a@example.invalid commit --quiet -m ${"the factory"}`;
}

/** What is known of each release as it was at the commit. */
async function earlier(root: string, revision = "HEAD"): Promise<Record<string, Earlier>> {
  const { releases, problems } = await readCatalogue(root, [{ recipe: "tini", releases: "all" }], {}, Date.now());
  expect(problems).toEqual([]);
  const read = await readEarlier(await openRevision(root, revision), releases, await temporaryFolder());
  const found = await Promise.all(releases.map(async (item) => [item.release.version, await read(item)] as const));
  return Object.fromEntries(found);
}

async function contextNow(tree: RecipeTree): Promise<string | undefined> {
  return (await readCatalogue(tree.root, [{ recipe: "tini", releases: "all" }], {}, Date.now())).releases[0]
    ?.contextDigest;
}

test("what is as it was is said to be so, without a checkout", async () => {
  await using tree = await createRecipeTree();
  await commit(tree.root);
  expect((await earlier(tree.root))["0.19.0"]).toMatchObject({
    state: "there",
    inputs: { context: await contextNow(tree), epoch: 1_587_291_300, args: { FLAVOUR: "static" } },
    files: [],
  });
});

test("releases, inputs, platforms and files as they were, whether the change is in a commit, staged or neither", async () => {
  await using tree = await createRecipeTree();
  const before = await contextNow(tree);
  await commit(tree.root);
  await tree.edit(release, "epoch: 1587291300", "epoch: 1587291301");
  await tree.edit(recipe, "FLAVOUR: static", "FLAVOUR: dynamic");
  await tree.edit(recipe, "extend: [linux/riscv64]", "extend: [linux/riscv64, linux/386]");
  await tree.write("recipes/images/tini/new.patch", "untracked");
  await tree.write("recipes/images/tini/releases/0.20.0.yaml", recipeTreeFiles[release].replace("0.19.0", "0.20.0"));
  const found = await earlier(tree.root);
  expect(found["0.20.0"]).toEqual({ state: "absent" });
  const expected = {
    state: "there",
    inputs: { epoch: 1_587_291_300, args: { FLAVOUR: "static" }, context: before },
    platforms: ["linux/amd64", "linux/arm64", "linux/riscv64"],
    files: ["new.patch"],
  };
  expect(found["0.19.0"]).toMatchObject(expected);
  await commit(tree.root);
  expect((await earlier(tree.root, "main~1"))["0.19.0"]).toMatchObject(expected);
  expect((await earlier(tree.root))["0.19.0"]).toMatchObject({ inputs: { epoch: 1_587_291_301 }, files: [] });
});

test("content that is no text, links and executable bits are as they were", async () => {
  await using tree = await createRecipeTree();
  await tree.write("recipes/images/tini/data.bin", new Uint8Array([0, 255, 13, 10, 128]));
  await symlink("Dockerfile", join(tree.root, "recipes/images/tini/link"));
  const before = await contextNow(tree);
  await commit(tree.root);
  await tree.write(dockerfile, `${recipeTreeFiles[dockerfile]}# more\n`);
  expect((await earlier(tree.root))["0.19.0"]).toMatchObject({ inputs: { context: before }, files: ["Dockerfile"] });
  expect(await contextNow(tree)).not.toBe(before);
});

test("a factory in a folder of a larger repository, and in a linked work tree", async () => {
  await using tree = await createRecipeTree();
  const top = await mkdtemp(join(tmpdir(), "refoundry-git-"));
  try {
    await rename(tree.root, join(top, "factory"));
    await commit(top);
    await $({ cwd: top, quiet: true })`git worktree add --quiet -b other ../${`${top.split("/").at(-1)}-linked`}`;
    const linked = `${top}-linked`;
    try {
      for (const root of [join(top, "factory"), join(linked, "factory")]) {
        const { appendFile } = await import("node:fs/promises");
        await appendFile(join(root, dockerfile), "# more\n");
        expect((await earlier(root))["0.19.0"]).toMatchObject({ state: "there", files: ["Dockerfile"] });
      }
    } finally {
      await rm(linked, { recursive: true });
    }
  } finally {
    await rename(join(top, "factory"), tree.root);
    await rm(top, { recursive: true });
  }
});

test("a recipe that was not there, or is as today's rules do not allow", async () => {
  await using tree = await createRecipeTree();
  const text = recipeTreeFiles[recipe];
  await tree.edit(recipe, "network: none", "network: host");
  await commit(tree.root);
  await tree.write(recipe, text);
  expect((await earlier(tree.root))["0.19.0"]).toEqual({ state: "unreadable" });
  await using other = await createRecipeTree();
  const files = ["recipes/images/tini", "kept"].map((path) => join(other.root, path)) as [string, string];
  await rename(...files);
  await commit(other.root);
  await rename(files[1], files[0]);
  expect((await earlier(other.root))["0.19.0"]).toEqual({ state: "absent" });
});

test.each(["no-such-branch", "--output=x", "", "HEAD:recipes"])("%j is no revision", async (revision) => {
  await using tree = await createRecipeTree();
  await commit(tree.root);
  await expect(openRevision(tree.root, revision)).rejects.toMatchObject({
    kind: "usage",
    problems: [{ message: expect.stringContaining("git knows no revision") }],
  });
});

test("a folder in no repository is said to be so", async () => {
  await expect(openRevision(await temporaryFolder(), "HEAD")).rejects.toThrow(/is in no git repository/);
});
