// The registry client against crane and skopeo: the same image of 500 MB from an OCI layout,
// pushed to an empty registry on this machine, pushed again, and copied from one repository to
// another. Ratios of pairs measured in one run; the requests that each makes; our peak memory.
// Run with npm run bench:registry [RUNS] [MB].
import { spawn } from "node:child_process";
import { randomBytes } from "node:crypto";
import { mkdtemp, rm } from "node:fs/promises";
import { tmpdir } from "node:os";
import { delimiter, join } from "node:path";
import { createGzip } from "node:zlib";
import pLimit from "p-limit";
import { ensureLayout, openLayout } from "../../src/oci/layout.ts";
import { createRegistryClient } from "../../src/oci/registry/client.ts";
import type { Repository } from "../../src/oci/repository.ts";
import { type ContentReader, type Descriptor, type ImageManifest, mediaTypes } from "../../src/oci/types.ts";
import { startRegistry, startServer, type TestServer } from "../support/registry.ts";
import { prepareTestTools } from "../support/test-tools.ts";

const layerCount = 5;
const blobsAtOnce = 4;
const say = (line: string): void => void process.stdout.write(`${line}\n`);
const median = (values: readonly number[]): number =>
  values.toSorted((a, b) => a - b)[Math.floor(values.length / 2)] ?? 0;

if (process.argv[2] === "push" || process.argv[2] === "copy") await transfer(process.argv.slice(2));
else await bench(Number(process.argv[2] ?? 3), Number(process.argv[3] ?? 500));

/** Our side, in a process of its own: `push LAYOUT HOST REPOSITORY` or `copy HOST FROM TO`. */
async function transfer([task = "", ...args]: readonly string[]): Promise<void> {
  const resumable = process.env["BENCH_RESUMABLE_BYTES"];
  const startedAt = performance.now();
  const client = createRegistryClient(resumable === undefined ? {} : { resumableBytes: Number(resumable) });
  try {
    if (task === "push") {
      const [path = "", host = "", repository = ""] = args;
      const layout = await openLayout(path);
      const [descriptor] = (await layout.readIndex()).manifests;
      if (!descriptor) throw new Error("the layout is empty");
      await pushImage(layout, descriptor, client.repository({ host, repository }));
    } else {
      const [host = "", mountFrom = "", repository = ""] = args;
      const from = client.repository({ host, repository: mountFrom });
      const { descriptor } = await from.resolve("1");
      await pushImage(from, descriptor, client.repository({ host, repository }), mountFrom);
    }
  } finally {
    await client.close();
    process.stderr.write(`worked ${performance.now() - startedAt} ms\n`);
  }
}

async function pushImage(
  from: ContentReader,
  descriptor: Descriptor,
  to: Repository,
  mountFrom?: string,
): Promise<void> {
  // as crane does: an image that is there under its tag needs nothing more
  if ((await to.find("1"))?.digest === descriptor.digest) return;
  const bytes = await from.readDocument(descriptor);
  const { config, layers } = JSON.parse(Buffer.from(bytes).toString()) as ImageManifest;
  const limit = pLimit(blobsAtOnce);
  const options = mountFrom === undefined ? {} : { mountFrom };
  await Promise.all(
    [config, ...layers].map((blob) =>
      limit(() => to.pushBlob(blob, () => from.openBlob(blob), { ...options, isChecked: true })),
    ),
  );
  await to.pushManifest(bytes, descriptor.mediaType, "1");
}

interface Client {
  readonly name: string;
  readonly env?: Readonly<Record<string, string>>;
  push(layout: string, host: string): readonly string[];
  copy(host: string): readonly string[];
}

async function bench(runs: number, megabytes: number): Promise<void> {
  const folder = await mkdtemp(join(tmpdir(), "refoundry-bench-"));
  process.env["PATH"] = [await prepareTestTools(), process.env["PATH"] ?? ""].join(delimiter);
  const own = [process.execPath, "--import", new URL("peak-memory.ts", import.meta.url).href, import.meta.filename];
  const skopeo = ["skopeo", "--insecure-policy", "copy", "--src-tls-verify=false", "--dest-tls-verify=false"];
  const ours: Client = {
    name: "refoundry",
    push: (layout, host) => [...own, "push", layout, host, "from"],
    copy: (host) => [...own, "copy", host, "from", "to"],
  };
  const others: readonly Client[] = [
    { ...ours, name: "refoundry, each blob in one PUT", env: { BENCH_RESUMABLE_BYTES: String(2 ** 40) } },
    {
      name: "crane",
      push: (layout, host) => ["crane", "push", "--insecure", layout, `${host}/from:1`],
      copy: (host) => ["crane", "copy", "--insecure", `${host}/from:1`, `${host}/to:1`],
    },
    {
      name: "skopeo",
      push: (layout, host) => [...skopeo, `oci:${layout}`, `docker://${host}/from:1`],
      copy: (host) => [...skopeo, `docker://${host}/from:1`, `docker://${host}/to:1`],
    },
  ];
  try {
    const layout = join(folder, "layout");
    say(`making an image of ${megabytes} MB in ${layerCount} layers`);
    await makeImage(layout, megabytes);
    // skopeo remembers where it saw a blob
    const home = { HOME: folder, XDG_DATA_HOME: join(folder, "data"), DOCKER_CONFIG: join(folder, "docker") };
    const ratios = new Map<string, number[][]>();
    let peak = 0;
    for (let run = 0; run < runs; run += 1) {
      const times = new Map<string, Times>();
      for (const client of [ours, ...others]) times.set(client.name, await measure(client, layout, home));
      const base = times.get(ours.name);
      if (!base) throw new Error("nothing was measured");
      peak = Math.max(peak, base.cold.peak);
      for (const { name } of others) {
        for (const task of ["cold", "warm", "copy"] as const) {
          const [mine, theirs] = [base[task], times.get(name)?.[task] ?? base[task]];
          const values = [mine.seconds / theirs.seconds, mine.work / theirs.work];
          const key = `${task} against ${name}`;
          ratios.set(key, [...(ratios.get(key) ?? []), values]);
          const [all, work] = values.map((value) => value.toFixed(2));
          say(
            `  ${key}: ${mine.seconds.toFixed(2)} s, ${theirs.seconds.toFixed(2)} s, ratio ${all}; without Node's start-up ${work}`,
          );
        }
      }
    }
    for (const [key, values] of ratios) {
      const [all, work] = [0, 1].map((column) => median(values.map((pair) => pair[column] ?? 0)).toFixed(2));
      say(`${key}: median ratio ${all} of ${values.length}; without Node's start-up ${work}`);
    }
    say(`peak memory of a cold push: ${peak.toFixed(0)} MiB`);
    for (const client of [ours, ...others]) say(await countRequests(client, layout, home));
  } finally {
    await rm(folder, { recursive: true, force: true });
  }
}

interface Call {
  readonly seconds: number;
  /** Without what starting Node and loading takes, for ours. */
  readonly work: number;
  /** Mebibytes; 0 for others' programs. */
  readonly peak: number;
}

type Times = Readonly<Record<"cold" | "warm" | "copy", Call>>;

async function measure(client: Client, layout: string, env: Readonly<Record<string, string>>): Promise<Times> {
  const registry = await startRegistry();
  try {
    const all = { ...env, ...client.env };
    return {
      cold: await call(client.push(layout, registry.host), all),
      warm: await call(client.push(layout, registry.host), all),
      copy: await call(client.copy(registry.host), all),
    };
  } finally {
    await registry.stop();
  }
}

/** The requests of each task, seen by a proxy. */
async function countRequests(client: Client, layout: string, env: Readonly<Record<string, string>>): Promise<string> {
  const registry = await startRegistry();
  const front = await startServer({ behind: registry.host });
  try {
    const all = { ...env, ...client.env };
    const tasks = [
      ["cold", client.push(layout, front.host)],
      ["warm", client.push(layout, front.host)],
      ["copy", client.copy(front.host)],
    ] as const;
    const counts: string[] = [];
    for (const [task, command] of tasks) {
      const before = front.seen.length;
      await call(command, all);
      counts.push(`${task} ${methodsOf(front, before)}`);
    }
    return `requests of ${client.name}: ${counts.join("; ")}`;
  } finally {
    await front.stop();
    await registry.stop();
  }
}

function methodsOf({ seen }: TestServer, from: number): string {
  const counts = new Map<string, number>();
  for (const { method } of seen.slice(from)) counts.set(method, (counts.get(method) ?? 0) + 1);
  const parts = [...counts].toSorted(([a], [b]) => (a < b ? -1 : 1)).map(([method, count]) => `${count} ${method}`);
  return `${seen.length - from} (${parts.join(", ")})`;
}

/** Runs a program; start-up included, as people run it. */
async function call([file = "", ...args]: readonly string[], env: Readonly<Record<string, string>>): Promise<Call> {
  const startedAt = performance.now();
  const child = spawn(file, args, { stdio: ["ignore", "ignore", "pipe"], env: { ...process.env, ...env } });
  const ended = new Promise<number | null>((resolve) => child.on("close", resolve));
  const said = Buffer.concat(await Array.fromAsync(child.stderr as AsyncIterable<Buffer>)).toString();
  const code = await ended;
  const seconds = (performance.now() - startedAt) / 1000;
  if (code !== 0) throw new Error(`${file} ended with exit code ${code}: ${said}`);
  const work = Number(/worked ([0-9.]+) ms/.exec(said)?.[1] ?? seconds * 1000) / 1000;
  return { seconds, work, peak: Number(/peak (\d+) KiB/.exec(said)?.[1] ?? 0) / 1024 };
}

async function makeImage(path: string, megabytes: number): Promise<void> {
  const layout = await ensureLayout(path);
  const layers: Descriptor[] = [];
  for (let index = 0; index < layerCount; index += 1) {
    // random bytes do not shrink; gzip they are all the same, as skopeo compresses what is not
    const gzip = createGzip({ level: 0, chunkSize: 1024 * 1024 });
    const feeding = (async () => {
      for (let written = 0; written < megabytes / layerCount; written += 1)
        if (!gzip.write(randomBytes(1_000_000))) await new Promise((resolve) => gzip.once("drain", resolve));
      gzip.end();
    })();
    const blob = await layout.writeStream(gzip as AsyncIterable<Uint8Array>);
    await feeding;
    layers.push({ mediaType: mediaTypes.layerGzip, ...blob });
  }
  const diffIds = layers.map(({ digest }) => digest);
  const config = await layout.writeBytes(
    JSON.stringify({ architecture: "amd64", os: "linux", rootfs: { type: "layers", diff_ids: diffIds } }),
    mediaTypes.config,
  );
  const manifest: ImageManifest = { schemaVersion: 2, mediaType: mediaTypes.manifest, config, layers };
  const descriptor = await layout.writeBytes(JSON.stringify(manifest), mediaTypes.manifest);
  await layout.writeIndex({ schemaVersion: 2, mediaType: mediaTypes.index, manifests: [descriptor] });
}
