import { rm } from "node:fs/promises";
import { describe, expect, test } from "vitest";
import { copyTree, mountSource } from "../../../src/mirror/copy-tree.ts";
import type { CopyProgress } from "../../../src/mirror/copy-types.ts";
import { hexOf } from "../../../src/oci/digest.ts";
import { parseReference } from "../../../src/oci/reference.ts";
import type { Repository } from "../../../src/oci/repository.ts";
import { type Descriptor, type ImageIndex, type ImageManifest, mediaTypes } from "../../../src/oci/types.ts";
import { emptyRepository, pushDocument, pushImage, pushText, pushTree, watched } from "./trees.ts";

async function documentOf<T>(repository: Repository, descriptor: Descriptor): Promise<T> {
  return JSON.parse(Buffer.from(await repository.readDocument(descriptor)).toString()) as T;
}

/** Reads everything below a descriptor: throws where anything is missing or damaged. */
async function readAll(repository: Repository, descriptor: Descriptor): Promise<number> {
  const {
    manifests = [],
    config,
    layers = [],
  } = await documentOf<Partial<ImageIndex & ImageManifest>>(repository, descriptor);
  let documents = 1;
  for (const blob of config ? [config, ...layers] : []) await Array.fromAsync(repository.openBlob(blob));
  for (const child of manifests) documents += await readAll(repository, child);
  for (const referrer of await repository.listReferrers(descriptor.digest))
    documents += await readAll(repository, referrer);
  return documents;
}

describe("a tree of three platforms, an attestation and signatures", () => {
  test("is copied whole, byte for byte, its blobs once and its tag last", async () => {
    const [from, target] = [await emptyRepository(), await emptyRepository()];
    const index = await pushTree(from, "1.0");
    const to = watched(target);
    const said: CopyProgress[] = [];
    const result = await copyTree(from, index, to, { tag: "1.0", onProgress: (progress) => said.push(progress) });
    expect(result).toMatchObject({ descriptor: index, manifests: 5, referrers: 2, bytesThere: 0, foreignLayers: 0 });
    // each of six images has a config and a layer of its own, and all share one layer
    expect(result.blobs).toBe(13);
    expect(result.bytesCopied).toBeGreaterThan(60_000);
    expect((await target.resolve("1.0")).descriptor).toEqual(index);
    expect(await readAll(target, index)).toBe(7);
    expect(to.calls.at(-1)).toBe("PUT 1.0");
    const bytes = said.reduce((sum, progress) => sum + (progress.type === "bytes" ? progress.bytes : 0), 0);
    const documents = said.flatMap((progress) => (progress.type === "manifest" ? [progress.manifest.size] : []));
    expect(bytes + documents.reduce((a, b) => a + b, 0)).toBe(result.bytesCopied);
  });

  test("copied again sends nothing and reads nothing from the source", async () => {
    const [source, target] = [await emptyRepository(), await emptyRepository()];
    const index = await pushTree(source, "1.0");
    await copyTree(source, index, target, { tag: "1.0" });
    const [from, to] = [watched(source), watched(target)];
    const result = await copyTree(from, index, to, { tag: "1.0" });
    expect(result).toMatchObject({ bytesCopied: 0, blobs: 0, manifests: 5, referrers: 2 });
    expect(from.calls.filter((call) => !call.startsWith("referrers"))).toEqual([]);
    expect(to.calls.filter((call) => call.startsWith("PUT"))).toEqual([]);
  });

  test("asks the destination for the tag and each child, once it is there", async () => {
    const [source, target] = [await emptyRepository(), await emptyRepository()];
    const index = await pushTree(source, "1.0");
    const { bytes } = await source.resolve("1.0");
    await copyTree(source, index, target, { tag: "1.0", referrers: false });
    const [from, to] = [watched(source), watched(target)];
    await copyTree(from, index, to, { tag: "1.0", document: bytes, referrers: false });
    const { manifests } = await documentOf<ImageIndex>(source, index);
    expect(to.calls).toEqual(["GET 1.0", ...manifests.map(({ digest }) => `HEAD ${digest}`)]);
    expect(from.calls).toEqual([]);
  });

  test("without its referrers, where none are wanted", async () => {
    const [from, to] = [await emptyRepository(), await emptyRepository()];
    const index = await pushTree(from, "1.0");
    expect(await copyTree(from, index, to, { referrers: false })).toMatchObject({ referrers: 0, manifests: 5 });
    expect(await to.listReferrers(index.digest)).toEqual([]);
    expect(await to.find("1.0")).toBeUndefined();
    expect(await to.hasManifest(index.digest)).toBe(true);
  });

  test("a signature that was added later is copied by the next run", async () => {
    const [from, to] = [await emptyRepository(), await emptyRepository()];
    const index = await pushTree(from, "1.0");
    await copyTree(from, index, to, { tag: "1.0" });
    const { manifests } = await documentOf<ImageIndex>(from, index);
    const later = await pushImage(from, "later", { subject: manifests[1] as Descriptor });
    const result = await copyTree(from, index, to, { tag: "1.0" });
    expect(result).toMatchObject({ referrers: 3, blobs: 3 });
    expect((await to.listReferrers((manifests[1] as Descriptor).digest)).map(({ digest }) => digest)).toEqual([
      later.digest,
    ]);
  });

  test("stopped at any call goes on where it was, and its tag never names a half", async () => {
    const [source, target] = [await emptyRepository(), await emptyRepository()];
    const index = await pushTree(source, "1.0");
    for (let stopAt = 1; ; stopAt++) {
      let calls = 0;
      const to = watched(target, () => ++calls === stopAt);
      const ended = await copyTree(source, index, to, { tag: "1.0" }).then(
        () => true,
        () => false,
      );
      if (ended) break;
      if (await target.hasManifest("1.0")) expect(await readAll(target, index)).toBe(7);
      expect(stopAt).toBeLessThan(200);
    }
    expect(await readAll(target, index)).toBe(7);
    expect(await target.listTags()).toEqual(["1.0"]);
  });

  test("a failure waits for what runs, and its message is the first one's", async () => {
    const [source, target] = [await emptyRepository(), await emptyRepository()];
    const index = await pushTree(source, "1.0");
    let running = 0;
    const to = {
      ...target,
      async pushBlob(...args: Parameters<Repository["pushBlob"]>): Promise<number> {
        running += 1;
        try {
          if (args[0].size < 100) throw new Error("the disk is full");
          await new Promise((resolve) => setTimeout(resolve, 20));
          return await target.pushBlob(...args);
        } finally {
          running -= 1;
        }
      },
    };
    await expect(copyTree(source, index, to, { tag: "1.0" })).rejects.toThrow("the disk is full");
    expect(running).toBe(0);
    expect(await target.hasManifest("1.0")).toBe(false);
  });

  test("with cosign's tags, which move when something is added", async () => {
    const [from, to] = [await emptyRepository(), await emptyRepository()];
    const index = await pushTree(from, "1.0");
    const tag = `sha256-${hexOf(index.digest)}.sig`;
    for (const name of ["one", "two"]) {
      const signatures = await pushImage(from, name, { tag });
      const result = await copyTree(from, index, to, { tag: "1.0", signatureTags: true });
      expect(result).toMatchObject({ referrers: 3, manifests: 5 });
      expect((await to.resolve(tag)).descriptor).toEqual(signatures);
    }
    await copyTree(from, index, to, { tag: "1.0", signatureTags: true });
    expect(await readAll(to, (await to.resolve(tag)).descriptor)).toBe(1);
  });

  test("blobs go four at a time, from the repository that they may be mounted from", async () => {
    const [source, target] = [await emptyRepository(), await emptyRepository()];
    const index = await pushTree(source, "1.0");
    let running = 0;
    let most = 0;
    const mounts = new Set<string | undefined>();
    const to: Repository = {
      ...target,
      async pushBlob(content, open, options) {
        most = Math.max(most, ++running);
        mounts.add(options?.mountFrom);
        await new Promise((resolve) => setTimeout(resolve, 5));
        return target.pushBlob(content, open, options).finally(() => running--);
      },
    };
    await copyTree(source, index, to, { tag: "1.0", mountFrom: "other/place" });
    expect(most).toBe(4);
    expect([...mounts]).toEqual(["other/place"]);
  });

  test("where referrers cannot be listed it stops, and says why", async () => {
    const [source, to] = [await emptyRepository(), await emptyRepository()];
    const index = await pushTree(source, "1.0");
    const from = watched(source, (call) => call.startsWith("referrers"));
    await expect(copyTree(from, index, to, { tag: "1.0" })).rejects.toThrow(/^no: referrers sha256:/);
    expect(from.calls.filter((call) => call.startsWith("referrers")).length).toBeLessThanOrEqual(4);
    expect(await to.hasManifest("1.0")).toBe(false);
  });

  test("interrupted says so", async () => {
    const [from, to] = [await emptyRepository(), await emptyRepository()];
    const index = await pushTree(from, "1.0");
    const stop = new AbortController();
    const onProgress = (): void => stop.abort();
    await expect(copyTree(from, index, to, { signal: stop.signal, onProgress })).rejects.toMatchObject({
      kind: "interrupted",
    });
    expect(await to.hasManifest(index.digest)).toBe(false);
  });
});

describe("what is there", () => {
  test("a child that went missing below an index is copied again", async () => {
    const [from, to] = [await emptyRepository(), await emptyRepository()];
    const index = await pushTree(from, "1.0");
    await copyTree(from, index, to, { tag: "1.0" });
    const { manifests } = await documentOf<ImageIndex>(from, index);
    await removeBlob(to, manifests[2] as Descriptor);
    const result = await copyTree(from, index, to, { tag: "1.0" });
    expect(result.bytesCopied).toBe((manifests[2] as Descriptor).size);
    expect(await readAll(to, index)).toBe(7);
  });

  test("a blob that went missing is copied again where manifests are not trusted", async () => {
    const [from, to] = [await emptyRepository(), await emptyRepository()];
    const index = await pushTree(from, "1.0");
    await copyTree(from, index, to, { tag: "1.0" });
    const { manifests } = await documentOf<ImageIndex>(from, index);
    const { layers } = await documentOf<ImageManifest>(from, manifests[0] as Descriptor);
    await removeBlob(to, layers[0] as Descriptor);
    expect(await copyTree(from, index, to, { tag: "1.0" })).toMatchObject({ bytesCopied: 0 });
    const result = await copyTree(from, index, to, { tag: "1.0", trust: "blobs" });
    expect(result).toMatchObject({ bytesCopied: (layers[0] as Descriptor).size, blobs: 13 });
    expect(await readAll(to, index)).toBe(7);
  });

  test("a tag that names something else is moved", async () => {
    const [from, to] = [await emptyRepository(), await emptyRepository()];
    const first = await pushTree(from, "1.0", "old");
    await copyTree(from, first, to, { tag: "1.0" });
    const second = await pushTree(from, "1.0", "new");
    await copyTree(from, second, to, { tag: "1.0" });
    expect((await to.resolve("1.0")).descriptor.digest).toBe(second.digest);
    expect(await to.hasManifest(first.digest)).toBe(true);
  });
});

async function removeBlob(repository: Repository, { digest }: Descriptor): Promise<void> {
  await rm(`${repository.name.slice("oci:".length)}/blobs/sha256/${hexOf(digest)}`);
}

describe("shapes", () => {
  test("an index in an index, and the same image twice", async () => {
    const [from, target] = [await emptyRepository(), await emptyRepository()];
    const image = await pushImage(from, "amd64");
    const inner = await pushDocument(from, { manifests: [image, image] }, mediaTypes.dockerIndex);
    const outer = await pushDocument(from, { manifests: [inner, image] }, mediaTypes.index, "1");
    const to = watched(target);
    expect(await copyTree(from, outer, to, { tag: "1" })).toMatchObject({ manifests: 3, blobs: 3 });
    expect(to.calls.filter((call) => call === `PUT ${image.digest}`)).toHaveLength(1);
    expect(await readAll(target, outer)).toBe(5);
  });

  test("children that are shared at many depths keep nobody waiting for ever", async () => {
    const [from, to] = [await emptyRepository(), await emptyRepository()];
    let level = [await pushImage(from, "amd64")];
    for (let depth = 0; depth < 7; depth++) {
      const below = level;
      const indexes: Descriptor[] = [];
      for (const width of [0, 1, 2, 3, 4, 5]) {
        const manifests = below.toSpliced(0, width % below.length).concat(below.slice(0, 7 - depth));
        indexes.push(await pushDocument(from, { manifests, annotations: { width: `${width}` } }, mediaTypes.index));
      }
      level = [...indexes, ...below].slice(0, 12);
    }
    const top = await pushDocument(from, { manifests: level }, mediaTypes.index);
    expect((await copyTree(from, top, to, { referrers: false })).manifests).toBeGreaterThan(30);
    expect((await copyTree(from, top, to, { referrers: false })).bytesCopied).toBe(0);
  });

  test("layers that may not be passed on are left out with a notice; a layer that only has urls is copied", async () => {
    const [from, to] = [await emptyRepository(), await emptyRepository()];
    const base = await pushText(from, "base of another maker", mediaTypes.dockerForeignLayer);
    const foreign = { ...base, urls: ["https://layers.example/base"] };
    const plain = { ...(await pushText(from, "plain", mediaTypes.layer)), urls: ["https://layers.example/plain"] };
    const image = await pushImage(from, "amd64", { layers: [foreign, plain], tag: "1" });
    const notices: string[] = [];
    const onProgress = (said: CopyProgress): void => void (said.type === "notice" && notices.push(said.message));
    expect(await copyTree(from, image, to, { tag: "1", onProgress })).toMatchObject({ foreignLayers: 1, blobs: 4 });
    expect(notices).toEqual([expect.stringContaining(`the layer ${base.digest} is not for passing on`)]);
    expect(await to.hasBlob(base)).toBe(false);
    expect(await to.hasBlob(plain)).toBe(true);
  });

  test("an index that names something that is no manifest: it is a blob", async () => {
    const [from, to] = [await emptyRepository(), await emptyRepository()];
    const cache = await pushText(from, "cache", "application/vnd.buildkit.cacheconfig.v0");
    const layer = await pushText(from, "a layer", mediaTypes.layerGzip);
    const index = await pushDocument(from, { manifests: [layer, cache] }, mediaTypes.index);
    expect(await copyTree(from, index, to)).toMatchObject({ blobs: 2, manifests: 1 });
    expect(await to.hasBlob(cache)).toBe(true);
  });

  test("a referrer that refers to what it contains has an end", async () => {
    const [from, to] = [await emptyRepository(), await emptyRepository()];
    const image = await pushImage(from, "amd64", { tag: "1" });
    const index = await pushDocument(from, { manifests: [image], subject: image }, mediaTypes.index);
    expect(await copyTree(from, image, to, { tag: "1" })).toMatchObject({ manifests: 1, referrers: 1 });
    expect((await to.listReferrers(image.digest)).map(({ digest }) => digest)).toEqual([index.digest]);
  });
});

describe("limits and damage", () => {
  test("referrers of referrers without end are refused, before the tag is there", async () => {
    const [from, to] = [await emptyRepository(), await emptyRepository()];
    let subject = await pushImage(from, "amd64", { tag: "1" });
    const image = subject;
    for (let depth = 0; depth < 4; depth++) subject = await pushImage(from, `signature${depth}`, { subject });
    expect(await copyTree(from, image, await emptyRepository(), { limits: { referrerDepth: 4 } })).toMatchObject({
      referrers: 4,
    });
    await expect(copyTree(from, image, to, { tag: "1", limits: { referrerDepth: 3 } })).rejects.toThrow(
      /referrers of referrers, more than 3 deep/,
    );
    expect(await to.hasManifest("1")).toBe(false);
  });

  test("too many manifests and too deep indexes are refused", async () => {
    const [from, to] = [await emptyRepository(), await emptyRepository()];
    const index = await pushTree(from, "1");
    await expect(copyTree(from, index, to, { limits: { manifests: 4 } })).rejects.toThrow(
      /has more than 4 manifests and referrers/,
    );
    await expect(copyTree(from, index, to, { limits: { manifestBytes: 2000 } })).rejects.toThrow(
      /has manifests and referrers of more than 2000 bytes/,
    );
    let nested = await pushDocument(from, { manifests: [] }, mediaTypes.index);
    for (let depth = 0; depth < 9; depth++)
      nested = await pushDocument(from, { manifests: [nested] }, mediaTypes.index);
    await expect(copyTree(from, nested, to)).rejects.toThrow(/indexes in indexes, more than 8 deep/);
  });

  test.each([
    ["{", "is not JSON"],
    ["[]", "is not a JSON object"],
    ['{"layers":[]}', "config is not a descriptor"],
    ['{"config":{"mediaType":"a","digest":"sha512:00","size":1},"layers":[]}', "config is not a descriptor"],
    ['{"config":{"mediaType":"a","digest":"sha256:../../x","size":1},"layers":[]}', "config is not a descriptor"],
    ['{"layers":{}}', "layers is not a list"],
  ])("a manifest %s is refused", async (text, reason) => {
    const [from, to] = [await emptyRepository(), await emptyRepository()];
    const blob = await pushText(from, text, mediaTypes.manifest);
    await expect(copyTree(from, blob, to, { tag: "1" })).rejects.toThrow(reason);
    await expect(copyTree(from, blob, to, { tag: "1" })).rejects.toMatchObject({ kind: "infrastructure" });
  });

  test("a missing layer is said; nothing that names it is written", async () => {
    const [from, to] = [await emptyRepository(), await emptyRepository()];
    const index = await pushTree(from, "1");
    const { manifests } = await documentOf<ImageIndex>(from, index);
    const { layers } = await documentOf<ImageManifest>(from, manifests[0] as Descriptor);
    await removeBlob(from, layers[0] as Descriptor);
    await expect(copyTree(from, index, to, { tag: "1" })).rejects.toThrow(`lacks blob ${layers[0]?.digest}`);
    expect(await to.hasManifest((manifests[0] as Descriptor).digest)).toBe(false);
    expect(await to.hasManifest(index.digest)).toBe(false);
  });
});

test("blobs are mounted only inside of one registry", () => {
  const parse = (left: string, right: string) => mountSource(parseReference(left), parseReference(right));
  expect(parse("a.example/x/y:1", "a.example/z")).toEqual({ mountFrom: "x/y" });
  expect(parse("a.example/x", "b.example/x")).toEqual({});
  expect(parse("oci:a", "a.example/x")).toEqual({});
});
