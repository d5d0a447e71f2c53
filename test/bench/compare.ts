// The comparator against the physical limit: the time that inflating and hashing the same
// blobs takes with node:zlib and node:crypto alone, and the memory it needs. Ratios of
// pairs measured in one run. Run with npm run bench:compare [RUNS] [MIB].
import { spawn } from "node:child_process";
import { createHash } from "node:crypto";
import { createReadStream } from "node:fs";
import { mkdtemp, rm } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { createGunzip, createGzip } from "node:zlib";
import { ensureLayout, type OciLayout } from "../../src/oci/layout.ts";
import { type TarInput, tarEntries } from "../../src/oci/tar/write.ts";
import { type Descriptor, type ImageManifest, mediaTypes } from "../../src/oci/types.ts";

const runs = Number(process.argv[2] ?? 3);
const mebibytes = Number(process.argv[3] ?? 1024);
const filesPerImage = 25_000;
const layersPerImage = 4;
const starter = new URL("../../scripts/refoundry", import.meta.url).pathname;
const say = (line: string): void => void process.stdout.write(`${line}\n`);
const median = (values: readonly number[]): number =>
  values.toSorted((a, b) => a - b)[Math.floor(values.length / 2)] ?? 0;

/** 64 KiB to draw pieces from, so that the content compresses about three to one. */
const pool = (() => {
  const random = createRandom(42);
  return Buffer.from(Uint8Array.from({ length: 64 * 1024 }, () => Math.floor(random() * 64) + 48));
})();

const folder = await mkdtemp(join(tmpdir(), "refoundry-bench-"));
try {
  const layout = await ensureLayout(join(folder, "layout"));
  say(`making three images of ${mebibytes} MiB and ${filesPerImage} files`);
  const left = await makeImage(layout, [1, 2, 3, 4]);
  const different = await makeImage(layout, [5, 6, 7, 8]);
  const shared = await makeImage(layout, [1, 2, 3, 9]);
  const sameTars = await makeImage(layout, [1, 2, 3, 4], 1);
  await measure("two different images", 1.35, left, different, [left, different]);
  await measure("three of four layers shared", 1.1, left, shared, [left, shared.layers.slice(3)]);
  await measure("the same layers, compressed otherwise", 1.35, left, sameTars, [left, sameTars]);
} finally {
  await rm(folder, { recursive: true, force: true });
}

interface BenchImage {
  readonly manifest: Descriptor;
  readonly layers: readonly Descriptor[];
}

async function measure(
  title: string,
  limit: number,
  left: BenchImage,
  right: BenchImage,
  read: readonly (BenchImage | readonly Descriptor[])[],
): Promise<void> {
  const ratios: number[] = [];
  let peak = 0;
  for (let run = 0; run < runs; run += 1) {
    const floor = await seconds(() => floorOf(read.map((side) => ("layers" in side ? side.layers : side))));
    const ours = await compareByCommand(left, right);
    ratios.push(ours.seconds / floor);
    peak = Math.max(peak, ours.mebibytes);
    say(
      `  ${title}: ${ours.seconds.toFixed(2)} s, floor ${floor.toFixed(2)} s, ratio ${(ours.seconds / floor).toFixed(3)}, peak ${ours.mebibytes.toFixed(0)} MiB`,
    );
  }
  say(
    `${title}: median ratio ${median(ratios).toFixed(3)} (aim ${limit}), peak memory ${peak.toFixed(0)} MiB (aim 250)`,
  );
}

async function seconds(work: () => Promise<unknown>): Promise<number> {
  const startedAt = performance.now();
  await work();
  return (performance.now() - startedAt) / 1000;
}

/** Both sides side by side, as nothing else than the machine would do it. */
async function floorOf(sides: readonly (readonly Descriptor[])[]): Promise<void> {
  await Promise.all(
    sides.map(async (layers) => {
      for (const layer of layers) await inflateAndHash(layer);
    }),
  );
}

async function inflateAndHash(layer: Descriptor): Promise<void> {
  const path = join(folder, "layout", "blobs", "sha256", layer.digest.slice("sha256:".length));
  const [blobHash, tarHash] = [createHash("sha256"), createHash("sha256")];
  const file = createReadStream(path, { highWaterMark: 1024 * 1024 });
  file.on("data", (chunk) => void blobHash.update(chunk));
  const gunzip = file.pipe(createGunzip({ chunkSize: 1024 * 1024 }));
  for await (const chunk of gunzip as AsyncIterable<Buffer>) tarHash.update(chunk);
  if (`sha256:${blobHash.digest("hex")}` !== layer.digest) throw new Error(`${layer.digest} is damaged`);
  tarHash.digest();
}

/** The comparison in a process of its own, start-up included, as people run it. */
async function compareByCommand(
  left: BenchImage,
  right: BenchImage,
): Promise<{ readonly seconds: number; readonly mebibytes: number }> {
  const name = (image: BenchImage): string => `oci:${join(folder, "layout")}@${image.manifest.digest}`;
  const startedAt = performance.now();
  const child = spawn(starter, ["compare", name(left), name(right), "--json"], {
    stdio: ["ignore", "ignore", "pipe"],
    env: { ...process.env, NODE_OPTIONS: `--import ${new URL("peak-memory.ts", import.meta.url).href}` },
  });
  const said = Buffer.concat(await Array.fromAsync(child.stderr as AsyncIterable<Buffer>)).toString();
  const kilobytes = Number(/peak (\d+) KiB/.exec(said)?.[1]);
  if (!(kilobytes > 0)) throw new Error(`the comparison failed: ${said}`);
  return { seconds: (performance.now() - startedAt) / 1000, mebibytes: kilobytes / 1024 };
}

async function makeImage(layout: OciLayout, seeds: readonly number[], level = 6): Promise<BenchImage> {
  const layers: Descriptor[] = [];
  const diffIds: string[] = [];
  for (const seed of seeds) {
    const hash = createHash("sha256");
    const gzip = createGzip({ level, chunkSize: 1024 * 1024 });
    const feeding = (async () => {
      for await (const chunk of tarEntries(entriesOf(seed))) {
        hash.update(chunk);
        if (!gzip.write(chunk)) await new Promise((resolve) => gzip.once("drain", resolve));
      }
      gzip.end();
    })();
    const blob = await layout.writeStream(gzip as AsyncIterable<Uint8Array>);
    await feeding;
    layers.push({ mediaType: mediaTypes.layerGzip, ...blob });
    diffIds.push(`sha256:${hash.digest("hex")}`);
  }
  const config = await layout.writeBytes(
    JSON.stringify({ architecture: "amd64", os: "linux", rootfs: { type: "layers", diff_ids: diffIds } }),
    mediaTypes.config,
  );
  const manifest: ImageManifest = { schemaVersion: 2, mediaType: mediaTypes.manifest, config, layers };
  const descriptor = await layout.writeBytes(JSON.stringify(manifest), mediaTypes.manifest);
  const index = await layout.readIndex();
  await layout.writeIndex({ ...index, manifests: [...index.manifests, descriptor] });
  return { manifest: descriptor, layers };
}

/** Files as images have them: most are small, some large; half text, half machine code's entropy. */
function* entriesOf(seed: number): Generator<TarInput> {
  const random = createRandom(seed);
  const count = filesPerImage / layersPerImage;
  const bytes = (mebibytes * 1024 * 1024) / layersPerImage;
  const common = { mode: 0o644, uid: 0, gid: 0, mtime: 0 };
  const average = bytes / count;
  for (let file = 0; file < count; file += 1) {
    const size = Math.floor(file % 10 === 0 ? average * 6 : average * 0.44);
    yield {
      ...common,
      type: "file",
      path: `usr/share/folder-${seed}-${file % 200}/file-${file}`,
      size,
      content: contentOf(size, random, file % 2 === 0),
    };
  }
}

function contentOf(size: number, random: () => number, isText: boolean): Buffer {
  const content = Buffer.allocUnsafe(size);
  for (let at = 0; at < size; ) {
    const from = Math.floor(random() * (pool.length - 256));
    const length = Math.min(size - at, isText ? 24 : 10);
    pool.copy(content, at, from, from + length);
    at += length;
  }
  return content;
}

function createRandom(seed: number): () => number {
  let state = seed * 2654435761;
  return () => {
    state = (state ^ (state << 13)) >>> 0;
    state = (state ^ (state >>> 17)) >>> 0;
    state = (state ^ (state << 5)) >>> 0;
    return state / 2 ** 32;
  };
}
