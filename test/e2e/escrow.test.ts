import { spawn } from "node:child_process";
import { once } from "node:events";
import { cp, mkdir, mkdtemp, readdir, readFile, rename, rm, stat, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { setTimeout as sleep } from "node:timers/promises";
import { execa } from "execa";
import { afterAll, beforeAll, expect, test } from "vitest";
import { canonicalJson } from "../../src/json.ts";
import { type Digest, digestOf } from "../../src/oci/digest.ts";
import { openLayoutRepository } from "../../src/oci/layout-repository.ts";
import { type TarInput, tarEntries } from "../../src/oci/tar/write.ts";
import { type CliResult, refoundry } from "../support/cli.ts";
import { cutOffHost, refoundryCutOff } from "../support/cut-off.ts";
import { startRegistry, type TestRegistry } from "../support/registry.ts";
import { copyFactory, createTinyFactory, type TinyFactory } from "../support/tiny-factory.ts";

let folder: string;
let registry: TestRegistry;
let factory: TinyFactory;
let env: Record<string, string>;
let recorded: string;

const escrowPath = (): string => join(folder, "escrow");
const call = (args: readonly string[], options: { store?: string; cwd?: string } = {}): Promise<CliResult> =>
  refoundry(args, {
    cwd: options.cwd ?? factory.root,
    env: { ...env, ...(options.store !== undefined && { REFOUNDRY_STORE: join(folder, options.store) }) },
  });

beforeAll(async () => {
  folder = await mkdtemp(join(tmpdir(), "refoundry-e2e-"));
  registry = await startRegistry();
  factory = await createTinyFactory(folder, registry.host);
  env = { REFOUNDRY_STORE: join(folder, "store"), DOCKER_CONFIG: join(folder, "docker") };
  for (const args of [
    ["pin", "hello", "1.0"],
    ["rebuild", "hello", "--record"],
    ["vendor", "hello", "--escrow", `oci:${escrowPath()}`],
  ]) {
    const result = await call(args);
    expect(result.exitCode, result.stderr).toBe(0);
  }
  const lock = await readFile(join(factory.recipeFolder, "releases/1.0.yaml"), "utf8");
  recorded = /expect:\n +index: (sha256:[0-9a-f]{64})/.exec(lock)?.[1] ?? "";
  expect(recorded).not.toBe("");
}, 300_000);

afterAll(async () => {
  await registry?.stop();
  await rm(folder, { recursive: true, force: true });
});

/** The fork, upstream's registry and the toolchain's out of reach, while `work` runs. */
async function cutOff<T>(work: () => Promise<T>): Promise<T> {
  await rename(factory.upstreamRepository, `${factory.upstreamRepository}.away`);
  try {
    return await work();
  } finally {
    await rename(`${factory.upstreamRepository}.away`, factory.upstreamRepository);
  }
}

test("a second run sends nothing, and gives the same capsule", async () => {
  const again = await call(["vendor", "hello", "--escrow", `oci:${escrowPath()}`, "--json"], { store: "other-store" });
  expect(again.exitCode, again.stderr).toBe(0);
  const { releases } = JSON.parse(again.stdout);
  expect(releases).toMatchObject([{ release: "hello@1.0", tag: "hello__1.0", bytesSent: 0, blobsSent: 0 }]);
});

test("offline, an empty store and the escrow give what was recorded", async () => {
  const args = ["rebuild", "hello", "--offline", "--escrow", `oci:${escrowPath()}`, "--json"];
  const result = await cutOff(() => call(args, { store: "offline-store" }));
  expect(result.exitCode, result.stderr).toBe(0);
  const outcome = JSON.parse(result.stdout);
  expect(outcome).toMatchObject({ recorded: "same", index: { digest: recorded } });
  const source = outcome.inputs.find(({ kind }: { kind: string }) => kind === "source");
  expect(source.origin).toBe(`store (from escrow oci:${escrowPath()})`);
});

test("offline and without an escrow, what is missing is said, and nothing is built", async () => {
  const result = await cutOff(() => call(["rebuild", "hello", "--offline"], { store: "nothing-store" }));
  expect(result.exitCode).toBe(3);
  expect(result.stderr).toMatch(/neither in the store nor in the escrow|is not asked offline/);
  expect(result.stderr).toContain("vendor");
});

test("a capsule in a registry is enough, without the checkout", async () => {
  const place = `${registry.host}/escrow`;
  const vendored = await call(["vendor", "hello", "--escrow", place, "--json"]);
  expect(vendored.exitCode, vendored.stderr).toBe(0);
  const { capsule } = JSON.parse(vendored.stdout).releases[0];
  const cwd = join(folder, "elsewhere");
  await mkdir(cwd);
  const args = ["rebuild", "--from-capsule", `${place}@${capsule.digest}`, "--json"];
  const result = await cutOff(() => call(args, { store: "capsule-store", cwd }));
  expect(result.exitCode, result.stderr).toBe(0);
  expect(JSON.parse(result.stdout)).toMatchObject({ recorded: "same", index: { digest: recorded } });
  const both = await call(["rebuild", "hello", "--from-capsule", `${place}@${capsule.digest}`]);
  expect(both).toMatchObject({ exitCode: 2, stderr: expect.stringContaining("a capsule is one release as it was") });
});

test("with no network but a registry's escrow, an empty store gives what was recorded; so does the capsule alone", async () => {
  const other = await startRegistry();
  try {
    const vendored = await call(["vendor", "hello", "--escrow", `${other.host}/escrow`, "--json"]);
    expect(vendored.exitCode, vendored.stderr).toBe(0);
    const { capsule } = JSON.parse(vendored.stdout).releases[0];
    const cwd = await mkdtemp(join(folder, "nowhere-"));
    const escrow = `${cutOffHost}/escrow`;
    for (const { args, at, store } of [
      { args: ["rebuild", "hello", "--offline", "--escrow", escrow], at: factory.root, store: "cut-off-store" },
      { args: ["rebuild", "--from-capsule", `${escrow}@${capsule.digest}`], at: cwd, store: "cut-off-capsule-store" },
    ]) {
      const result = await cutOff(() =>
        refoundryCutOff([...args, "--json"], {
          storage: other.storage,
          cwd: at,
          env: { ...env, REFOUNDRY_STORE: join(folder, store) },
        }),
      );
      expect(result.exitCode, result.stderr).toBe(0);
      expect(result).toMatchObject({ links: ["lo"], routes: "" });
      expect(JSON.parse(result.stdout)).toMatchObject({ recorded: "same", index: { digest: recorded } });
    }
  } finally {
    await other.stop();
  }
});

test("a release's index refers to its capsule, once", async () => {
  const releases = join(folder, "releases");
  const pushed = await call(["rebuild", "hello", "--out", releases, "--json"]);
  expect(pushed.exitCode, pushed.stderr).toBe(0);
  const place = (JSON.parse(pushed.stdout).destination as string).replace(/(:[^/:]+)$/, "");
  const args = ["vendor", "hello", "--escrow", `oci:${escrowPath()}`, "--refer", place, "--json"];
  for (const _ of ["first", "again"]) {
    const vendored = await call(args);
    expect(vendored.exitCode, vendored.stderr).toBe(0);
    const [{ capsule, referred }] = JSON.parse(vendored.stdout).releases;
    expect(referred).toBe(true);
    const repository = await openLayoutRepository(place.replace("oci:", ""));
    const artifactType = "application/vnd.refoundry.capsule-reference.v1+json";
    const referrers = await repository.listReferrers(recorded as Digest, { artifactType });
    expect(referrers.map(({ annotations }) => annotations?.["dev.refoundry.capsule"])).toEqual([capsule.digest]);
  }
});

test("an audit says what is held, and what is not, of every release", async () => {
  const none = await call(["audit", "--json"]);
  expect(JSON.parse(none.stdout).entries.some((entry: object) => "held" in entry)).toBe(false);
  const result = await call(["audit", "--escrow", `oci:${escrowPath()}`, "--json"]);
  expect(result.exitCode, result.stderr).toBe(0);
  const { closures, entries } = JSON.parse(result.stdout);
  expect(closures).toMatchObject([{ release: "hello@1.0", percent: 100, missing: [] }]);
  const commit = entries.find(({ kind }: { kind: string }) => kind === "commit");
  expect(commit).toMatchObject({ name: "hello", licence: "MIT", neededBy: ["hello@1.0"] });
  expect(Date.parse(commit.held.since)).toBeLessThan(Date.now());
  expect(commit.held.from).toBe(`upstream file://${factory.upstreamRepository}`);
  const strict = await call(["audit", "--require", "100"]);
  expect(strict.exitCode).toBe(1);
  expect(strict.stdout).toContain("hello@1.0 lacks");
  const csv = await call(["audit", "--format", "csv", "--escrow", `oci:${escrowPath()}`]);
  expect(csv.stdout.split("\r\n")[0]).toBe("kind,name,version,digest,licence,origin,held,since,from,needed by");
  expect(JSON.parse((await call(["audit", "--format", "spdx"])).stdout)).toMatchObject({ spdxVersion: "SPDX-2.3" });
  expect(await call(["audit", "--format", "xml"])).toMatchObject({
    exitCode: 2,
    stderr: expect.stringContaining("xml"),
  });
});

test("what is gone or moved is said before it hurts, and whether it is held", async () => {
  const escrow = ["--escrow", `oci:${escrowPath()}`];
  const well = await call(["vendor", "--refresh", ...escrow]);
  expect(well).toMatchObject({ exitCode: 0, stdout: expect.stringContaining("0 of their inputs are gone or moved") });
  const git = (...args: string[]) =>
    execa("git", ["-c", "user.name=x", "-c", "user.email=x@example.invalid", ...args], {
      cwd: factory.upstreamRepository,
    });
  const { stdout: commit } = await git("rev-parse", "v1.0^{commit}");
  await git("commit", "--quiet", "--allow-empty", "-m", "another");
  await git("tag", "--force", "v1.0");
  try {
    const moved = await call(["vendor", "--refresh", ...escrow]);
    expect(moved.exitCode, moved.stderr).toBe(0);
    expect(moved.stdout).toContain(`hello@1.0: the tag v1.0 of file://${factory.upstreamRepository} names`);
    expect(moved.stdout).toContain("(the escrow holds it)");
    expect(await call(["vendor", "--refresh"])).toMatchObject({
      exitCode: 1,
      stdout: expect.stringContaining("NOT held"),
    });
  } finally {
    await git("tag", "--force", "v1.0", commit);
  }
  const gone = await cutOff(() => call(["vendor", "--refresh", "--json"]));
  expect(gone.exitCode).toBe(1);
  expect(JSON.parse(gone.stdout).findings).toMatchObject([{ code: "fork-gone", held: false }]);
});

test("a tag that upstream pushed over is found and never built from; the escrow has what it was", async () => {
  const backup = `${factory.upstreamRepository}.backup`;
  await cp(factory.upstreamRepository, backup, { recursive: true });
  const git = (...args: string[]) =>
    execa("git", ["-c", "user.name=x", "-c", "user.email=x@example.invalid", ...args], {
      cwd: factory.upstreamRepository,
    });
  try {
    const { stdout: pinned } = await git("rev-parse", "v1.0^{commit}");
    await git("checkout", "--quiet", "--orphan", "rewritten");
    await writeFile(join(factory.upstreamRepository, "motd"), "hello 1.0, rewritten\n");
    await git("commit", "--quiet", "--all", "-m", "rewritten");
    await git("branch", "--quiet", "--delete", "--force", "main");
    await git("tag", "--force", "v1.0");
    await git("reflog", "expire", "--expire=now", "--all");
    await git("gc", "--quiet", "--prune=now");
    const alone = await call(["rebuild", "hello", "--json"], { store: "rewritten-store" });
    expect(alone.exitCode).toBe(3);
    expect(alone.stderr).toContain(`the commit ${pinned} of hello cannot be had from anywhere`);
    expect(JSON.parse(alone.stdout)).not.toHaveProperty("index");
    const args = ["rebuild", "hello", "--escrow", `oci:${escrowPath()}`, "--json"];
    const held = await call(args, { store: "rewritten-store" });
    expect(held.exitCode, held.stderr).toBe(0);
    expect(JSON.parse(held.stdout)).toMatchObject({ recorded: "same", index: { digest: recorded } });
  } finally {
    await rm(factory.upstreamRepository, { recursive: true });
    await rename(backup, factory.upstreamRepository);
  }
});

test("garbage is what no release reaches, and no release loses anything by its removal", async () => {
  const place = join(folder, "swept");
  await cp(escrowPath(), place, { recursive: true });
  const escrow = await openLayoutRepository(place);
  const stray = Buffer.from("nobody names this");
  await escrow.pushBlob({ digest: digestOf(stray), size: stray.length }, async function* () {
    yield stray;
  });
  const sweep = (...args: string[]): Promise<CliResult> => call(["gc", "--escrow", `oci:${place}`, "--json", ...args]);
  expect(JSON.parse((await sweep()).stdout)).toMatchObject({ removed: false, tags: [], blobs: 0 });
  expect(JSON.parse((await sweep("--grace", "0")).stdout)).toMatchObject({ removed: false, blobs: 1 });
  expect(JSON.parse((await sweep("--grace", "0", "--confirm")).stdout)).toMatchObject({ removed: true, blobs: 1 });
  expect(await escrow.hasBlob({ digest: digestOf(stray), size: stray.length })).toBe(false);
  const drilled = await cutOff(() => call(["drill", "hello", "--escrow", `oci:${place}`]));
  expect(drilled.exitCode, drilled.stdout).toBe(0);
  // another factory has other releases
  const other = join(folder, "other-factory");
  await cp(factory.root, other, { recursive: true });
  const releases = join(other, "recipes/images/hello/releases");
  await rename(join(releases, "1.0.yaml"), join(releases, "1.1.yaml"));
  const args = ["gc", "--escrow", `oci:${place}`, "--grace", "0", "--confirm", "--json"];
  const dropped = JSON.parse((await call(args, { cwd: other })).stdout);
  expect(dropped.tags).toEqual(["hello__1.0"]);
  expect(await readdir(join(place, "blobs/sha256"))).toEqual([]);
});

test("a drill passes on a whole escrow, and names what a lost one lost", async () => {
  const whole = await cutOff(() => call(["drill", "--all", "--escrow", `oci:${escrowPath()}`]));
  expect(whole.exitCode, whole.stderr).toBe(0);
  expect(whole.stdout).toContain(`hello@1.0: ${recorded} again`);
  const empty = join(folder, "empty-escrow");
  await openLayoutRepository(empty);
  const lost = await cutOff(() => call(["drill", "hello", "--escrow", `oci:${empty}`]));
  expect(lost.exitCode).toBe(1);
  expect(lost.stdout).toMatch(/hello@1.0 failed: .*(neither in the store nor in the escrow|is not asked offline)/);
  expect(lost.stdout).toContain("0 of 1 releases gave their recorded digests");
  const none = await call(["drill", "--sample", "0", "--escrow", `oci:${empty}`]);
  expect(none).toMatchObject({ exitCode: 2, stderr: expect.stringContaining("proves nothing") });
});

test("a drill builds again what the builder has cached and what was staged", async () => {
  const other = await copyFactory(factory, await mkdtemp(join(folder, "chance-")));
  const change = async (path: string, by: (text: string) => string): Promise<void> => {
    await writeFile(path, by(await readFile(path, "utf8")));
  };
  const chance = "cat /proc/sys/kernel/random/uuid > /out/etc/chance";
  await change(join(other.recipeFolder, "Dockerfile"), (text) =>
    text.replace("/out/etc/motd\n", `/out/etc/motd && ${chance}\n`),
  );
  const waiver =
    "{ class: entry-missing-left, paths: [/etc/chance], reason: by chance, owner: tests, expires: 2099-01-01 }";
  await change(join(other.recipeFolder, "recipe.yaml"), (text) =>
    text.replace("  extend: [linux/386]", `  extend: []\nwaivers:\n  - ${waiver}`),
  );
  const place = `oci:${join(folder, "chance-escrow")}`;
  const staged = { ...env, REFOUNDRY_STAGING: `oci:${join(folder, "chance-staging")}` };
  for (const args of [
    ["pin", "hello", "1.0", "--replace"],
    ["rebuild", "hello", "--record"],
    ["vendor", "hello", "--escrow", place],
  ]) {
    const result = await refoundry(args, { cwd: other.root, env: staged });
    expect(result.exitCode, result.stderr).toBe(0);
  }
  const drilled = await refoundry(["drill", "hello", "--escrow", place], { cwd: other.root, env: staged });
  expect(drilled.exitCode, drilled.stdout).toBe(1);
  expect(drilled.stdout).toMatch(/hello@1.0 failed: .*the build that the release records and this one/);
});

test("an escrow that lost a blob, or has another in its place, is found and never built from", async () => {
  const damaged = join(folder, "damaged");
  await cp(escrowPath(), damaged, { recursive: true });
  const blobs = join(damaged, "blobs/sha256");
  const sizes = await Promise.all(
    (await readdir(blobs)).map(async (name) => ({ name, size: (await stat(join(blobs, name))).size })),
  );
  const [largest] = sizes.toSorted((a, b) => b.size - a.size);
  if (!largest) throw new Error("the escrow is empty");
  const path = join(blobs, largest.name);
  const bytes = await readFile(path);
  bytes[1000] = (bytes[1000] ?? 0) ^ 1;
  await writeFile(path, bytes);
  const args = ["rebuild", "hello", "--offline", "--escrow", `oci:${damaged}`];
  const other = await cutOff(() => call(args, { store: "damaged-store" }));
  expect(other.exitCode).not.toBe(0);
  expect(other.stderr).toContain(largest.name);
  await rm(path);
  const audited = await call(["audit", "--escrow", `oci:${damaged}`, "--json"]);
  expect(JSON.parse(audited.stdout).closures[0].missing.length).toBeGreaterThan(0);
  const lost = await cutOff(() => call(args, { store: "damaged-store" }));
  expect(lost.exitCode).toBe(3);
  expect(lost.stderr).toContain(largest.name);
});

test.each([
  ["a path that leads out", [{ type: "file", path: "../escaped", mode: 0o644, content: "x" }]],
  ["a path that is no recipe's", [{ type: "file", path: "src/cli.ts", mode: 0o644, content: "x" }]],
  [
    "a link that leads out",
    [{ type: "symlink", path: "recipes/images/hello/Dockerfile", mode: 0o777, linkName: "/etc/passwd" }],
  ],
] as const)("a capsule whose recipe has %s is refused", async (_, entries) => {
  const common = { uid: 0, gid: 0, mtime: 0 };
  const inputs = entries.map(
    (entry): TarInput =>
      entry.type === "file"
        ? { ...common, type: "file", path: entry.path, mode: entry.mode, size: 1, content: Buffer.from(entry.content) }
        : { ...common, type: "symlink", path: entry.path, mode: entry.mode, linkName: entry.linkName },
  );
  const tar = Buffer.concat(await Array.fromAsync(tarEntries(inputs)));
  const place = join(folder, `hostile-${entries[0].path.length}`);
  const escrow = await openLayoutRepository(place);
  const bytesOf = async function* (bytes: Uint8Array): AsyncGenerator<Uint8Array> {
    yield bytes;
  };
  const empty = Buffer.from("{}");
  const layer = { mediaType: "application/x-tar", digest: digestOf(tar), size: tar.length };
  await escrow.pushBlob(layer, () => bytesOf(tar));
  await escrow.pushBlob({ digest: digestOf(empty), size: 2 }, () => bytesOf(empty));
  const manifestType = "application/vnd.oci.image.manifest.v1+json";
  const manifest = Buffer.from(
    canonicalJson({
      schemaVersion: 2,
      mediaType: manifestType,
      artifactType: "application/vnd.refoundry.recipe.v1+json",
      config: { mediaType: "application/vnd.oci.empty.v1+json", digest: digestOf(empty), size: 2 },
      layers: [{ ...layer, annotations: { "org.opencontainers.image.title": "hello.tar" } }],
    }),
  );
  const child = await escrow.pushManifest(manifest, manifestType, digestOf(manifest));
  const indexType = "application/vnd.oci.image.index.v1+json";
  const index = Buffer.from(
    canonicalJson({
      schemaVersion: 2,
      mediaType: indexType,
      artifactType: "application/vnd.refoundry.capsule.v1+json",
      manifests: [{ ...child, annotations: { "dev.refoundry.component": "recipe", "dev.refoundry.of": "recipe" } }],
      annotations: { "dev.refoundry.recipe": "hello", "dev.refoundry.version": "1.0" },
    }),
  );
  await escrow.pushManifest(index, indexType, "hello__1.0");
  const result = await call(["rebuild", "--from-capsule", `oci:${place}:hello__1.0`]);
  expect(result.exitCode).toBe(3);
  expect(result.stderr).toMatch(/none of a recipe's|leads out/);
});

test("runs that are killed or go side by side leave an escrow that can be used", async () => {
  const place = join(folder, "interrupted");
  const cli = join(import.meta.dirname, "../../src/cli.ts");
  const args = [cli, "vendor", "hello", "--escrow", `oci:${place}`];
  const start = () =>
    spawn(process.execPath, args, { cwd: factory.root, env: { ...process.env, ...env }, stdio: "ignore" });
  for (const milliseconds of [300, 500, 700, 900]) {
    const child = start();
    const ended = once(child, "exit");
    await sleep(milliseconds);
    child.kill("SIGKILL");
    await ended;
  }
  const two = [start(), start()];
  const codes = await Promise.all(two.map(async (child) => (await once(child, "exit"))[0] as number));
  expect(codes).toEqual([0, 0]);
  const rebuilt = ["rebuild", "hello", "--offline", "--escrow", `oci:${place}`, "--json"];
  const result = await cutOff(() => call(rebuilt, { store: "interrupted-store" }));
  expect(result.exitCode, result.stderr).toBe(0);
  expect(JSON.parse(result.stdout)).toMatchObject({ recorded: "same", index: { digest: recorded } });
});
