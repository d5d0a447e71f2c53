import { readFile } from "node:fs/promises";
import { join } from "node:path";
import * as fc from "fast-check";
import { expect, test } from "vitest";
import { stageBuildContext } from "../../../src/build/context.ts";
import { formatLocation, RefoundryError } from "../../../src/errors.ts";
import { releaseBuildKeys } from "../../../src/plan/build-inputs.ts";
import { type Catalogue, type CatalogueMemory, readCatalogue } from "../../../src/plan/catalogue.ts";
import { parseDocument } from "../../../src/recipe/document.ts";
import { planFixes } from "../../../src/recipe/fix.ts";
import { lint } from "../../../src/recipe/lint.ts";
import { loadRecipeForVersion, loadReleaseInputs, readAhead, type SharedDocuments } from "../../../src/recipe/load.ts";
import { recipeSchema } from "../../../src/recipe/schema.ts";
import { recipeForVersion } from "../../../src/recipe/versions.ts";
import { createRecipeTree, type RecipeTree, recipeTreeFiles } from "../../support/recipes.ts";
import { temporaryFolder } from "../../support/temporary.ts";

const recipePath = "recipes/images/tini/recipe.yaml";
const releasePath = "recipes/images/tini/releases/0.19.0.yaml";
const today = "2026-11-20";
const all = [{ recipe: "tini", releases: "all" }] as const;
const later = (): number => Date.now() + 3_600_000;

/** A second release, built with another toolchain by another Dockerfile, beside the first. */
async function createTwoVersions(): Promise<RecipeTree> {
  const tree = await createRecipeTree();
  await tree.write(
    recipePath,
    `${recipeTreeFiles[recipePath]}versions:
  - range: ">=0.20"
    toolchain: debian-d
    build: { dockerfile: Dockerfile.20, args: { LATER: "yes" } }
    platforms: { reproduce: [linux/amd64] }
`,
  );
  await tree.write("recipes/images/tini/Dockerfile.20", recipeTreeFiles["recipes/images/tini/Dockerfile"]);
  const toolchain = recipeTreeFiles["recipes/toolchains/debian-c/toolchain.yaml"];
  await tree.write("recipes/toolchains/debian-d/toolchain.yaml", toolchain.replace("debian-c", "debian-d"));
  await tree.write(
    "recipes/toolchains/debian-d/locks/trixie-20260912.yaml",
    recipeTreeFiles["recipes/toolchains/debian-c/locks/trixie-20260912.yaml"].replaceAll(/d{64}/g, "9".repeat(64)),
  );
  const release = recipeTreeFiles[releasePath];
  await tree.write(
    "recipes/images/tini/releases/0.20.0.yaml",
    release
      .replace("0.19.0", "0.20.0")
      .replace(/d{64}/, "9".repeat(64))
      .replace(/ {4}linux\/arm64: .*\n/, ""),
  );
  return tree;
}

async function found(tree: RecipeTree): Promise<string[]> {
  const problems = await lint(tree.root, { today });
  return problems.map(({ rule, location, message }) =>
    `${rule} ${formatLocation(location)}: ${message}`.replaceAll(`${tree.root}/recipes/images/tini/`, ""),
  );
}

test("a release is of the recipe as its version has it, with what that names", async () => {
  await using tree = await createTwoVersions();
  const [old, young] = await Promise.all(
    ["0.19.0", "0.20.0"].map((version) => loadReleaseInputs(tree.root, "tini", { version, today })),
  );
  expect(old).toMatchObject({ recipe: { toolchain: "debian-c", versions: [] }, toolchain: { toolchain: "debian-c" } });
  expect(old?.recipe.build).toMatchObject({ dockerfile: "Dockerfile", args: { FLAVOUR: "static" } });
  expect(young).toMatchObject({ toolchain: { toolchain: "debian-d" }, toolchainLock: { digest: /sha256:9+/ } });
  expect(young?.recipe.build).toMatchObject({
    dockerfile: "Dockerfile.20",
    args: { FLAVOUR: "static", LATER: "yes" },
  });
  expect(young?.recipe.platforms).toEqual({ reproduce: ["linux/amd64"], extend: ["linux/riscv64"], omit: [] });
  expect(young?.dockerfile.path).toMatch(/Dockerfile\.20$/);
  expect(await found(tree)).toEqual([]);
});

test("versions with one Dockerfile and other patches have each their own files, whether read together or not", async () => {
  await using tree = await createTwoVersions();
  const last = "platforms: { reproduce: [linux/amd64] }\n";
  await tree.edit(recipePath, last, `${last}  - { range: ">=0.21", build: { patches: [a.patch] } }\n`);
  const header = "Description: a fix\nOrigin: backport, commit 1234\n";
  await tree.write("recipes/images/tini/a.patch", `${header}--- a/a.c\n+++ b/a.c\n@@ -1 +1 @@\n-x\n+y\n`);
  const young = await readFile(join(tree.root, "recipes/images/tini/releases/0.20.0.yaml"), "utf8");
  await tree.write("recipes/images/tini/releases/0.21.0.yaml", young.replace("0.20.0", "0.21.0"));
  const versions = ["0.20.0", "0.21.0"];
  const filesOf = async (shared?: SharedDocuments): Promise<string[][]> => {
    const files: string[][] = [];
    for (const version of versions) {
      const loaded = await loadReleaseInputs(tree.root, "tini", { version, today, ...(shared && { shared }) });
      files.push([...loaded.dockerfile.ofOtherVersions]);
    }
    return files;
  };
  expect(await filesOf()).toEqual([["Dockerfile", "a.patch"], ["Dockerfile"]]);
  expect(await filesOf(new Map())).toEqual(await filesOf());
  const shared: SharedDocuments = new Map();
  await readAhead(
    tree.root,
    versions.map((version) => ({ recipe: "tini", version })),
    shared,
  );
  expect(await filesOf(shared)).toEqual(await filesOf());
});

test("what is added for a later version leaves build keys of the older ones as they are", async () => {
  await using before = await createRecipeTree();
  await using after = await createTwoVersions();
  const keysOf = async ({ root }: RecipeTree): Promise<unknown> => {
    const [release] = (await readCatalogue(root, all, {}, later())).releases;
    return release && releaseBuildKeys(release, "builder 1");
  };
  expect(await keysOf(after)).toEqual(await keysOf(before));
});

test("a plan hashes the build context that a build gets, for each version", async () => {
  await using tree = await createTwoVersions();
  const { releases } = await readCatalogue(tree.root, all, {}, later());
  for (const { release, contextDigest } of releases) {
    const { dockerfile } = await loadReleaseInputs(tree.root, "tini", { version: release.version, today });
    const staged = join(await temporaryFolder(), "context");
    expect(await stageBuildContext(dockerfile.folder, staged, 1, dockerfile)).toBe(contextDigest);
  }
  expect(new Set(releases.map(({ contextDigest }) => contextDigest)).size).toBe(2);
});

const again = (root: string, memory: CatalogueMemory): Promise<Catalogue> =>
  readCatalogue(root, all, JSON.parse(JSON.stringify(memory)) as CatalogueMemory, later());

test("what a plan remembers of each version is the same as what it reads, until what that names changes", async () => {
  await using tree = await createTwoVersions();
  const first = await readCatalogue(tree.root, all, {}, later());
  expect(first.releases.map(({ recipe }) => recipe.toolchain)).toEqual(["debian-c", "debian-d"]);
  const second = await again(tree.root, first.memory);
  expect(second).toMatchObject({ fresh: false, problems: [] });
  expect(second.releases).toEqual(first.releases);
  await tree.edit("recipes/toolchains/debian-d/toolchain.yaml", "[gcc, make", "[make, gcc");
  expect((await again(tree.root, first.memory)).fresh).toBe(true);
});

const withVersions = (text: string) => (tree: RecipeTree) =>
  tree.write(recipePath, `${recipeTreeFiles[recipePath]}versions:\n${text}`);
const place = "recipe.yaml:24";

test.each<[what: string, change: (tree: RecipeTree) => Promise<unknown>, expected: string[]]>([
  [
    "a range that is none",
    withVersions('  - { range: ">= 1 <" }\n'),
    [`schema ${place}:14: versions[0].range: ">= 1 <" is not a range of versions, as in >=8 <9 or 7.0.*`],
  ],
  [
    "an entry that no release is in",
    withVersions('  - { range: ">=9" }\n'),
    [`unused-versions ${place}:14: no release of tini is in ">=9"`],
  ],
  [
    "a key that is not for versions",
    withVersions('  - { range: ">=0.1", owners: [me] }\n'),
    [`schema ${place}:23: versions[0]: unknown key "owners"`],
  ],
  [
    "a toolchain and a Dockerfile that are not there",
    withVersions('  - range: ">=0.1"\n    toolchain: gone\n    build: { dockerfile: Dockerfile.gone }\n'),
    [
      'reference recipe.yaml:25:16: there is no toolchain "gone"',
      'reference recipe.yaml:26:26: the Dockerfile "Dockerfile.gone" is not in the recipe\'s folder',
    ],
  ],
  [
    "the same where no release is in it yet",
    withVersions('  - range: ">=9"\n    toolchain: gone\n'),
    [
      `unused-versions ${place}:12: no release of tini is in ">=9"`,
      'reference recipe.yaml:25:16: there is no toolchain "gone"',
    ],
  ],
  [
    "what does not fit together only for some versions",
    withVersions('  - range: ">=0.1"\n    platforms: { reproduce: [linux/amd64, linux/arm64, linux/riscv64] }\n'),
    ['schema recipe.yaml:13:12: for >=0.1: platforms.extend[0]: "linux/riscv64" is under reproduce already'],
  ],
  [
    "a platform that nobody makes images for, a waiver that expired, and a list that is not sorted",
    withVersions(
      '  - range: "0.*"\n    platforms: { extend: [linux/zzz, linux/ppc64le] }\n    waivers:\n      - { class: x, paths: [/a], reason: r, owner: o, expires: 2026-01-01 }\n',
    ),
    [
      "platform-order recipe.yaml:25:26: versions[0].platforms.extend is not sorted",
      'platform-unknown recipe.yaml:25:27: "linux/zzz" is no platform that images are made for',
      "waiver-expired recipe.yaml:27:64: the waiver for x expired on 2026-01-01",
    ],
  ],
  [
    "a release whose pins do not agree with what its version says",
    withVersions(
      "  - { range: 0.19.0, upstream: { image: registry.example/tini@sha256:1 }, platforms: { reproduce: [linux/amd64] } }\n",
    ),
    ["pin releases/0.19.0.yaml:16:5: upstream.manifests has linux/arm64, which the recipe does not reproduce"],
  ],
])("lint tells of %s, with its place", async (_, change, expected) => {
  await using tree = await createRecipeTree();
  await change(tree);
  const told = await found(tree);
  for (const line of expected) expect(told).toContainEqual(expect.stringContaining(line));
  expect(told.filter((line) => !line.startsWith("unused toolchain"))).toHaveLength(expected.length);
});

test("what keeps a release from being loaded is said with its place", async () => {
  await using tree = await createTwoVersions();
  await tree.edit(recipePath, "reproduce: [linux/amd64] }\n", "reproduce: [linux/riscv64] }\n");
  await expect(loadRecipeForVersion(tree.root, "tini", "0.19.0")).resolves.toBeDefined();
  const error = await loadRecipeForVersion(tree.root, "tini", "0.20.0").catch((failure: unknown) => failure);
  expect(error).toBeInstanceOf(RefoundryError);
  expect((error as RefoundryError).problems[0]).toMatchObject({
    message: 'for >=0.20: platforms.extend[0]: "linux/riscv64" is under reproduce already',
    location: { line: 13, column: 12 },
  });
});

test("lists of platforms are sorted for versions too", () => {
  const text = `${recipeTreeFiles[recipePath]}versions:\n  - range: ">=1"\n    platforms: { extend: [linux/s390x, linux/386] }\n`;
  expect(planFixes(text, "recipe").text).toContain("extend: [linux/386, linux/s390x]");
});

test("entries are laid over each other in order, each where its range has the version", () => {
  const toolchain = fc.constantFrom("a", "b", "c");
  const entry = fc.record({ from: fc.nat(9), to: fc.nat(9), toolchain, arg: fc.constantFrom("X", "Y") });
  fc.assert(
    fc.property(fc.array(entry, { maxLength: 5 }), fc.nat(9), (entries, version) => {
      const lines = entries.map(
        ({ from, to, toolchain: name, arg }, index) =>
          `  - { range: ">=${from} <${to}", toolchain: ${name}, build: { args: { ${arg}: "${index}" } } }\n`,
      );
      const text = `${recipeTreeFiles[recipePath]}${lines.length > 0 ? `versions:\n${lines.join("")}` : ""}`;
      const { document } = parseDocument(text, "recipe.yaml", recipeSchema);
      const recipe = document && recipeForVersion(document, String(version)).document?.value;
      const holding = [...entries.entries()].filter(([, { from, to }]) => version >= from && version < to);
      expect(recipe?.toolchain).toBe(holding.at(-1)?.[1].toolchain ?? "debian-c");
      const args = Object.fromEntries(holding.map(([index, { arg }]) => [arg, String(index)]));
      expect(recipe?.build.args).toEqual({ FLAVOUR: "static", ...args });
      expect(recipe?.versions).toEqual([]);
    }),
  );
});
