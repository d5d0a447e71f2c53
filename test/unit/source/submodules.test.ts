import { readFile, writeFile } from "node:fs/promises";
import { join } from "node:path";
import { execa } from "execa";
import { expect, test, vi } from "vitest";
import { offlineMirror } from "../../../src/debian/offline-mirror.ts";
import { silent } from "../../../src/events.ts";
import { fetchFromBundle, openCommitBundle } from "../../../src/git/commit-bundle.ts";
import { openBareRepository } from "../../../src/git/repository.ts";
import { ensureLayout } from "../../../src/oci/layout.ts";
import type { Source, SourcePin } from "../../../src/recipe/schema.ts";
import { fetchSource } from "../../../src/source/fetch.ts";
import { stageSource } from "../../../src/source/stage.ts";
import { bringSubmodules, resolveBeside } from "../../../src/source/submodules.ts";
import { serveVault } from "../../support/archives.ts";
import { commitOf } from "../../support/git-commits.ts";
import { temporaryFolder } from "../../support/temporary.ts";

// many short runs of git, which a busy machine takes its time for
vi.setConfig({ testTimeout: 60_000 });

interface World {
  readonly folder: string;
  readonly source: Source;
  readonly top: { readonly commit: string; readonly tree: string };
}

/** A source with a submodule, `lib`, that has one of its own, `lib/deep`; both beside it. */
async function createWorld(submodules?: Source["submodules"]): Promise<World> {
  const folder = await temporaryFolder();
  const deep = await commitOf(join(folder, "deep"), { file: "deep" });
  const lib = await commitOf(join(folder, "lib"), { file: "lib" }, { deep: { url: "../deep", commit: deep.commit } });
  const top = await commitOf(join(folder, "top"), { file: "top" }, { lib: { url: "../lib", commit: lib.commit } });
  const upstream = `file://${folder}/top`;
  return {
    folder,
    top,
    source: {
      source: "s",
      licence: "MIT",
      upstream,
      forks: [],
      import: { kind: "git" },
      ...(submodules && { submodules }),
    },
  };
}

async function pinIn(world: World, name: string, softwareHeritage?: string) {
  const repositoryPath = join(world.folder, name);
  const repository = await openBareRepository(repositoryPath);
  await repository.fetchCommit(world.source.upstream, world.top.commit);
  const submodules = await bringSubmodules(repository, {
    source: world.source,
    commit: world.top.commit,
    temporaryFolder: join(world.folder, `${name}-tmp`),
    offline: false,
    softwareHeritage,
    emit: silent,
  });
  return { repositoryPath, submodules };
}

async function fetchWith(
  { folder, source, top }: World,
  name: string,
  submodules: SourcePin["submodules"],
  offline = false,
) {
  const blobs = await ensureLayout(join(folder, `${name}-store`));
  return fetchSource({
    source,
    pin: { ...top, archive: `sha256:${"0".repeat(64)}`, epoch: 1_500_000_000, submodules },
    repositoryPath: join(folder, name),
    blobs,
    mirror: offlineMirror(blobs),
    temporaryFolder: join(folder, `${name}-fetch`),
    offline,
    emit: silent,
  });
}

const stage = ({ folder, top }: World, repositoryPath: string, submodules: SourcePin["submodules"], name: string) =>
  stageSource({
    repositoryPath,
    commit: top.commit,
    submodules,
    folder: join(folder, name),
    epoch: 1_500_000_000,
    emit: silent,
  });

test("submodules and theirs are pinned by the tree, fetched from where they are said to be, and staged", async () => {
  const world = await createWorld({});
  const { submodules } = await pinIn(world, "pinned.git");
  expect(submodules.map(({ path }) => path)).toEqual(["lib", "lib/deep"]);
  const { repositoryPath } = await fetchWith(world, "fetched.git", [...submodules]);
  const { folder, archive } = await stage(world, repositoryPath, [...submodules], "staged");
  expect(await readFile(join(folder, "lib/deep/file"), "utf8")).toBe("deep");
  expect(await readFile(join(folder, "lib/file"), "utf8")).toBe("lib");
  // the digest covers them
  expect((await stage(world, repositoryPath, [...submodules], "again")).archive).toBe(archive);
  const without = join(world.folder, "without.git");
  await (await openBareRepository(without)).fetchCommit(world.source.upstream, world.top.commit);
  await expect(stage(world, without, [], "bare")).rejects.toThrow(/submodule/);
});

test("a source that does not say it wants submodules is refused, with what to write", async () => {
  await expect(pinIn(await createWorld(), "r.git")).rejects.toMatchObject({
    kind: "usage",
    problems: [{ hint: expect.stringContaining("submodules: {} in vendor-sources/s.yaml") }],
  });
});

test("a fork by path comes before what .gitmodules says", async () => {
  const world = await createWorld({});
  const { submodules } = await pinIn(world, "pinned.git");
  const [lib] = submodules;
  if (!lib) throw new Error("no submodule");
  const fork = join(world.folder, "forks/lib");
  await execa("git", ["clone", "--quiet", join(world.folder, "lib"), fork]);
  const away = join(world.folder, "away");
  await execa("mv", [join(world.folder, "lib"), away]);
  await expect(fetchWith(world, "fetched.git", [...submodules])).rejects.toThrow(/submodule lib of s cannot be had/);
  const source: Source = { ...world.source, submodules: { lib: { forks: [`file://${fork}`] } } };
  const fetched = await fetchWith({ ...world, source }, "forked.git", [...submodules]);
  expect(await (await openBareRepository(fetched.repositoryPath)).hasCommit(lib.commit)).toBe(true);
});

test("a submodule that is gone comes out of Software Heritage by its commit", async () => {
  const world = await createWorld({});
  const away = join(world.folder, "away");
  await execa("mv", [join(world.folder, "lib"), away]);
  const address = await serveVault(away);
  // lib's own submodule is beside lib, whose address is still what its parent says
  expect((await pinIn(world, "vault.git", address)).submodules.map(({ path }) => path)).toEqual(["lib", "lib/deep"]);
});

test("each commit has a bundle, and from these alone it is staged offline", async () => {
  const world = await createWorld({});
  const { repositoryPath, submodules } = await pinIn(world, "pinned.git");
  const { archive } = await stage(world, repositoryPath, [...submodules], "staged");
  const restoredPath = join(world.folder, "restored.git");
  const restored = await openBareRepository(restoredPath);
  for (const commit of [world.top.commit, ...submodules.map((each) => each.commit)]) {
    const file = join(world.folder, `${commit}.bundle`);
    await writeFile(file, openCommitBundle(repositoryPath, commit));
    await fetchFromBundle(restored, commit, file, join(world.folder, `unbundle-${commit}`));
  }
  for (const name of ["top", "lib", "deep"])
    await execa("mv", [join(world.folder, name), join(world.folder, `${name}.away`)]);
  const fetched = await fetchWith(world, "restored.git", [...submodules], true);
  expect((await stage(world, fetched.repositoryPath, [...submodules], "restored")).archive).toBe(archive);
  await expect(fetchWith(world, "empty.git", [...submodules], true)).rejects.toThrow(/nothing else is asked offline/);
});

test("other submodules than are pinned are found out", async () => {
  const world = await createWorld({});
  const { submodules } = await pinIn(world, "pinned.git");
  const other = submodules.map((each) => ({ ...each, tree: "0".repeat(40) }));
  await expect(fetchWith(world, "other.git", other)).rejects.toMatchObject({ kind: "mismatch" });
  await expect(fetchWith(world, "fewer.git", submodules.slice(1))).rejects.toMatchObject({ kind: "mismatch" });
});

test.each([
  ["a path of this machine", "file:///etc"],
  ["a transport that runs programs", "ext::sh -c true"],
  ["an option", "--upload-pack=true"],
])("%s in .gitmodules is asked nothing", async (_, url) => {
  const folder = await temporaryFolder();
  const lib = await commitOf(join(folder, "lib"), { file: "lib" });
  const top = await commitOf(join(folder, "top"), { file: "top" }, { lib: { url, commit: lib.commit } });
  const source: Source = {
    source: "s",
    licence: "MIT",
    upstream: `file://${folder}/top`,
    forks: [],
    submodules: {},
    import: { kind: "git" },
  };
  await expect(pinIn({ folder, source, top }, "r.git")).rejects.toThrow(
    /nothing names an address that can be used|cannot be read|disallowed submodule/,
  );
});

test.each([
  ["https://host.example/org/repo.git", "../lib.git", "https://host.example/org/lib.git"],
  ["https://host.example/org/repo/", "../../other/lib", "https://host.example/other/lib"],
  ["git@host.example:org/repo", "../lib", "git@host.example:org/lib"],
  ["ssh://git@host.example:22/org/repo", "./lib", "ssh://git@host.example:22/org/repo/lib"],
  ["file:///srv/repo", "../lib", "file:///srv/lib"],
  ["https://host.example/repo", "../../lib", undefined],
])("an address beside %s: %s", (base, relative, expected) => {
  expect(resolveBeside(base, relative)).toBe(expected);
});
