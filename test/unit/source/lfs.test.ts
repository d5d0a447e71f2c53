import { createServer, type RequestListener } from "node:http";
import { createServer as createTlsServer } from "node:https";
import type { AddressInfo } from "node:net";
import { readFile, writeFile } from "node:fs/promises";
import { join } from "node:path";
import { getCACertificates, setDefaultCACertificates } from "node:tls";
import { execa } from "execa";
import { expect, onTestFinished, test, vi } from "vitest";
import { silent } from "../../../src/events.ts";
import { openBareRepository } from "../../../src/git/repository.ts";
import { digestOf, hexOf } from "../../../src/oci/digest.ts";
import { ensureLayout } from "../../../src/oci/layout.ts";
import type { Source } from "../../../src/recipe/schema.ts";
import { lfsBringer, parsePointer } from "../../../src/source/lfs.ts";
import { stageSource } from "../../../src/source/stage.ts";
import { bringSubmodules, submoduleAddresses } from "../../../src/source/submodules.ts";
import { commitOf } from "../../support/git-commits.ts";
import { type Identity, makeAuthority } from "../../support/registry-certificates.ts";
import { temporaryFolder } from "../../support/temporary.ts";

vi.setConfig({ testTimeout: 60_000 });

const content = Buffer.from("a large file, which git has not");
const sha256 = hexOf(digestOf(content));
const pointer = `version https://git-lfs.github.com/spec/v1\noid sha256:${sha256}\nsize ${content.length}\n`;

/**
 * A server that speaks the batch API of Git LFS; gives its endpoint. `given` is what it has
 * for any object of the repository at `place`.
 */
async function serveLfs(given: Buffer | undefined, place = "", identity?: Identity): Promise<string> {
  const scheme = identity ? "https" : "http";
  const answer: RequestListener = (request, response) => {
    void (async () => {
      const url = `${scheme}://${request.headers.host}`;
      if (request.method === "GET" && request.url === `/objects/${sha256}`) {
        const isAllowed = request.headers["x-token"] === "from the batch";
        return response.writeHead(isAllowed ? 200 : 403).end(isAllowed ? given : "");
      }
      const isBatch = request.url === `${place}/info/lfs/objects/batch` && request.method === "POST";
      if (!isBatch || request.headers.accept !== "application/vnd.git-lfs+json") return response.writeHead(404).end();
      const body = JSON.parse(Buffer.concat(await Array.fromAsync(request)).toString("utf8"));
      const objects = body.objects.map(({ oid, size }: { oid: string; size: number }) =>
        given === undefined
          ? { oid, size, error: { code: 404, message: "Object does not exist" } }
          : {
              oid,
              size,
              actions: { download: { href: `${url}/objects/${oid}`, header: { "x-token": "from the batch" } } },
            },
      );
      response.writeHead(200, { "content-type": "application/vnd.git-lfs+json" });
      return response.end(JSON.stringify({ transfer: "basic", objects }));
    })().catch(() => response.destroy());
  };
  const server = identity ? createTlsServer(identity, answer) : createServer(answer);
  await new Promise<void>((resolve) => server.listen(0, "127.0.0.1", resolve));
  onTestFinished(() => void server.close());
  return `${scheme}://127.0.0.1:${(server.address() as AddressInfo).port}${place}/info/lfs`;
}

async function stageWith(lfs: Source["lfs"], offline = false) {
  const folder = await temporaryFolder();
  const upstream = join(folder, "upstream");
  const git = async (...args: string[]): Promise<string> =>
    (await execa("git", ["-c", "user.name=x", "-c", "user.email=x@example.invalid", "-C", upstream, ...args])).stdout;
  await execa("git", ["init", "--quiet", "--initial-branch=main", upstream]);
  await writeFile(join(upstream, "large.bin"), pointer);
  await writeFile(join(upstream, "plain"), "plain");
  await git("add", ".");
  await git("commit", "--quiet", "-m", "one");
  const commit = await git("rev-parse", "HEAD");
  const repositoryPath = join(folder, "source.git");
  await (await openBareRepository(repositoryPath)).fetchCommit(`file://${upstream}`, commit);
  const blobs = await ensureLayout(join(folder, "store"));
  const source: Source = {
    source: "s",
    licence: "MIT",
    upstream: `file://${upstream}`,
    forks: [],
    ...(lfs && { lfs }),
    import: { kind: "git" },
  };
  const bringLfs = lfsBringer({ source, blobs, offline, emit: silent });
  return stageSource({ repositoryPath, commit, bringLfs, folder: join(folder, "staged"), epoch: 1, emit: silent });
}

test("what LFS has is put in the place of its pointer, and the digest covers it", async () => {
  const staged = await stageWith({ endpoints: [await serveLfs(undefined), await serveLfs(content)] });
  expect(staged.lfs).toEqual([{ path: "large.bin", sha256, size: content.length }]);
  expect(await readFile(join(staged.folder, "large.bin"))).toEqual(content);
  const without = await stageWith(undefined);
  expect(await readFile(join(without.folder, "large.bin"), "utf8")).toBe(pointer);
  expect(without).toMatchObject({ lfs: [] });
  expect(without.archive).not.toBe(staged.archive);
});

test("other content than the pointer names is never staged; what nobody has is named", async () => {
  const lie = stageWith({ endpoints: [await serveLfs(Buffer.alloc(content.length))] });
  await expect(lie).rejects.toThrow(/large\.bin of s .* cannot be had from anywhere:\n.*changed or damaged/);
  const none = stageWith({ endpoints: [await serveLfs(undefined)] });
  await expect(none).rejects.toThrow(/has no LFS object .*: Object does not exist/);
  await expect(stageWith({ endpoints: [] }, true)).rejects.toThrow(/nothing else is asked offline/);
});

test("what LFS has of a submodule is asked for beside that, wherever it may be had", async () => {
  const folder = await temporaryFolder();
  const authority = await makeAuthority(folder, "lfs");
  const before = getCACertificates("default");
  setDefaultCACertificates([...before, authority.certificate]);
  onTestFinished(() => setDefaultCACertificates(before));
  const lib = await commitOf(join(folder, "lib"), { "large.bin": pointer });
  const top = await commitOf(join(folder, "top"), { file: "top" }, { lib: { url: "../lib", commit: lib.commit } });
  const repositoryPath = join(folder, "source.git");
  const repository = await openBareRepository(repositoryPath);
  for (const [name, { commit }] of Object.entries({ lib, top }))
    await repository.fetchCommit(`file://${folder}/${name}`, commit);
  const endpoint = await serveLfs(content, "/team/lib.git", await authority.sign("host"));
  const { origin } = new URL(endpoint);
  const upstream = `${origin}/team/top.git`;
  const source: Source = {
    source: "s",
    licence: "MIT",
    upstream,
    forks: [],
    submodules: {},
    lfs: { endpoints: [] },
    import: { kind: "git" },
  };
  const request = { source, commit: top.commit, temporaryFolder: folder, offline: false, emit: silent };
  const submodules = await bringSubmodules(repository, request);
  const stageBy = async (addresses?: () => ReturnType<typeof submoduleAddresses>) => {
    const blobs = await ensureLayout(join(await temporaryFolder(), "store"));
    const bringLfs = lfsBringer({
      source,
      blobs,
      offline: false,
      emit: silent,
      ...(addresses && { submodules: addresses }),
    });
    const into = join(await temporaryFolder(), "staged");
    const common = { repositoryPath, commit: top.commit, submodules, bringLfs, epoch: 1, emit: silent };
    return stageSource({ ...common, folder: into });
  };
  await expect(stageBy()).rejects.toThrow(/team\/top\.git\/info\/lfs answered 404/);
  const staged = await stageBy(() => submoduleAddresses(repository, request));
  expect(staged.lfs).toEqual([{ path: "lib/large.bin", sha256, size: content.length }]);
  expect(await readFile(join(staged.folder, "lib/large.bin"))).toEqual(content);
});

test.each([
  ["a pointer", pointer, true],
  ["one with an extension", pointer.replace("oid", `ext-0-x sha256:${sha256}\noid`), true],
  ["a text about pointers", `see:\n${pointer}`, false],
  ["another hash", pointer.replace("sha256", "sha512"), false],
  ["a size that is none", pointer.replace(/size \d+/, "size -1"), false],
])("%s is known for what it is", (_, text, isPointer) => {
  expect(parsePointer(text) !== undefined).toBe(isPointer);
});
