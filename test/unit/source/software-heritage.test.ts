import { writeFile } from "node:fs/promises";
import { join } from "node:path";
import { execa } from "execa";
import { expect, test, vi } from "vitest";
import { silent } from "../../../src/events.ts";
import { openBareRepository } from "../../../src/git/repository.ts";
import { ensureLayout } from "../../../src/oci/layout.ts";
import { offlineMirror } from "../../../src/debian/offline-mirror.ts";
import { fetchSource } from "../../../src/source/fetch.ts";
import { serveVault } from "../../support/archives.ts";
import { temporaryFolder } from "../../support/temporary.ts";

// many short runs of git, which a busy machine takes its time for
vi.setConfig({ testTimeout: 60_000 });

async function createUpstream() {
  const path = await temporaryFolder();
  const author = ["-c", "user.name=x", "-c", "user.email=x@example.invalid"];
  const git = async (...args: string[]): Promise<string> =>
    (await execa("git", ["-C", path, ...author, ...args])).stdout;
  await git("init", "--quiet", "--initial-branch=main", ".");
  for (const text of ["one", "two"]) {
    await writeFile(join(path, "file"), text);
    await git("add", ".");
    await git("commit", "--quiet", "-m", text);
  }
  return { path, commit: await git("rev-parse", "HEAD"), tree: await git("rev-parse", "HEAD^{tree}") };
}

async function fetchFrom(softwareHeritage: string | undefined, commit: string, tree: string) {
  const folder = await temporaryFolder();
  const blobs = await ensureLayout(join(folder, "store"));
  const repositoryPath = join(folder, "source.git");
  const fetched = await fetchSource({
    source: { source: "s", licence: "MIT", upstream: `file://${folder}/gone`, forks: [], import: { kind: "git" } },
    pin: { commit, tree, archive: `sha256:${"0".repeat(64)}`, epoch: 0 },
    repositoryPath,
    blobs,
    mirror: offlineMirror(blobs),
    temporaryFolder: join(folder, "tmp"),
    offline: false,
    softwareHeritage,
    emit: silent,
  });
  return { ...fetched, repository: await openBareRepository(repositoryPath) };
}

test("a commit that is gone everywhere else comes out of the vault by its identifier", async () => {
  const { path, commit, tree } = await createUpstream();
  const { origin, repository } = await fetchFrom(await serveVault(path), commit, tree);
  expect(origin).toBe(`Software Heritage swh:1:rev:${commit}`);
  expect(await repository.hasCommit(commit)).toBe(true);
  expect(await repository.treeOf(commit)).toBe(tree);
});

test("a commit that the vault lacks is said to be nowhere, with what each place said", async () => {
  const { path, tree } = await createUpstream();
  const address = await serveVault(path);
  const nowhere = fetchFrom(address, "d".repeat(40), tree);
  await expect(nowhere).rejects.toThrow(/cannot be had from anywhere[^]*Software Heritage has no swh:1:rev:dddd/);
  await expect(fetchFrom(undefined, "d".repeat(40), tree)).rejects.toThrow(/REFOUNDRY_SOFTWARE_HERITAGE/);
});

test("a vault that gives out other objects is found out", async () => {
  const { path, commit, tree } = await createUpstream();
  const address = await serveVault(path, (tar) => {
    const changed = Buffer.from(tar);
    const at = changed.indexOf("PACK");
    changed.writeUInt8(changed.readUInt8(at + 40) ^ 1, at + 40);
    return changed;
  });
  await expect(fetchFrom(address, commit, tree)).rejects.toThrow(/cannot be had from anywhere/);
});
