import { execFile } from "node:child_process";
import { mkdir, mkdtemp, readFile, rename, rm, symlink } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { promisify } from "node:util";
import { expect, test } from "vitest";
import { RefoundryError } from "../../../src/errors.ts";
import {
  findRoot,
  listRecipes,
  listReleases,
  loadRecipe,
  loadRelease,
  loadReleaseInputs,
  loadSource,
  loadToolchain,
  loadToolchainLock,
  parseRecipeArgument,
} from "../../../src/recipe/load.ts";
import { createRecipeTree, type RecipeTree, recipeTreeFiles } from "../../support/recipes.ts";

const recipe = "recipes/images/tini/recipe.yaml";
const release = "recipes/images/tini/releases/0.19.0.yaml";
const toolchain = "recipes/toolchains/debian-c/toolchain.yaml";
const lock = "recipes/toolchains/debian-c/locks/trixie-20260912.yaml";
const source = "vendor-sources/tini.yaml";
const today = { today: "2026-11-20" };

async function failure(work: Promise<unknown>): Promise<string> {
  const error: unknown = await work.then(
    () => undefined,
    (reason: unknown) => reason,
  );
  if (!(error instanceof RefoundryError)) throw new Error(`not a RefoundryError: ${String(error)}`);
  expect(error.kind).toBe("usage");
  return error.message;
}

/** What loading the tree's release says, file names from its root. */
async function inputsFailure(tree: RecipeTree, version?: string): Promise<string> {
  return (
    await failure(loadReleaseInputs(tree.root, "tini", { ...(version !== undefined && { version }), ...today }))
  ).replaceAll(`${tree.root}/`, "");
}

test("a release is loaded with all it names", async () => {
  await using tree = await createRecipeTree();
  const inputs = await loadReleaseInputs(tree.root, "tini", today);
  expect(inputs.recipe.platforms.extend).toEqual(["linux/riscv64"]);
  expect(inputs.release.version).toBe("0.19.0");
  expect(inputs.source.import.kind).toBe("git");
  expect(inputs.toolchain.toolchain).toBe("debian-c");
  expect(inputs.toolchainLock?.packages).toHaveLength(2);
  expect(inputs.dockerfile).toEqual({
    path: join(inputs.dockerfile.folder, "Dockerfile"),
    folder: join(tree.root, "recipes/images/tini"),
    ofOtherVersions: new Set(),
  });
});

test("each file can be loaded alone", async () => {
  await using tree = await createRecipeTree();
  expect((await loadRecipe(tree.root, "tini")).build.args).toEqual({ FLAVOUR: "static" });
  expect((await loadRelease(tree.root, "tini", "0.19.0")).source.epoch).toBe(1587291300);
  expect((await loadSource(tree.root, "tini")).licence).toBe("MIT");
  expect((await loadToolchain(tree.root, "debian-c")).toolchain).toBe("debian-c");
  expect((await loadToolchainLock(tree.root, "debian-c", "trixie-20260912")).suite).toBe("trixie");
});

test("without a version, the newest release is chosen by number", async () => {
  await using tree = await createRecipeTree();
  for (const version of ["0.9.0", "0.100.0", "0.20.0-rc1"]) {
    await tree.write(
      `recipes/images/tini/releases/${version}.yaml`,
      recipeTreeFiles[release].replace("0.19.0", version),
    );
  }
  await tree.write("recipes/images/tini/releases/.left-over.tmp", "x");
  expect(await listReleases(tree.root, "tini")).toEqual(["0.9.0", "0.19.0", "0.20.0-rc1", "0.100.0"]);
  expect((await loadReleaseInputs(tree.root, "tini", today)).release.version).toBe("0.100.0");
});

test("recipes are listed by name; a folder that is no recipe is not passed over", async () => {
  await using tree = await createRecipeTree();
  await mkdir(join(tree.root, "recipes/images/broken"));
  await tree.write("recipes/images/README.md", "about");
  expect(await listRecipes(tree.root)).toEqual(["broken", "tini"]);
  expect(await failure(loadRecipe(tree.root, "broken"))).toContain("broken/recipe.yaml: there is no such file");
});

test.each<[what: string, change: (tree: RecipeTree) => Promise<unknown>, expected: string]>([
  [
    "no source",
    (tree) => tree.edit(recipe, "source: tini", "source: tiny"),
    `${recipe}:3:9: there is no source "tiny"\n  did you mean "tini"?\n  write vendor-sources/tiny.yaml`,
  ],
  [
    "no toolchain",
    (tree) => tree.edit(recipe, "debian-c", "debain-c"),
    `${recipe}:4:12: there is no toolchain "debain-c"\n  did you mean "debian-c"?\n  write recipes/toolchains/debain-c/toolchain.yaml`,
  ],
  [
    "no lock",
    (tree) => tree.edit(release, "trixie-20260912", "trixie-20260921"),
    `${release}:8:9: the toolchain debian-c has no lock "trixie-20260921"\n  did you mean "trixie-20260912"?\n  to make a lock: refoundry toolchain lock debian-c`,
  ],
  [
    "no Dockerfile",
    (tree) => tree.remove("recipes/images/tini/Dockerfile"),
    `${recipe}:8:15: the Dockerfile "Dockerfile" is not in the recipe's folder\n  put it beside`,
  ],
  [
    "Dockerfile a folder",
    (tree) =>
      tree
        .remove("recipes/images/tini/Dockerfile")
        .then(() => mkdir(join(tree.root, "recipes/images/tini/Dockerfile"))),
    `${recipe}:8:15: "Dockerfile" is not a regular file`,
  ],
  [
    "Dockerfile elsewhere by a link",
    (tree) =>
      rename(join(tree.root, "recipes/images/tini/Dockerfile"), join(tree.root, "Dockerfile")).then(() =>
        symlink("../../../Dockerfile", join(tree.root, "recipes/images/tini/Dockerfile")),
      ),
    `${recipe}:8:15: "Dockerfile" leads out of the recipe's folder`,
  ],
  [
    "recipe of another name",
    (tree) => tree.edit(recipe, "image: tini", "image: tinny"),
    `${recipe}:1:8: image: "tinny" is not the name of its folder, "tini"`,
  ],
  [
    "release of another version",
    (tree) => tree.edit(release, "0.19.0", "0.19.1"),
    `${release}:1:10: version: "0.19.1" is not the name of its file, "0.19.0"`,
  ],
  [
    "source of another name",
    (tree) => tree.edit(source, "source: tini", "source: other"),
    `${source}:1:9: source: "other" is not the name of its file, "tini"`,
  ],
  [
    "expired waiver",
    (tree) => tree.edit(recipe, "2027-06-30", "2026-11-19"),
    `${recipe}:22:14: the waiver for elf-build-id expired on 2026-11-19`,
  ],
  [
    "manifest missing",
    (tree) => tree.edit(release, `    linux/arm64: sha256:${"2".repeat(64)}\n`, ""),
    `${release}:14:3: upstream.manifests has no linux/arm64, which the recipe reproduces (${recipe}:12:3)\n  if the recipe is right, write the release anew: refoundry pin tini 0.19.0`,
  ],
  [
    "manifest too many",
    (tree) => tree.edit(recipe, "[linux/amd64, linux/arm64]", "[linux/amd64]"),
    `${release}:16:5: upstream.manifests has linux/arm64, which the recipe does not reproduce`,
  ],
  [
    "lock of another digest",
    (tree) => tree.edit(lock, "d".repeat(64), "9".repeat(64)),
    `${release}:9:11: toolchain.digest is not the digest that the lock trixie-20260912 gives`,
  ],
  [
    "no lock named",
    (tree) => tree.edit(release, "  lock: trixie-20260912\n", ""),
    `${release}:7:1: toolchain.lock is missing`,
  ],
  [
    "pinned image with a lock",
    (tree) => tree.write(toolchain, `toolchain: debian-c\nimage: r.example/go@sha256:${"d".repeat(64)}\n`),
    `${release}:8:9: toolchain.lock is given, and the toolchain is a pinned image`,
  ],
  [
    "package twice",
    (tree) => tree.edit(lock, "name: make", "name: gcc"),
    `${lock}:8:13: gcc:amd64 is in the lock twice`,
  ],
  [
    "package for another machine",
    (tree) => tree.edit(lock, 'version: "4.4.1-2", architecture: amd64', 'version: "4.4.1-2", architecture: s390x'),
    `${lock}:8:13: make:s390x is for none of the lock's architectures: amd64, all, arm64`,
  ],
  [
    "Debian upstream not pinned",
    (tree) =>
      tree.edit(
        recipe,
        "image: registry.example/library/tini",
        "debian: { package: tini, suite: trixie, files: { /tini: /usr/bin/tini }, entrypoint: [/tini] }",
      ),
    `${release}:10:1: upstream.debian is missing`,
  ],
  [
    "Debian source not pinned",
    (tree) => tree.edit(source, "{ kind: git }", "{ kind: debian, package: tini, suite: trixie }"),
    `${release}:2:1: source.debian is missing: the source is imported from a Debian package (${source}:5:1)`,
  ],
])("%s", async (_what, change, expected) => {
  await using tree = await createRecipeTree();
  await change(tree);
  const message = await inputsFailure(tree);
  expect(message.slice(0, expected.length)).toBe(expected);
});

test("a toolchain that is a pinned image needs no lock, and the same digest", async () => {
  await using tree = await createRecipeTree();
  await tree.write(toolchain, `toolchain: debian-c\nimage: r.example/go@sha256:${"d".repeat(64)}\n`);
  await tree.edit(release, "  lock: trixie-20260912\n", "");
  expect(await loadReleaseInputs(tree.root, "tini", { version: "0.19.0", ...today })).not.toHaveProperty(
    "toolchainLock",
  );
  await tree.edit(toolchain, "d".repeat(64), "9".repeat(64));
  expect(await inputsFailure(tree)).toContain(
    `${release}:8:11: toolchain.digest is not the digest of the toolchain's image`,
  );
});

const packageLine = (platform: string): string =>
  `    - { path: pool/t.deb, size: 1, sha256: ${"f".repeat(64)}, platform: ${platform}, version: "1" }\n`;

test("packages of a Debian upstream cover each platform once", async () => {
  await using tree = await createRecipeTree();
  await tree.edit(
    recipe,
    "image: registry.example/library/tini",
    "debian: { package: tini, suite: trixie, files: { /tini: /usr/bin/tini }, entrypoint: [/tini] }",
  );
  const pinned = (platforms: string[]): Promise<string> =>
    tree.write(release, `${recipeTreeFiles[release]}  debian:\n${platforms.map(packageLine).join("")}`);
  await pinned(["linux/amd64", "linux/amd64", "linux/s390x"]);
  const message = await inputsFailure(tree);
  expect(message).toContain(`${release}:17:3: upstream.debian has no package tini for linux/arm64`);
  expect(message).toContain(`${release}:19:`);
  expect(message).toContain("upstream.debian has tini for linux/amd64 twice");
  expect(message).toContain("upstream.debian has linux/s390x, which the recipe does not reproduce");
  await pinned(["linux/amd64", "linux/arm64"]);
  expect(
    (await loadReleaseInputs(tree.root, "tini", { version: "0.19.0", ...today })).release.upstream.debian,
  ).toHaveLength(2);
});

test("a waiver holds through its last day", async () => {
  await using tree = await createRecipeTree();
  const inputs = await loadReleaseInputs(tree.root, "tini", { today: "2027-06-30" });
  expect(inputs.recipe.waivers).toHaveLength(1);
});

test("problems of several files come in one error", async () => {
  await using tree = await createRecipeTree();
  await tree.edit(recipe, "2027-06-30", "2020-01-01");
  await tree.edit(release, "a".repeat(40), "abc");
  await tree.edit(source, "licence: MIT\n", "");
  const message = await inputsFailure(tree);
  for (const place of [
    `${recipe}:22:14: the waiver`,
    `${release}:3:11: source.commit`,
    `${source}:1:1: the key "licence"`,
  ]) {
    expect(message).toContain(place);
  }
});

test("what is not there is told with what is", async () => {
  await using tree = await createRecipeTree();
  expect(await failure(loadReleaseInputs(tree.root, "tiny", today))).toContain(
    'there is no recipe "tiny"\n  did you mean "tini"?\n',
  );
  expect(await inputsFailure(tree, "0.19.1")).toBe(
    'recipes/images/tini/releases: tini has no release "0.19.1"\n  did you mean "0.19.0"?\n  to make it: refoundry pin tini 0.19.1',
  );
  await tree.remove(release);
  expect(await inputsFailure(tree)).toBe("tini has no release yet\n  write the first one: refoundry pin tini VERSION");
});

test.each(["../tini", "tini/../tini", "/etc", "", ".", "..", "Tini", "ti\0ni", "-tini"])(
  "%j is refused as a name before any file is looked at",
  async (name) => {
    await using tree = await createRecipeTree();
    for (const work of [loadRecipe, loadSource, loadToolchain, listReleases]) {
      expect(await failure(work(tree.root, name))).toContain("is not the name of a");
    }
  },
);

test.each(["../0.19.0", "a/b", "", "..", ".hidden", "0\n1"])("%j is refused as a version or lock", async (name) => {
  await using tree = await createRecipeTree();
  expect(await failure(loadRelease(tree.root, "tini", name))).toContain("is not a version");
  expect(await failure(loadToolchainLock(tree.root, "debian-c", name))).toContain("is not the name of a lock");
});

test("files behind symbolic links and pipes are refused, and do not hang", async () => {
  await using tree = await createRecipeTree();
  const outside = await mkdtemp(join(tmpdir(), "refoundry-outside-"));
  try {
    await rename(join(tree.root, "recipes/images/tini"), join(outside, "tini"));
    await symlink(join(outside, "tini"), join(tree.root, "recipes/images/tini"));
    expect(await failure(loadRecipe(tree.root, "tini"))).toContain("lies behind a symbolic link");
    await tree.remove(source);
    await promisify(execFile)("mkfifo", [join(tree.root, source)]);
    expect(await failure(loadSource(tree.root, "tini"))).toContain("is not a regular file");
  } finally {
    await rm(outside, { recursive: true });
  }
});

test("the root is found from a folder below it, and a missing one is told", async () => {
  await using tree = await createRecipeTree();
  expect(await findRoot(join(tree.root, "recipes/images/tini"))).toBe(tree.root);
  await tree.remove("recipes");
  expect(await failure(findRoot(tree.root))).toContain("has recipes/");
});

test("RECIPE@VERSION", async () => {
  expect(parseRecipeArgument("tini")).toEqual({ recipe: "tini" });
  expect(parseRecipeArgument("tini@1:0.19.0-1+b3~x")).toEqual({ recipe: "tini", version: "1:0.19.0-1+b3~x" });
  for (const text of ["", "@1", "tini@", "tini@a@b", "Tini", "../tini", "tini@../0", "-v", "tini@-1", "a b"]) {
    expect(await failure(Promise.resolve().then(() => parseRecipeArgument(text)))).toContain(
      "is not RECIPE or RECIPE@VERSION",
    );
  }
});

test("an expired waiver keeps the newest release from being built, not an older one nor one as it was", async () => {
  await using tree = await createRecipeTree();
  await tree.edit(recipe, "2027-06-30", "2026-11-19");
  const load = (options: { version?: string; asItWas?: boolean }) =>
    loadReleaseInputs(tree.root, "tini", { today: "2026-11-20", ...options });
  await expect(load({})).rejects.toMatchObject({ kind: "usage" });
  expect((await load({ asItWas: true })).release.version).toBe("0.19.0");
  const newer = (await readFile(join(tree.root, release), "utf8")).replaceAll("0.19.0", "0.20.0");
  await tree.write(release.replace("0.19.0", "0.20.0"), newer);
  await expect(load({})).rejects.toMatchObject({ kind: "usage" });
  expect((await load({ version: "0.19.0" })).release.version).toBe("0.19.0");
});
