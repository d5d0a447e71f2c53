import { afterAll, beforeAll, describe, expect, onTestFinished, test } from "vitest";
import { digestOf } from "../../src/oci/digest.ts";
import { createRegistryClient, type RegistryClientOptions } from "../../src/oci/registry/client.ts";
import { referrerTag } from "../../src/oci/referrers.ts";
import type { Repository } from "../../src/oci/repository.ts";
import { type Descriptor, mediaTypes } from "../../src/oci/types.ts";
import { runChecked } from "../../src/process/run.ts";
import { startRegistry, startServer, type TestRegistry, type TestServer } from "../support/registry.ts";
import { failureOf, type Image, pieces, push, randomImage } from "../support/registry-images.ts";
import { toolPath } from "../support/tools.ts";

const retry = { retries: 3, firstDelay: 5, longestWait: 2 };
const emptyConfig = Buffer.from("{}");
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

interface Referrer {
  readonly bytes: Buffer;
  readonly descriptor: Descriptor;
}

/** A manifest that refers to a subject; without `artifactType` its config's type stands for it. */
function referrerOf(image: Image, name: string, artifactType?: string): Referrer {
  const config = { mediaType: "application/vnd.test.config", digest: digestOf(emptyConfig), size: emptyConfig.length };
  const annotations = { "test.name": name };
  const subject = { mediaType: mediaTypes.manifest, digest: image.digest, size: image.manifest.length };
  const content = { schemaVersion: 2, mediaType: mediaTypes.manifest, config, layers: [], subject, annotations };
  const bytes = Buffer.from(JSON.stringify({ ...content, ...(artifactType !== undefined && { artifactType }) }));
  return {
    bytes,
    descriptor: {
      mediaType: mediaTypes.manifest,
      digest: digestOf(bytes),
      size: bytes.length,
      artifactType: artifactType ?? config.mediaType,
      annotations,
    },
  };
}

async function pushReferrer(to: Repository, { bytes, descriptor }: Referrer): Promise<void> {
  const blob = { digest: digestOf(emptyConfig), size: emptyConfig.length };
  await to.pushBlob(blob, () => pieces(emptyConfig));
  await to.pushManifest(bytes, mediaTypes.manifest, descriptor.digest);
}

function sorted(referrers: readonly Referrer[]): Descriptor[] {
  return referrers.map(({ descriptor }) => descriptor).toSorted((a, b) => (a.digest < b.digest ? -1 : 1));
}

describe("a registry without a referrers API", () => {
  test("lists what was pushed under the referrers tag, as oras finds it", async () => {
    const front = await relay({});
    const repository = open(front.host, "team/app");
    const image = randomImage();
    await push(repository, image, "1");
    expect(await repository.listReferrers(image.digest)).toEqual([]);
    const referrers = [
      referrerOf(image, "a", "application/vnd.test.a"),
      referrerOf(image, "b", "application/vnd.test.b"),
      referrerOf(image, "c"),
    ];
    await Promise.all(referrers.map((referrer) => pushReferrer(repository, referrer)));
    expect(await repository.listReferrers(image.digest)).toEqual(sorted(referrers));
    expect(await repository.listReferrers(image.digest, { artifactType: "application/vnd.test.b" })).toEqual(
      sorted(referrers.slice(1, 2)),
    );
    expect(await repository.listReferrers(image.digest, { artifactType: "application/vnd.none" })).toEqual([]);
    expect(await repository.listTags()).toEqual(["1"]);
    const args = ["discover", "--plain-http", "--format", "json", `${registry.host}/team/app@${image.digest}`];
    const { stdout } = await runChecked({ file: toolPath("oras"), args }, "oras discover");
    for (const { descriptor } of referrers) expect(stdout).toContain(descriptor.digest);

    // once more: nothing is written
    const before = front.seen.length;
    for (const { bytes, descriptor } of referrers)
      await repository.pushManifest(bytes, mediaTypes.manifest, descriptor.digest);
    expect(new Set(front.seen.slice(before).map(({ method }) => method))).toEqual(new Set(["HEAD", "GET"]));
  });

  test("has a referrer listed that was written, and whose writer was stopped before listing it", async () => {
    const image = randomImage();
    const referrer = referrerOf(image, "a");
    await push(open(registry.host, "repair"), image, "1");
    // the registry seems to keep the list itself, so that nobody writes the tag
    const front = await relay({
      handle: (_, response, { method }) => {
        if (method === "PUT") response.setHeader("oci-subject", image.digest);
        return false;
      },
    });
    await pushReferrer(open(front.host, "repair"), referrer);
    const repository = open(registry.host, "repair");
    expect(await repository.hasManifest(referrer.descriptor.digest)).toBe(true);
    expect(await repository.listReferrers(image.digest)).toEqual([]);
    await pushReferrer(repository, referrer);
    expect(await repository.listReferrers(image.digest)).toEqual([referrer.descriptor]);
  });

  test("many writers at once lose nothing, and the index is the same whoever wrote it", async () => {
    const image = randomImage();
    await push(open(registry.host, "race"), image, "1");
    const referrers = Array.from({ length: 24 }, (_, index) => referrerOf(image, `r${index}`));
    const writers = Array.from({ length: 6 }, () => open(registry.host, "race"));
    await Promise.all(
      referrers.map(async (referrer, index) =>
        pushReferrer(writers[index % 6] ?? open(registry.host, "race"), referrer),
      ),
    );
    const [repository] = writers;
    expect(await repository?.listReferrers(image.digest)).toEqual(sorted(referrers));
    const index = await repository?.resolve(referrerTag(image.digest));
    expect(Buffer.from(index?.bytes ?? []).toString()).toBe(
      JSON.stringify({
        manifests: sorted(referrers).map(({ annotations, artifactType, digest, mediaType, size }) => ({
          annotations,
          artifactType,
          digest,
          mediaType,
          size,
        })),
        mediaType: mediaTypes.index,
        schemaVersion: 2,
      }),
    );
  });

  test.each([
    ["twice", 2],
    ["always", Infinity],
  ])("another writer overwrites ours %s", async (_, times) => {
    const image = randomImage();
    const direct = open(registry.host, `lost/${_}`);
    await push(direct, image, "1");
    const [other, ours] = [referrerOf(image, "other"), referrerOf(image, "ours")];
    await pushReferrer(direct, other);
    const { bytes: before } = await direct.resolve(referrerTag(image.digest));
    let writes = 0;
    const front = await relay({
      handle: async (_request, _response, { method, path }) => {
        const isRead = method === "GET" && path.includes("/manifests/sha256-");
        if (isRead && writes > 0 && writes <= times)
          await fetch(`http://${registry.host}${path}`, {
            method: "PUT",
            headers: { "content-type": mediaTypes.index },
            body: Buffer.from(before),
          });
        if (method === "PUT" && path.includes("/manifests/sha256-")) writes++;
        return false;
      },
    });
    const pushing = pushReferrer(open(front.host, `lost/${_}`), ours);
    if (times === Infinity) {
      expect((await failureOf(pushing)).message).toMatch(
        new RegExp(`^${front.host}/lost/always:sha256-.*others wrote .*at the same time[^]*run the same command again`),
      );
      return;
    }
    await pushing;
    expect(writes).toBe(3);
    expect(await direct.listReferrers(image.digest)).toEqual(sorted([other, ours]));
  });

  test("something else under the referrers tag is not overwritten", async () => {
    const image = randomImage();
    const repository = open(registry.host, "occupied");
    await push(repository, image, "1");
    await push(repository, image, referrerTag(image.digest));
    const message = new RegExp(`${registry.host}/occupied:sha256-.* should be the list of referrers[^]*another tag`);
    expect((await failureOf(pushReferrer(repository, referrerOf(image, "a")))).message).toMatch(message);
    expect((await failureOf(repository.listReferrers(image.digest))).message).toMatch(message);
  });

  test("a referrer that was deleted from the registry does not stand in the way of others", async () => {
    const image = randomImage();
    const repository = open(registry.host, "deleted");
    await push(repository, image, "1");
    const [first, second, third] = ["1", "2", "3"].map((name) => referrerOf(image, name)) as [
      Referrer,
      Referrer,
      Referrer,
    ];
    await pushReferrer(repository, first);
    await pushReferrer(repository, second);
    const url = `http://${registry.host}/v2/deleted/manifests/${first.descriptor.digest}`;
    expect((await fetch(url, { method: "DELETE" })).status).toBe(202);
    await pushReferrer(repository, third);
    expect(await repository.listReferrers(image.digest)).toEqual(sorted([second, third]));
  });

  test("what others wrote into the index stays", async () => {
    const image = randomImage();
    const repository = open(registry.host, "foreign");
    await push(repository, image, "1");
    const [theirs, ours] = [referrerOf(image, "theirs"), referrerOf(image, "ours")];
    await pushReferrer(repository, theirs);
    const entry = { ...theirs.descriptor, "io.example.unknown": [1] };
    const index = { schemaVersion: 2, mediaType: mediaTypes.index, annotations: { a: "b" }, manifests: [entry] };
    const bytes = Buffer.from(JSON.stringify(index));
    await repository.pushManifest(bytes, mediaTypes.index, referrerTag(image.digest));
    await pushReferrer(repository, ours);
    const after: unknown = JSON.parse(
      Buffer.from((await repository.resolve(referrerTag(image.digest))).bytes).toString(),
    );
    expect(after).toMatchObject({ annotations: { a: "b" }, manifests: expect.arrayContaining([entry]) });
    expect(await repository.listReferrers(image.digest)).toEqual(sorted([theirs, ours]));
  });
});

describe("a registry with a referrers API", () => {
  const image = randomImage();
  const referrers = Array.from({ length: 5 }, (_, index) =>
    referrerOf(image, `r${index}`, `application/vnd.test.${index % 2}`),
  );

  /** Lists the referrers in pages of two. */
  async function api(
    options: { readonly filters?: boolean; readonly link?: (next: string) => string } = {},
  ): Promise<TestServer> {
    return relay({
      handle: (_, response, { method, path }) => {
        const url = new URL(path, "http://x");
        if (method === "PUT" && url.pathname.includes("/manifests/sha256:"))
          response.setHeader("oci-subject", image.digest);
        if (!url.pathname.endsWith(`/referrers/${image.digest}`)) return false;
        const type = url.searchParams.get("artifactType");
        const all = sorted(referrers).toReversed();
        const chosen = options.filters && type !== null ? all.filter((entry) => entry.artifactType === type) : all;
        const at = Number(url.searchParams.get("at") ?? 0);
        if (at + 2 < chosen.length) {
          url.searchParams.set("at", String(at + 2));
          const next = `${url.pathname}${url.search}`;
          response.setHeader("link", options.link?.(next) ?? `<${next}>; rel="next"`);
        }
        if (options.filters && type !== null) response.setHeader("oci-filters-applied", "artifactType");
        const index = { schemaVersion: 2, mediaType: mediaTypes.index, manifests: chosen.slice(at, at + 2) };
        response.writeHead(200, { "content-type": mediaTypes.index }).end(JSON.stringify(index));
        return true;
      },
    });
  }

  test.each([true, false])("is read page by page; it filters itself: %s", async (filters) => {
    const front = await api({ filters });
    const repository = open(front.host, "api");
    expect(await repository.listReferrers(image.digest)).toEqual(sorted(referrers));
    expect(front.seen).toHaveLength(3);
    expect(await repository.listReferrers(image.digest, { artifactType: "application/vnd.test.1" })).toEqual(
      sorted([1, 3].flatMap((index) => referrers[index] ?? [])),
    );
    expect(front.seen).toHaveLength(filters ? 4 : 6);
    expect(front.seen.at(3)?.path).toContain("artifactType=application%2Fvnd.test.1");
  });

  test("keeps the list itself: pushing one writes no tag, and a second time only looks", async () => {
    const front = await api();
    const repository = open(front.host, "api/push");
    await push(repository, image, "1");
    const [first] = referrers;
    if (!first) throw new Error("no referrer");
    await pushReferrer(repository, first);
    const before = front.seen.length;
    await repository.pushManifest(first.bytes, mediaTypes.manifest, first.descriptor.digest);
    expect(front.seen.slice(before).map(({ method }) => method)).toEqual(["HEAD", "GET", "GET", "GET"]);
    expect(front.seen.filter(({ path }) => path.includes("manifests/sha256-"))).toEqual([]);
  });

  test.each([
    ["another server", () => '<https://evil.example/v2/x>; rel="next"', /another server.*https:\/\/evil\.example/],
    ["another server by scheme", (next: string) => `<//evil.example${next}>; rel="next"`, /another server/],
    ["no address", () => "<http://[>; rel=next", /another server/],
    ["itself", (next: string) => `<${next.replace("at=4", "at=2")}>; rel="next"`, /goes in circles/],
  ])("a list that leads to %s is refused", async (_, link, message) => {
    const front = await api({ link });
    const failure = await failureOf(open(front.host, "api").listReferrers(image.digest));
    expect(failure.message).toMatch(message);
    expect(failure.message).toContain(`list of referrers of ${image.digest} of ${front.host}/api`);
  });

  test("a next page that another scheme of the same host names is read as the first was", async () => {
    const front = await api({ link: (next) => `<https://${front.host}${next}>; foo="<"; rel="next last"` });
    expect(await open(front.host, "api").listReferrers(image.digest)).toEqual(sorted(referrers));
  });

  test.each([
    ["half an index", mediaTypes.index, '{"schemaVersion":2,"manif', /is damaged/],
    ["no descriptors", mediaTypes.index, '{"schemaVersion":2,"manifests":[{"digest":"sha256:1"}]}', /no descriptor/],
    ["a page too large", mediaTypes.index, " ".repeat(5_000_000), /more than 4194304 bytes/],
    ["a web page", "text/html", "<html>", undefined],
    [
      "a digest of another algorithm",
      mediaTypes.index,
      `{"schemaVersion":2,"manifests":[{"digest":"sha512:${"a".repeat(128)}"}]}`,
      undefined,
    ],
  ])("%s", async (_, contentType, body, message) => {
    const front = await relay({
      handle: (_request, response, { path }) => {
        if (!path.includes("/referrers/")) return false;
        response.writeHead(200, { "content-type": contentType }).end(body);
        return true;
      },
    });
    const listing = open(front.host, "odd").listReferrers(image.digest);
    if (message) expect((await failureOf(listing)).message).toMatch(message);
    else expect(await listing).toEqual([]);
  });
});

describe("tags", () => {
  test("all of them, in order, without those that stand for referrers", async () => {
    const repository = open(registry.host, "tagged");
    expect(await repository.listTags()).toEqual([]);
    const image = randomImage();
    const hex = image.digest.slice("sha256:".length);
    for (const tag of [
      "b",
      "a",
      "Z",
      "1.0",
      `sha256-${hex}`,
      `sha256-${hex}.sig`,
      `sha256-${hex}.att`,
      `sha256-${hex}.x`,
    ])
      await push(repository, image, tag);
    expect(await repository.listTags()).toEqual(["1.0", "Z", "a", "b", `sha256-${hex}.x`]);
  });

  test("in pages, from a registry that gives fewer than asked for and repeats itself", async () => {
    const all = Array.from({ length: 250 }, (_, index) => `v${String(index).padStart(3, "0")}`);
    const front = await relay({
      handle: (_, response, { path }) => {
        const url = new URL(path, "http://x");
        expect(url.searchParams.get("n")).toBe("1000");
        const at = all.indexOf(url.searchParams.get("last") ?? "v000");
        const tags = [...all.slice(at, at + 100), "not a tag", 5];
        if (at + 100 < all.length)
          response.setHeader("link", `</v2/x/tags/list?n=1000&last=${all[at + 99]}>; rel=next`);
        response.writeHead(200, { "content-type": "application/json" }).end(JSON.stringify({ name: "x", tags }));
        return true;
      },
    });
    expect(await open(front.host, "x").listTags()).toEqual(all);
    expect(front.seen).toHaveLength(3);
  });

  test.each([
    ["null", '{"name":"x","tags":null}', []],
    ["something else", "<html>", /something else than a list of tags/],
  ])("%s", async (_, body, expected) => {
    const front = await relay({
      handle: (_request, response) => {
        response.writeHead(200).end(body);
        return true;
      },
    });
    const listing = open(front.host, "x").listTags();
    if (expected instanceof RegExp) expect((await failureOf(listing)).message).toMatch(expected);
    else expect(await listing).toEqual(expected);
  });

  test("a list without an end", async () => {
    let page = 0;
    const front = await relay({
      handle: (_, response) => {
        response.setHeader("link", `</v2/x/tags/list?last=${page++}>; rel="next"`);
        response.writeHead(200).end('{"tags":[]}');
        return true;
      },
    });
    expect((await failureOf(open(front.host, "x").listTags())).message).toMatch(/list of tags .*more than 1000 pages/);
  });
});
