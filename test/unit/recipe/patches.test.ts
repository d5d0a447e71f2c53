import { chmod, lstat, mkdir, readFile, symlink, writeFile } from "node:fs/promises";
import { join } from "node:path";
import { expect, test } from "vitest";
import { formatLocation } from "../../../src/errors.ts";
import { digestOf } from "../../../src/oci/digest.ts";
import { releaseBuildKeys } from "../../../src/plan/build-inputs.ts";
import { readCatalogue } from "../../../src/plan/catalogue.ts";
import { lint } from "../../../src/recipe/lint.ts";
import { loadReleaseInputs } from "../../../src/recipe/load.ts";
import { applyPatches } from "../../../src/source/apply-patches.ts";
import { createRecipeTree, type RecipeTree, recipeTreeFiles } from "../../support/recipes.ts";
import { temporaryFolder } from "../../support/temporary.ts";

const recipePath = "recipes/images/tini/recipe.yaml";
const today = "2026-11-20";
const header = `Description: print the path that Debian builds under
 The second line is for who reads on.
Origin: other, https://git.example/fork/commit/1234
Forwarded: https://git.example/upstream/pull/7
Last-Update: 2026-11-01
---
`;
const diffOf = (path: string, from: string, to: string): string =>
  `--- a/${path}\n+++ b/${path}\n@@ -1 +1 @@\n-${from}\n+${to}\n`;

async function createPatchedTree(patch: string, list = "[patches/path.patch]"): Promise<RecipeTree> {
  const tree = await createRecipeTree();
  await tree.edit(recipePath, "args: { FLAVOUR: static }", `args: { FLAVOUR: static }\n  patches: ${list}`);
  await tree.write("recipes/images/tini/patches/path.patch", patch);
  return tree;
}

test("a release has its patches with what their headers say", async () => {
  const patch = header + diffOf("a.c", "x", "y");
  await using tree = await createPatchedTree(patch);
  const { patches } = await loadReleaseInputs(tree.root, "tini", { today });
  expect(patches).toEqual([
    {
      file: "patches/path.patch",
      digest: digestOf(patch),
      reason: "print the path that Debian builds under",
      origin: "other, https://git.example/fork/commit/1234",
      forwarded: "https://git.example/upstream/pull/7",
    },
  ]);
  expect((await lint(tree.root, { today })).map(({ message }) => message)).toEqual([]);
});

test.each([
  ["from upstream", "Subject: a fix\nOrigin: backport, commit 1234\n", "backport, commit 1234", "not-needed"],
  [
    "as git writes it",
    "From 1234 Mon Sep 17 00:00:00 2001\nFrom: A <a@example.org>\nSubject: [PATCH] a fix\nForwarded: no\n\n---\n",
    "A <a@example.org>",
    "no",
  ],
])("a header %s will do", async (_, text, origin, forwarded) => {
  await using tree = await createPatchedTree(text + diffOf("a.c", "x", "y"));
  const { patches } = await loadReleaseInputs(tree.root, "tini", { today });
  expect(patches[0]).toMatchObject({ reason: /a fix$/, origin, forwarded });
});

test.each([
  [
    "nothing of itself",
    diffOf("a.c", "Description: no header", "y"),
    [
      "1: the patch does not say why it is there",
      "1: the patch does not say where it is from",
      "1: the patch does not say whether upstream was given it",
    ],
  ],
  [
    "nothing of upstream",
    header.replace(/Forwarded.*\n/, "") + diffOf("a.c", "x", "y"),
    ["1: the patch does not say whether upstream was given it"],
  ],
  [
    "an empty field",
    header.replace(/Origin: .*/, "Origin:") + diffOf("a.c", "x", "y"),
    ["1: the patch does not say where it is from"],
  ],
  ["no change", header, ["1: the patch changes nothing"]],
])("a patch that says %s is refused, by lint and by what would build it", async (_, text, expected) => {
  await using tree = await createPatchedTree(text);
  const found = await lint(tree.root, { today });
  const place = join(tree.root, "recipes/images/tini/patches/path.patch");
  expect(found.map(({ rule, location, message }) => `${rule} ${formatLocation(location)}: ${message}`)).toEqual(
    expected.map((line) => `patch ${place}:${line}`),
  );
  await expect(loadReleaseInputs(tree.root, "tini", { today })).rejects.toThrow(expected[0]?.slice(3));
});

test("a patch that is not there, or not of the recipe's folder, is told with its place", async () => {
  await using tree = await createPatchedTree("", "[patches/gone.patch]");
  const [gone] = await lint(tree.root, { today });
  expect(gone).toMatchObject({ rule: "patch", location: { line: 11, column: 13 } });
  expect(gone?.message).toBe('the patch "patches/gone.patch": there is no such file');
  await tree.write(
    recipePath,
    recipeTreeFiles[recipePath].replace("  network", "  patches: [../x.patch, y.diff]\n  network"),
  );
  const found = await lint(tree.root, { today });
  expect(found.filter(({ severity }) => severity === "error").map(({ message }) => message)).toEqual([
    'build.patches[0]: "../x.patch" must be a path inside the recipe\'s folder',
    'build.patches[1]: "y.diff" must end in .patch',
  ]);
});

test("which patches are applied, their order and what they say are in the build key", async () => {
  const text = header + diffOf("a.c", "x", "y");
  const keyOf = async (list: string, patch = text): Promise<string | undefined> => {
    await using tree = await createPatchedTree(patch, list);
    await tree.write("recipes/images/tini/patches/2.patch", text);
    const { releases } = await readCatalogue(tree.root, [{ recipe: "tini", releases: "all" }], {}, Date.now());
    return releases[0] && releaseBuildKeys(releases[0], "builder 1").keys[0]?.buildKey;
  };
  const [one, two] = ["patches/path.patch", "patches/2.patch"];
  const keys = [
    await keyOf("[]"),
    await keyOf(`[${one}]`),
    await keyOf(`[${one}, ${two}]`),
    await keyOf(`[${two}, ${one}]`),
  ];
  keys.push(await keyOf(`[${one}]`, text.replace("+y", "+z")));
  expect(new Set(keys).size).toBe(keys.length);
});

async function createSource(): Promise<string> {
  const folder = join(await temporaryFolder(), "src");
  await mkdir(folder);
  await writeFile(join(folder, "a.c"), "one\n");
  await chmod(join(folder, "a.c"), 0o755);
  return folder;
}

const patch = (file: string) => ({ file, digest: digestOf(""), reason: "r", origin: "o", forwarded: "no" });
const { signal } = new AbortController();

test("patches are applied in order, and the tree is sealed as staging seals it", async () => {
  const folder = await createSource();
  const patches = await temporaryFolder();
  await writeFile(join(patches, "2.patch"), header + diffOf("a.c", "one", "two"));
  await writeFile(join(patches, "1.patch"), header + diffOf("a.c", "two", "three"));
  await applyPatches([patch("2.patch"), patch("1.patch")], patches, { folder, epoch: 1000 }, signal);
  expect(await readFile(join(folder, "a.c"), "utf8")).toBe("three\n");
  const stats = await lstat(join(folder, "a.c"));
  expect([stats.mtimeMs, stats.mode & 0o777]).toEqual([1_000_000, 0o755]);
});

test.each([
  ["does not apply", diffOf("a.c", "other", "y"), "patch failed: a.c:1"],
  ["leads out of the source", diffOf("../outside", "x", "y"), "invalid path '../outside'"],
  [
    "goes through a link",
    `diff --git a/link/new b/link/new\nnew file mode 100644\n--- /dev/null\n+++ b/link/new\n@@ -0,0 +1 @@\n+y\n`,
    "beyond a symbolic link",
  ],
])("a patch that %s is refused, and nothing of it is done", async (_, diff, expected) => {
  const folder = await createSource();
  const outside = await temporaryFolder();
  await symlink(outside, join(folder, "link"));
  await writeFile(join(folder, "../outside"), "x\n");
  const patches = await temporaryFolder();
  await writeFile(join(patches, "x.patch"), header + diffOf("a.c", "one", "two") + diff);
  const failure = applyPatches([patch("x.patch")], patches, { folder, epoch: 1 }, signal);
  await expect(failure).rejects.toThrow(expected);
  await expect(failure).rejects.toThrow(/^the patch x\.patch does not apply to the source/);
  expect(await readFile(join(folder, "a.c"), "utf8")).toBe("one\n");
  await expect(lstat(join(outside, "new"))).rejects.toThrow("ENOENT");
  expect(await readFile(join(folder, "../outside"), "utf8")).toBe("x\n");
});

test("a repository further up is not what is patched", async () => {
  const folder = await createSource();
  await mkdir(join(folder, "../.git/objects"), { recursive: true });
  await mkdir(join(folder, "../.git/refs"), { recursive: true });
  await writeFile(join(folder, "../.git/HEAD"), "ref: refs/heads/main\n");
  const patches = await temporaryFolder();
  await writeFile(join(patches, "1.patch"), header + diffOf("a.c", "one", "two"));
  await applyPatches([patch("1.patch")], patches, { folder, epoch: 1 }, signal);
  expect(await readFile(join(folder, "a.c"), "utf8")).toBe("two\n");
});
