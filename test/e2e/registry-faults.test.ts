import { randomBytes } from "node:crypto";
import { afterAll, beforeAll, expect, onTestFinished, test } from "vitest";
import { RefoundryError } from "../../src/errors.ts";
import { digestOf } from "../../src/oci/digest.ts";
import { createRegistryClient } from "../../src/oci/registry/client.ts";
import type { Repository } from "../../src/oci/repository.ts";
import { type Descriptor, type ImageIndex, type ImageManifest, mediaTypes } from "../../src/oci/types.ts";
import { type FaultKind, type FaultyProxy, startFaultyProxy } from "../support/faulty-proxy.ts";
import { startRegistry, type TestRegistry } from "../support/registry.ts";
import { pieces, readAll } from "../support/registry-images.ts";

const seeds = 60;
const retry = { retries: 2, firstDelay: 2, longestWait: 1 };
const timeouts = { answer: 0.4, commit: 0.6, body: 0.4 };
let registry: TestRegistry;

beforeAll(async () => {
  registry = await startRegistry();
});
afterAll(() => registry.stop());

interface Release {
  readonly blobs: readonly (readonly [Descriptor, Buffer])[];
  readonly manifests: readonly (readonly [Descriptor, Buffer])[];
  readonly index: Buffer;
  readonly referrer: Buffer;
}

/** Two layers of a megabyte, a config, a manifest, an index of it and what refers to the index. */
function randomRelease(): Release {
  const blobOf = (bytes: Buffer, mediaType: string): readonly [Descriptor, Buffer] => [
    { mediaType, digest: digestOf(bytes), size: bytes.length },
    bytes,
  ];
  const documentOf = (content: object, mediaType: string): readonly [Descriptor, Buffer] =>
    blobOf(Buffer.from(JSON.stringify({ schemaVersion: 2, mediaType, ...content })), mediaType);
  const nonce = randomBytes(8).toString("hex");
  const config = blobOf(Buffer.from(JSON.stringify({ architecture: "amd64", os: "linux", nonce })), mediaTypes.config);
  const layers = [1, 2].map(() => blobOf(randomBytes(1_000_000), mediaTypes.layerGzip));
  const image = { config: config[0], layers: layers.map(([descriptor]) => descriptor) };
  const manifest = documentOf(image, mediaTypes.manifest);
  const index = documentOf({ manifests: [manifest[0]] }, mediaTypes.index);
  const referrer = documentOf(
    { artifactType: "application/vnd.test", config: config[0], layers: [], subject: index[0] },
    mediaTypes.manifest,
  );
  return { blobs: [config, ...layers], manifests: [manifest], index: index[1], referrer: referrer[1] };
}

async function pushRelease(to: Repository, release: Release): Promise<void> {
  // one fails, all are waited for
  const results = await Promise.allSettled(
    release.blobs.map(([blob, bytes]) => to.pushBlob(blob, () => pieces(bytes))),
  );
  for (const result of results) if (result.status === "rejected") throw result.reason;
  for (const [{ mediaType, digest }, bytes] of release.manifests) await to.pushManifest(bytes, mediaType, digest);
  await to.pushManifest(release.referrer, mediaTypes.manifest, digestOf(release.referrer));
  await to.pushManifest(release.index, mediaTypes.index, "1.0");
}

/** Reads all that a tag names, every byte checked. */
async function readTag(from: Repository, tag: string): Promise<number> {
  const { bytes } = await from.resolve(tag);
  const { manifests } = JSON.parse(Buffer.from(bytes).toString()) as ImageIndex;
  let size = 0;
  for (const entry of manifests) {
    const manifest = JSON.parse(Buffer.from(await from.readDocument(entry)).toString()) as ImageManifest;
    for (const blob of [manifest.config, ...manifest.layers]) size += (await readAll(from, blob)).length;
  }
  return size;
}

function open(host: string, name: string, resumableBytes: number): Repository {
  const client = createRegistryClient({ env: { DOCKER_CONFIG: "/nonexistent" }, retry, timeouts, resumableBytes });
  onTestFinished(() => client.close());
  return client.repository({ host, repository: name });
}

async function proxy(seed: number, rate: number): Promise<FaultyProxy> {
  const started = await startFaultyProxy({ behind: registry.host, seed, rate });
  onTestFinished(() => started.stop());
  return started;
}

test(`whatever breaks, the same push again and again ends well, and no tag names what is not there (${seeds} seeds)`, async () => {
  const faults = new Map<FaultKind, number>();
  let reruns = 0;
  for (let seed = 1; seed <= seeds; seed++) {
    const front = await proxy(seed, 0.25);
    const release = randomRelease();
    const size = release.blobs.reduce((sum, [, bytes]) => sum + bytes.length, 0);
    const direct = open(registry.host, `faulty/${seed}`, 1e9);
    // half of the runs send layers so that they can go on where they broke off
    const through = open(front.host, `faulty/${seed}`, seed % 2 === 0 ? 500_000 : 1e9);
    for (let attempt = 1; ; attempt++) {
      const failure = await pushRelease(through, release).then(
        () => undefined,
        (error: unknown) => error,
      );
      if (failure === undefined) break;
      reruns++;
      // a failure that people can read, not a defect
      expect(failure, String(failure)).toBeInstanceOf(RefoundryError);
      expect(String(failure)).toContain(`${front.host}/faulty/${seed}`);
      if (await direct.hasManifest("1.0")) expect(await readTag(direct, "1.0")).toBe(size);
      expect(attempt, `seed ${seed}`).toBeLessThan(60);
    }
    expect(await readTag(direct, "1.0")).toBe(size);
    const subject = digestOf(release.index);
    expect((await direct.listReferrers(subject)).map(({ digest }) => digest)).toEqual([digestOf(release.referrer)]);
    for (const { kind } of front.faults) faults.set(kind, (faults.get(kind) ?? 0) + 1);
    await front.stop();
  }
  expect(faults.size).toBe(11);
  expect(reruns).toBeGreaterThan(20);
});

test("whatever breaks, reading gives the content or fails", async () => {
  const release = randomRelease();
  await pushRelease(open(registry.host, "read", 1e9), release);
  const size = release.blobs.reduce((sum, [, bytes]) => sum + bytes.length, 0);
  let good = 0;
  for (let seed = 1; seed <= 30; seed++) {
    const front = await proxy(seed, 0.3);
    const through = open(front.host, "read", 1e9);
    const read = await readTag(through, "1.0").catch((error: unknown) => error);
    if (typeof read === "number") {
      expect(read).toBe(size);
      good++;
    } else expect(read, String(read)).toBeInstanceOf(RefoundryError);
    await front.stop();
  }
  expect(good).toBeGreaterThan(5);
});

test("the same seed breaks the same requests", async () => {
  const runs: string[] = [];
  for (let run = 0; run < 2; run++) {
    const front = await proxy(7, 0.5);
    for (let call = 0; call < 20; call++)
      await fetch(`http://${front.host}/v2/`, { signal: AbortSignal.timeout(200) })
        .then((response) => response.text())
        .catch(() => {});
    runs.push(front.faults.map(({ kind }) => kind).join(" "));
    front.setRate(0);
    expect((await fetch(`http://${front.host}/v2/`)).status).toBe(200);
    await front.stop();
  }
  expect(runs[0]).toBe(runs[1]);
  expect(runs[0]?.length).toBeGreaterThan(10);
});
