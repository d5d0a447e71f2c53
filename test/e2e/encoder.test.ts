import { createReadStream } from "node:fs";
import { writeFile } from "node:fs/promises";
import { join } from "node:path";
import { execa } from "execa";
import { afterAll, beforeAll, expect, test } from "vitest";
import { withFactory } from "../../src/commands/factory.ts";
import { encodeLike, recogniseEncoder, tryEncoders } from "../../src/compare/encoder/recognise.ts";
import type { GzipEncoder } from "../../src/compare/encoder/types.ts";
import { zlibEncoders } from "../../src/compare/encoder/zlib-encoders.ts";
import { goEncoders } from "../../src/encoders/go.ts";
import { type BuiltGoEncoder, ensureGoProgram } from "../../src/encoders/go-program.ts";
import { findProgramEncoders } from "../../src/encoders/programs.ts";
import { createRegistryClient } from "../../src/oci/registry/client.ts";
import { parseReference } from "../../src/oci/reference.ts";
import { readManifest } from "../../src/oci/manifest.ts";
import { digestOf } from "../../src/oci/digest.ts";
import { filesOfPackages } from "../support/debian-files.ts";
import { tarOf } from "../support/images.ts";
import { startRegistry, type TestRegistry } from "../support/registry.ts";
import { temporaryFolder } from "../support/temporary.ts";
import { toolPath } from "../support/tools.ts";

const programs: BuiltGoEncoder[] = [];
let encoders: readonly GzipEncoder[] = [];
let registry: TestRegistry;

const context = {
  process: { stdout: process.stdout, stderr: process.stderr, env: process.env },
  cwd: process.cwd(),
  signal: new AbortController().signal,
};

beforeAll(async () => {
  registry = await startRegistry();
  await withFactory(context, async (factory) => {
    for (const release of ["1.26", "1.27"] as const)
      programs.push(await ensureGoProgram(release, factory, { again: true }));
  });
  encoders = [...zlibEncoders, ...(await findProgramEncoders()), ...programs.flatMap(goEncoders)];
}, 900_000);
afterAll(() => registry?.stop());

let tar: Promise<Buffer> | undefined;
/** Real files: a few megabytes of programs, scripts and tables. */
function realTar(): Promise<Buffer> {
  tar ??= filesOfPackages("trixie", ["libpython3.13-minimal", "python3-six", "netbase", "file"]).then(tarOf);
  return tar;
}

async function* pieces(bytes: Buffer): AsyncGenerator<Uint8Array> {
  for (let at = 0; at < bytes.length; at += 50_000) yield bytes.subarray(at, at + 50_000);
}

async function goGzip(release: string, level: number, input: Buffer): Promise<Buffer> {
  const path = programs.find((program) => program.release === release)?.path ?? "";
  const { stdout } = await execa(path, [`-level=${level}`], { input, encoding: "buffer", maxBuffer: 2 ** 28 });
  return Buffer.from(stdout);
}

test("the programs are built from what is pinned, kept, and the same when they are built again", async () => {
  expect(programs.map(({ reused }) => reused)).toEqual([false, false]);
  await withFactory(context, async (factory) => {
    for (const program of programs) {
      const kept = await ensureGoProgram(program.release, {
        ...factory,
        engine: () => Promise.reject(new Error("an engine")),
      });
      expect(kept).toEqual({ ...program, reused: true });
      expect((await ensureGoProgram(program.release, factory, { again: true })).digest).toBe(program.digest);
      // it is one file that needs nothing of the machine
      const { stdout } = await execa("/usr/bin/env", ["-i", program.path, "-version"]);
      expect(/^go(\d+\.\d+)(\.\d+)?$/.exec(stdout)?.[1]).toBe(program.release);
    }
  });
});

test.each([-2, -1, 1, 6, 9])("level %i: each Go is told from the other and from zlib", async (level) => {
  const content = await realTar();
  const blobs = await Promise.all(["1.26", "1.27"].map((release) => goGzip(release, level, content)));
  expect(blobs[0]?.equals(blobs[1] ?? Buffer.alloc(0))).toBe(false);
  for (const [position, release] of ["1.26", "1.27"].entries()) {
    const blob = blobs[position] ?? Buffer.alloc(0);
    const found = await recogniseEncoder(() => pieces(blob), encoders);
    expect(found).toMatchObject({
      family: "go",
      version: release,
      level: level === -1 ? 6 : level,
      exact: true,
      alsoBy: [],
    });
    if (!found) return;
    const again = Buffer.concat(await Array.fromAsync(encodeLike(found, encoders, pieces(content))));
    expect(again.equals(blob)).toBe(true);
  }
  if (level < 1) return;
  const zlib = zlibEncoders.find((encoder) => encoder.version === "zlib" && encoder.level === level);
  const header = { mtime: 0, xfl: 0, os: 255, text: false, checksum: false };
  const byZlib = Buffer.concat(await Array.fromAsync(zlib?.encode(pieces(content), header) ?? []));
  expect(await recogniseEncoder(() => pieces(byZlib), encoders)).toMatchObject({
    family: "zlib",
    version: "zlib",
    level,
  });
  const withoutGo = encoders.filter(({ family }) => family !== "go");
  const trial = await tryEncoders(() => pieces(blobs[0] ?? Buffer.alloc(0)), withoutGo);
  expect(trial).toMatchObject({ reason: "no encoder that was tried gives its bytes" });
});

test("a layer that crane compressed and pushed is recognised, and made again", async () => {
  const content = await realTar();
  const folder = await temporaryFolder();
  const layer = join(folder, "layer.tar");
  await writeFile(layer, content);
  const name = `${registry.host}/encoder/image:t`;
  await execa(toolPath("crane"), ["append", "--insecure", "--oci-empty-base", "--new_layer", layer, "--new_tag", name]);
  const client = createRegistryClient({ env: {} });
  try {
    const reference = parseReference(`docker://${name}`);
    if (reference.kind !== "registry") throw new Error("no registry");
    const repository = client.repository(reference);
    const [pushed] = (await readManifest(repository, (await repository.resolve("t")).descriptor)).layers;
    if (!pushed) throw new Error("no layer");
    expect(pushed.mediaType).toContain("gzip");
    const found = await recogniseEncoder(() => repository.openBlob(pushed), encoders);
    expect(found).toMatchObject({ family: "go", level: 1, exact: true });
    if (!found) return;
    const again = Buffer.concat(await Array.fromAsync(encodeLike(found, encoders, createReadStream(layer))));
    expect(digestOf(again)).toBe(pushed.digest);
  } finally {
    await client.close();
  }
});
