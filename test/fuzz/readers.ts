// Feeds damaged images to everything that reads them: whatever comes, it is a result or one
// clear error, soon. Run with npm run fuzz [SECONDS] [SEED]; a failure names the seed
// and the round that give the same input again.
import { createHash } from "node:crypto";
import { mkdtemp, rm, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { gzipSync, zstdCompressSync } from "node:zlib";
import { contentClasses } from "../../src/compare/classes/catalogue.ts";
import { compareImages } from "../../src/compare/compare-images.ts";
import { normalForm } from "../../src/compare/explain/normal-form.ts";
import { RefoundryError } from "../../src/errors.ts";
import { openLayer } from "../../src/oci/layer.ts";
import { ensureLayout, type OciLayout } from "../../src/oci/layout.ts";
import { resolveReference } from "../../src/oci/open-reference.ts";
import { parseReference } from "../../src/oci/reference.ts";
import { createRegistryClient } from "../../src/oci/registry/client.ts";
import { readTar } from "../../src/oci/tar/read.ts";
import { type TarInput, tarEntries } from "../../src/oci/tar/write.ts";
import { type Descriptor, mediaTypes } from "../../src/oci/types.ts";

const seconds = Number(process.argv[2] ?? 60);
const firstSeed = Number(process.argv[3] ?? Date.now() % 1_000_000);
/** No reader may take longer for a few kilobytes, in milliseconds. */
const patience = 10_000;

type Random = (below: number) => number;
interface Target {
  readonly name: string;
  run(random: Random, layout: OciLayout, folder: string): Promise<void>;
}

const say = (line: string): void => void process.stdout.write(`${line}\n`);
const registry = createRegistryClient({ env: {} });
const entries: TarInput[] = [
  { type: "directory", path: "d", mode: 0o755, uid: 0, gid: 0, mtime: 0 },
  file("d/a", "some content\n"),
  file(`d/${"long/".repeat(40)}name`, "x"),
  { type: "symlink", path: "l", linkName: "d/a", mode: 0o777, uid: 0, gid: 0, mtime: 0 },
  { type: "hardlink", path: "h", linkName: "d/a", mode: 0o644, uid: 0, gid: 0, mtime: 0 },
  { ...file("big", "y".repeat(3000)), uid: 5_000_000, xattrs: new Map([["security.capability", Buffer.from("c")]]) },
  file("d/.wh.gone", ""),
];
const tar = Buffer.concat(await Array.fromAsync(tarEntries(entries)));
const gnuHeader = Buffer.concat([longNameEntry("L", "n".repeat(150)), tar]);

const contents = makeContents();

const targets: readonly Target[] = [
  {
    name: "tar",
    async run(random) {
      for await (const entry of readTar(only(damaged(random(2) === 0 ? tar : gnuHeader, random)))) {
        if (random(2) === 0) for await (const _ of entry.content);
      }
    },
  },
  {
    name: "layer",
    async run(random, layout) {
      const [compressed, mediaType] = pick(random, [
        [gzipSync(tar), mediaTypes.layerGzip],
        [zstdCompressSync(tar), mediaTypes.layerZstd],
        [tar, mediaTypes.layer],
      ] as const);
      const blob = await layout.writeBytes(damaged(compressed, random), mediaType);
      for await (const _ of openLayer(layout, blob).chunks);
    },
  },
  { name: "image", run: (random, layout) => compareDamaged(random, layout) },
  {
    name: "archive",
    async run(random, layout, folder) {
      const image = await writeImage(layout, tar);
      const blobs = [
        image,
        ...(JSON.parse((await layout.readDocument(image)).toString()) as { layers: Descriptor[] }).layers,
      ];
      const index = JSON.stringify({ schemaVersion: 2, manifests: [image] });
      const docker = JSON.stringify([{ Config: "blobs/sha256/c", RepoTags: ["a:1"], Layers: ["blobs/sha256/l"] }]);
      const files = [
        file("oci-layout", '{"imageLayoutVersion":"1.0.0"}'),
        file("index.json", index),
        file("manifest.json", docker),
      ];
      for (const blob of blobs) {
        const bytes = Buffer.concat(await Array.fromAsync(layout.openBlob(blob)));
        files.push(file(`blobs/sha256/${blob.digest.slice(7)}`, bytes));
      }
      const path = join(folder, "archive.tar");
      await writeFile(path, damaged(Buffer.concat(await Array.fromAsync(tarEntries(files))), random));
      const resolved = await resolveReference(
        parseReference(`${pick(random, ["oci-archive", "docker-archive"])}:${path}`),
        registry,
      );
      try {
        await resolved.reader.readDocument(resolved.descriptor);
      } finally {
        await resolved.close?.();
      }
    },
  },
  {
    name: "content",
    async run(random) {
      const [path, bytes] = pick(random, contents);
      await normalForm({ path, bytes: damaged(bytes, random) }, contentClasses);
    },
  },
];

const folder = await mkdtemp(join(tmpdir(), "refoundry-fuzz-"));
const counts = new Map<string, { rounds: number; read: number }>();
const deadline = performance.now() + seconds * 1000;
let failed = false;
try {
  let layout = await ensureLayout(join(folder, "0"));
  for (let round = 0; performance.now() < deadline && !failed; round += 1) {
    if (round % 2000 === 1999) {
      await rm(layout.path, { recursive: true });
      layout = await ensureLayout(join(folder, String(round)));
    }
    const target = targets[round % targets.length];
    if (target) failed = !(await runRound(target, round, layout));
  }
} finally {
  await registry.close();
  await rm(folder, { recursive: true, force: true });
}
for (const [name, { rounds, read }] of counts) say(`${name}: ${rounds} inputs, ${read} of them could be read`);
process.exitCode = failed ? 1 : 0;

async function runRound(target: Target, round: number, layout: OciLayout): Promise<boolean> {
  const count = counts.get(target.name) ?? { rounds: 0, read: 0 };
  counts.set(target.name, count);
  count.rounds += 1;
  const startedAt = performance.now();
  let problem: string | undefined;
  try {
    await target.run(createRandom(firstSeed + round * 7919), layout, folder);
    count.read += 1;
  } catch (error) {
    if (!(error instanceof RefoundryError))
      problem = error instanceof Error ? (error.stack ?? error.message) : String(error);
  }
  const took = performance.now() - startedAt;
  if (took > patience) problem ??= `it took ${took.toFixed(0)} ms`;
  if (problem !== undefined) say(`${target.name}, seed ${firstSeed}, round ${round}: ${problem}`);
  return problem === undefined;
}

async function compareDamaged(random: Random, layout: OciLayout): Promise<void> {
  const left = await writeImage(layout, tar);
  const document = pick(random, ["layer", "config", "manifest", "index"]);
  const layer = document === "layer" ? damaged(tar, random) : tar;
  const right = await writeImage(layout, layer, (name, bytes) =>
    name === document ? damagedJson(bytes, random) : bytes,
  );
  const index = JSON.stringify({ schemaVersion: 2, mediaType: mediaTypes.index, manifests: [right, left] });
  const whole = await layout.writeBytes(document === "index" ? damagedJson(index, random) : index, mediaTypes.index);
  await compareImages({ reader: layout, descriptor: left }, { reader: layout, descriptor: whole });
  await compareImages({ reader: layout, descriptor: left }, { reader: layout, descriptor: right });
}

async function writeImage(
  layout: OciLayout,
  layer: Buffer,
  change: (name: string, bytes: string) => string = (_, bytes) => bytes,
): Promise<Descriptor> {
  const diffId = `sha256:${createHash("sha256").update(layer).digest("hex")}`;
  const rootfs = { type: "layers", diff_ids: [diffId] };
  const config = JSON.stringify({
    architecture: "amd64",
    os: "linux",
    config: { Env: ["A=b"], Labels: { a: "b" } },
    rootfs,
  });
  const manifest = {
    schemaVersion: 2,
    mediaType: mediaTypes.manifest,
    config: await layout.writeBytes(change("config", config), mediaTypes.config),
    layers: [await layout.writeBytes(layer, mediaTypes.layer)],
  };
  const descriptor = await layout.writeBytes(change("manifest", JSON.stringify(manifest)), mediaTypes.manifest);
  return { ...descriptor, platform: { os: "linux", architecture: "amd64" } };
}

/** A few changes of bytes: flips, cuts, repeats, numbers at the edge of their range. */
function damaged(bytes: Buffer, random: Random): Buffer {
  let changed = Buffer.from(bytes);
  for (let change = random(4); change >= 0; change -= 1) {
    const at = random(changed.length + 1);
    const length = random(pick(random, [4, 64, 2048]));
    switch (random(6)) {
      case 0:
        if (changed.length > at) changed[at] = random(256);
        break;
      case 1:
        changed = changed.subarray(0, at);
        break;
      case 2:
        changed = Buffer.concat([changed.subarray(0, at), changed.subarray(at + length)]);
        break;
      case 3:
        changed = Buffer.concat([changed.subarray(0, at), changed.subarray(at, at + length), changed.subarray(at)]);
        break;
      case 4:
        changed.fill(pick(random, [0, 0xff, 0x7f, 0x37, 0x80]), at, Math.min(changed.length, at + length));
        break;
      default:
        resum(changed, random);
    }
  }
  return changed;
}

/** Changes a field of a tar header and puts the right checksum on it, so that readers go further. */
function resum(bytes: Buffer, random: Random): void {
  const start = random(Math.max(1, Math.floor(bytes.length / 512))) * 512;
  const header = bytes.subarray(start, start + 512);
  if (header.length < 512) return;
  const at = pick(random, [0, 100, 108, 116, 124, 136, 156, 157, 257, 329, 345, 482]) + random(12);
  header[at] = pick(random, [0x30 + random(10), 0x80, 0xff, 0, random(256)]);
  header.fill(" ", 148, 156);
  const sum = header.reduce((total, byte) => total + byte, 0);
  header.write(`${sum.toString(8).padStart(6, "0")}\0 `, 148);
}

/** JSON with another value somewhere, or damaged as bytes. */
function damagedJson(text: string, random: Random): string {
  if (random(4) === 0) return damaged(Buffer.from(text), random).toString("latin1");
  const values = [
    "null",
    "-1",
    "1e999",
    '"x"',
    "[]",
    "{}",
    "[[[[]]]]",
    '{"a":{"a":1}}',
    "9007199254740993",
    '"sha256:0"',
    "true",
  ];
  const places = [...text.matchAll(/:("[^"]*"|\d+|\[|\{)/g)];
  const place = pick(random, places);
  const value = place[1] ?? "";
  const start = place.index + 1;
  const end = value === "[" || value === "{" ? start : start + value.length;
  return `${text.slice(0, start)}${pick(random, values)}${end === start ? "," : ""}${text.slice(end)}`;
}

/** Files that content classes know. */
function makeContents(): readonly (readonly [string, Buffer])[] {
  return [
    ["usr/share/doc/x.gz", gzipSync("text\n")],
    ["usr/share/doc/x.zst", zstdCompressSync(Buffer.from("text\n"))],
    ["usr/share/x.tar", tar],
    ["etc/shadow", Buffer.from("root:*:19000:0:99999:7:::\n")],
    ["etc/machine-id", Buffer.from(`${"0123456789abcdef".repeat(2)}\n`)],
    ["var/lib/dpkg/status", Buffer.from("Package: a\nStatus: install ok installed\nArchitecture: all\nVersion: 1\n\n")],
    ["lib/apk/db/installed", Buffer.from("P:a\nV:1\nA:x86_64\nF:bin\nR:a\n\n")],
    ["var/log/dpkg.log", Buffer.from("2026-01-01 00:00:00 startup archives unpack\n")],
    ["usr/lib/m.py", Buffer.from("# 2026-01-01\nprint(1)\n")],
    ["usr/bin/program", elf()],
    [
      "usr/lib/x.a",
      Buffer.from(
        `!<arch>\n${"a/".padEnd(16)}${"0".padEnd(12)}${"0".padEnd(6)}${"0".padEnd(6)}${"644".padEnd(8)}${"2".padEnd(10)}\`\nab`,
      ),
    ],
  ];
}

function elf(): Buffer {
  const bytes = Buffer.alloc(512);
  bytes.write("\x7fELF\x02\x01\x01", 0, "latin1");
  bytes.writeUInt16LE(2, 16);
  bytes.writeUInt16LE(62, 18);
  bytes.writeBigUInt64LE(64n, 32);
  bytes.writeBigUInt64LE(256n, 40);
  bytes.writeUInt16LE(64, 52);
  bytes.writeUInt16LE(56, 54);
  bytes.writeUInt16LE(1, 56);
  bytes.writeUInt16LE(64, 58);
  bytes.writeUInt16LE(2, 60);
  bytes.writeUInt16LE(1, 62);
  return bytes;
}

function file(path: string, content: string | Buffer): Extract<TarInput, { type: "file" }> {
  const bytes = Buffer.from(content);
  return { type: "file", path, mode: 0o644, uid: 0, gid: 0, mtime: 0, size: bytes.length, content: bytes };
}

/** GNU's header for a long name, and the name. */
function longNameEntry(type: string, name: string): Buffer {
  const header = Buffer.from(tar.subarray(0, 512));
  header.write("././@LongLink\0", 0);
  header.write(`${(name.length + 1).toString(8).padStart(11, "0")}\0`, 124);
  header.write(type, 156);
  header.write("ustar  \0", 257, "latin1");
  header.fill(" ", 148, 156);
  header.write(
    `${header
      .reduce((total, byte) => total + byte, 0)
      .toString(8)
      .padStart(6, "0")}\0 `,
    148,
  );
  const content = Buffer.alloc(512);
  content.write(name);
  return Buffer.concat([header, content]);
}

async function* only(bytes: Buffer): AsyncGenerator<Uint8Array> {
  for (let at = 0; at < bytes.length; at += 700) yield bytes.subarray(at, at + 700);
}

function pick<T>(random: Random, list: readonly T[]): T {
  const chosen = list[random(list.length)];
  if (chosen === undefined) throw new Error("nothing to pick from");
  return chosen;
}

function createRandom(seed: number): Random {
  let state = (seed * 2654435761 + 12345) >>> 0 || 1;
  return (below) => {
    state = (state ^ (state << 13)) >>> 0;
    state = (state ^ (state >>> 17)) >>> 0;
    state = (state ^ (state << 5)) >>> 0;
    return Math.floor((state / 2 ** 32) * below);
  };
}
