import { writeFile } from "node:fs/promises";
import { join } from "node:path";
import { afterAll, beforeAll, describe, expect, onTestFinished, test } from "vitest";
import { type Digest, digestOf, hexOf } from "../../src/oci/digest.ts";
import { createRegistryClient, type RegistryClientOptions } from "../../src/oci/registry/client.ts";
import type { Repository } from "../../src/oci/repository.ts";
import { type Descriptor, mediaTypes } from "../../src/oci/types.ts";
import { startRegistry, startServer, type TestRegistry, type TestServer } from "../support/registry.ts";
import { failureOf, layerOf, pieces, push, randomImage, readAll } from "../support/registry-images.ts";

const retry = { retries: 3, firstDelay: 5, longestWait: 2 };
let registry: TestRegistry;

beforeAll(async () => {
  registry = await startRegistry();
});
afterAll(() => registry.stop());

function open(host: string, repository: string, options: RegistryClientOptions = {}): Repository {
  const client = createRegistryClient({ env: { DOCKER_CONFIG: "/nonexistent" }, retry, ...options });
  onTestFinished(() => client.close());
  return client.repository({ host, repository });
}

async function relay(options: Parameters<typeof startServer>[0]): Promise<TestServer> {
  const server = await startServer({ behind: registry.host, ...options });
  onTestFinished(() => server.stop());
  return server;
}

describe("an image", () => {
  test("pushed comes back the same; the second push sends nothing", async () => {
    const front = await relay({});
    const repository = open(front.host, "team/app");
    const image = randomImage();
    const size = [...image.blobs.values()].reduce((sum, bytes) => sum + bytes.length, 0);
    expect(await repository.find("1.0")).toBeUndefined();
    expect(await repository.hasManifest("1.0")).toBe(false);
    expect(await push(repository, image, "1.0")).toBe(size);
    expect(await repository.hasManifest("1.0")).toBe(true);

    const { descriptor, bytes } = await repository.resolve("1.0");
    expect(descriptor).toEqual({ mediaType: mediaTypes.manifest, digest: image.digest, size: image.manifest.length });
    expect(Buffer.from(bytes).equals(image.manifest)).toBe(true);
    expect((await repository.resolve(image.digest)).descriptor).toEqual(descriptor);
    expect(Buffer.from(await repository.readDocument(descriptor)).equals(image.manifest)).toBe(true);
    for (const [blob, content] of image.blobs) {
      expect(await repository.hasBlob(blob)).toBe(true);
      expect((await readAll(repository, blob)).equals(content)).toBe(true);
    }

    const before = front.seen.length;
    expect(await push(repository, image, "1.0")).toBe(0);
    // one question for each blob and the manifest, as crane does
    const asked = front.seen.slice(before).map(({ method }) => method);
    expect(asked).toEqual(Array.from({ length: image.blobs.size + 1 }, () => "HEAD"));
  });

  test("is mounted from another repository without sending its bytes", async () => {
    const front = await relay({});
    const image = randomImage();
    await push(open(front.host, "from/here"), image, "1");
    const [layer, bytes] = layerOf(image);
    const to = open(front.host, "to/there");
    expect(await to.pushBlob(layer, () => pieces(bytes), { mountFrom: "from/here" })).toBe(0);
    expect((await readAll(to, layer)).equals(bytes)).toBe(true);
    expect(front.seen.filter(({ method, path }) => method === "PUT" && path.startsWith("/v2/to/there"))).toEqual([]);
    const [other, otherBytes] = layerOf(randomImage());
    expect(await to.pushBlob(other, () => pieces(otherBytes), { mountFrom: "from/here" })).toBe(other.size);
  });

  test("damaged in the registry's storage is noticed, in blobs and manifests", async () => {
    const repository = open(registry.host, "damaged");
    const image = randomImage();
    await push(repository, image, "1");
    const [layer, bytes] = layerOf(image);
    const pathOf = (digest: Digest): string =>
      join(registry.storage, "docker/registry/v2/blobs/sha256", hexOf(digest).slice(0, 2), hexOf(digest), "data");
    const changed = Buffer.from(bytes);
    changed[1000] = (changed[1000] ?? 0) ^ 1;
    await writeFile(pathOf(layer.digest), changed);
    expect((await failureOf(readAll(repository, layer))).message).toMatch(/changed or damaged/);
    await writeFile(pathOf(layer.digest), bytes.subarray(0, 1000));
    expect((await failureOf(readAll(repository, layer))).message).toMatch(/1000 bytes, not the 300000.*damaged/);
    await writeFile(
      pathOf(image.digest),
      image.manifest.toString().replace("linux", "linuy").replace('"size":0', '"size":1'),
    );
    const descriptor: Descriptor = {
      mediaType: mediaTypes.manifest,
      digest: image.digest,
      size: image.manifest.length,
    };
    await expect(repository.readDocument(descriptor)).rejects.toMatchObject({ kind: "infrastructure" });
    await expect(repository.resolve("1")).rejects.toMatchObject({ kind: "infrastructure" });
  });
});

describe("content is checked", () => {
  test("what a proxy changed on the way is refused, whatever the headers say", async () => {
    const image = randomImage();
    await push(open(registry.host, "proxied"), image, "1");
    const evil = Buffer.from(image.manifest.toString().replace("amd64", "arm64").replace('"size":0', '"size":9'));
    const front = await relay({
      handle: (_, response, { method, path }) => {
        if (method !== "GET" || !path.includes("/manifests/")) return false;
        response
          .writeHead(200, { "content-type": mediaTypes.manifest, "docker-content-digest": image.digest })
          .end(evil);
        return true;
      },
    });
    const repository = open(front.host, "proxied");
    expect((await failureOf(repository.resolve("1"))).message).toMatch(/changed or damaged/);
    expect((await failureOf(repository.resolve(image.digest))).message).toMatch(/changed or damaged/);
    const silent = await relay({
      handle: (_, response) => {
        response.writeHead(200, { "content-type": mediaTypes.manifest }).end(evil);
        return true;
      },
    });
    expect((await failureOf(open(silent.host, "proxied").resolve(image.digest))).message).toMatch(/changed or damaged/);
  });

  test("a blob that is not what its descriptor says is not pushed, and ours is blamed", async () => {
    const repository = open(registry.host, "wrong");
    const [layer, bytes] = layerOf(randomImage());
    const changed = Buffer.from(bytes);
    changed[5] = (changed[5] ?? 0) ^ 1;
    for (const wrong of [changed, bytes.subarray(1), Buffer.concat([bytes, bytes])]) {
      expect((await failureOf(repository.pushBlob(layer, () => pieces(wrong)))).message).toMatch(
        /blob for .*\/wrong (has|is longer)/,
      );
    }
    expect(await repository.hasBlob(layer)).toBe(false);
  });

  test("a document that mixes an index with a manifest, says another type inside, or is too large", async () => {
    const answers = new Map<string, [string, string]>([
      ["mixed", [mediaTypes.index, '{"schemaVersion":2,"manifests":[],"layers":[]}']],
      ["other", [mediaTypes.index, `{"schemaVersion":2,"mediaType":"${mediaTypes.manifest}"}`]],
      ["old", ["application/vnd.docker.distribution.manifest.v1+prettyjws", '{"schemaVersion":1}']],
      ["html", ["text/html", "<html>"]],
      ["large", [mediaTypes.index, " ".repeat(5_000_000)]],
    ]);
    const front = await relay({
      handle: (_, response, { path }) => {
        const [mediaType, text] = answers.get(path.split("/").at(-1) ?? "") ?? ["", ""];
        response.writeHead(200, { "content-type": mediaType }).end(text);
        return true;
      },
    });
    const repository = open(front.host, "x");
    const messages = [
      /mixes an index/,
      /was sent as .*index.* says it is .*manifest/,
      /schema 1/,
      /not JSON/,
      /more than 4194304/,
    ];
    for (const [index, tag] of [...answers.keys()].entries())
      expect((await failureOf(repository.resolve(tag))).message).toMatch(messages[index] ?? /never/);
  });

  test("names that are none are refused before anything is sent", async () => {
    const front = await relay({});
    expect(() => open(front.host, "../evil")).toThrow(/not the name of a repository/);
    await expect(open(front.host, "a").resolve("../../x")).rejects.toMatchObject({ kind: "usage" });
    await expect(
      open(front.host, "a").pushManifest(Buffer.from("{}"), mediaTypes.manifest, digestOf("other")),
    ).rejects.toMatchObject({ kind: "usage" });
    expect(front.seen).toEqual([]);
  });
});
