import { cp, mkdir, mkdtemp, readFile, rm } from "node:fs/promises";
import { createHash } from "node:crypto";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { execa } from "execa";
import { afterAll, beforeAll, expect, test } from "vitest";
import { findMachineMirror } from "../../src/debian/machine-mirror.ts";
import { openMirror } from "../../src/debian/mirror.ts";
import { openPackageData } from "../../src/debian/package-file.ts";
import { openLayer } from "../../src/oci/layer.ts";
import { ensureLayout, openLayout } from "../../src/oci/layout.ts";
import { readTar } from "../../src/oci/tar/read.ts";
import type { Descriptor, ImageManifest } from "../../src/oci/types.ts";
import type { Outcome } from "../../src/outcome.ts";
import { readSettings } from "../../src/settings.ts";
import { refoundry } from "../support/cli.ts";
import { type TestRegistry, startRegistry } from "../support/registry.ts";
import { temporaryFolder } from "../support/temporary.ts";
import { toolPath } from "../support/tools.ts";

const checkout = new URL("../..", import.meta.url).pathname;
let work: string;
let outcome: Outcome;
let layout: string;

/** A checkout's recipes, as a clean clone would have them. */
async function cleanClone(folder: string): Promise<string> {
  const root = join(folder, "clone");
  for (const name of ["recipes", "vendor-sources"])
    await cp(join(checkout, name), join(root, name), { recursive: true });
  return root;
}

beforeAll(async () => {
  work = await mkdtemp(join(tmpdir(), "refoundry-tini-"));
  const root = await cleanClone(work);
  const result = await refoundry(["rebuild", "tini", "--json"], { cwd: root });
  expect(result.stderr + result.stdout).toContain("refoundry/outcome/v1");
  expect(result.exitCode).toBe(0);
  outcome = JSON.parse(result.stdout);
  layout = join(root, "out/tini/0.19.0/oci");
}, 900_000);

afterAll(() => rm(work, { recursive: true, force: true }));

test("tini is rebuilt for what upstream has, and for what it never released", () => {
  expect(outcome).toMatchObject({ recipe: "tini", version: "0.19.0", destination: "oci:out/tini/0.19.0/oci:0.19.0" });
  expect(outcome.platforms).toMatchObject([
    { platform: "linux/amd64", origin: "upstream", verdict: "equivalent", level: "entries", unexplained: 0 },
    { platform: "linux/arm64", origin: "upstream", verdict: "equivalent", level: "entries", unexplained: 0 },
    { platform: "linux/loong64", origin: "rebuilt", verdict: "extended", level: "no-upstream" },
    { platform: "linux/riscv64", origin: "rebuilt", verdict: "extended", level: "no-upstream" },
  ]);
});

async function fileOfImage(manifest: string, path: string): Promise<string> {
  const from = await openLayout(readSettings(process.env).store);
  const bytes = await readFile(from.blobPath(manifest as Descriptor["digest"]));
  const { layers } = JSON.parse(bytes.toString()) as ImageManifest;
  const [layer] = layers;
  if (!layer) throw new Error("no layer");
  for await (const entry of readTar(openLayer(from, layer).chunks))
    if (entry.path === path) return hashOf(entry.content);
  throw new Error(`${path} is not in ${manifest}`);
}

async function hashOf(content: AsyncIterable<Uint8Array>): Promise<string> {
  const hash = createHash("sha256");
  for await (const chunk of content) hash.update(chunk);
  return hash.digest("hex");
}

/** The packages as trixie's signed index named them; a mirror may have newer indexes, or none for a platform. */
const publishedPackages: Readonly<Record<string, { readonly size: number; readonly sha256: string }>> = {
  amd64: { size: 280_384, sha256: "a443b12107331f67836a64cb6efe1dd92d2765e15568eb4567dccb409a8cd2a0" },
  arm64: { size: 233_960, sha256: "442405a197deb2471fc881ef3ee66c399dab2a766280e9b935197f1d18d8d6e8" },
  riscv64: { size: 256_336, sha256: "473d435773805f6c341e145ffb647a22e7ffd413ae07430064a2b7f1fd45dffb" },
};

async function publishedByDebian(architecture: string): Promise<string> {
  const settings = readSettings(process.env);
  const blobs = await ensureLayout(join(settings.cache, "test-tools", "store"));
  const mirror = openMirror(blobs, async () => settings.debianMirror ?? (await findMachineMirror()));
  try {
    const published = publishedPackages[architecture];
    if (!published) throw new Error(`no tini for ${architecture}`);
    const file = { path: `pool/main/t/tini/tini_0.19.0-3+b8_${architecture}.deb`, ...published };
    const { digest } = await mirror.fetchFile(file);
    for await (const entry of readTar(openPackageData(blobs.openBlob({ mediaType: "", digest, size: file.size })))) {
      if (entry.path === "./usr/bin/tini-static") return await hashOf(entry.content);
    }
    throw new Error("no tini-static");
  } finally {
    await mirror.close();
  }
}

test.each(["amd64", "arm64", "riscv64"])(
  "/tini for %s is, to the last bit, what Debian published; riscv64 was never shown to the factory",
  async (architecture) => {
    const rebuilt = outcome.platforms.find((platform) => platform.platform === `linux/${architecture}`)?.rebuilt ?? "";
    expect(await fileOfImage(rebuilt, "tini")).toBe(await publishedByDebian(architecture));
  },
);

test("a second engine with its own data root, and an empty store, give the same release index", async () => {
  const folder = await temporaryFolder();
  const root = await cleanClone(folder);
  const env = { REFOUNDRY_STORE: join(folder, "store"), REFOUNDRY_ENGINE_ROOT: join(folder, "engine") };
  const result = await refoundry(["rebuild", "tini", "--json"], { cwd: root, env });
  expect(result.exitCode).toBe(0);
  const second = JSON.parse(result.stdout) as Outcome;
  expect(second.platforms.map((platform) => platform.cached)).toEqual([false, false, false, false]);
  expect(second.index).toEqual(outcome.index);
  expect(second.platforms.map((platform) => platform.rebuilt)).toEqual(
    outcome.platforms.map((platform) => platform.rebuilt),
  );
  // a package that the mirror no longer has is named, and a changed one is not used
  const lock = join(
    root,
    "recipes/toolchains/debian-c/locks",
    `${second.inputs.find((input) => input.kind === "toolchain")?.version}.yaml`,
  );
  await rewrite(lock, (text) => text.replace("pool/main/m/make-dfsg/make_", "pool/main/m/make-dfsg/gone_"));
  const gone = await refoundry(["toolchain", "build", "debian-c", "--force"], {
    cwd: root,
    env: { ...env, REFOUNDRY_STORE: join(folder, "third") },
  });
  expect(gone.exitCode).toBe(3);
  expect(gone.stderr).toMatch(
    /the Debian mirror no longer has pool\/main\/m\/make-dfsg\/gone_.*\n.*REFOUNDRY_DEBIAN_MIRROR/,
  );
}, 900_000);

async function rewrite(path: string, change: (text: string) => string): Promise<void> {
  const before = await readFile(path, "utf8");
  expect(change(before)).not.toBe(before);
  const { writeFile } = await import("node:fs/promises");
  await writeFile(path, change(before));
}

test("skopeo, crane and oras read the layout", async () => {
  const index = JSON.parse((await execa(toolPath("skopeo"), ["inspect", "--raw", `oci:${layout}:0.19.0`])).stdout);
  expect(index.manifests.map((child: Descriptor) => child.platform?.architecture)).toEqual([
    "amd64",
    "arm64",
    "loong64",
    "riscv64",
  ]);
  const inspected = JSON.parse(
    (await execa(toolPath("skopeo"), ["--override-arch", "riscv64", "inspect", `oci:${layout}:0.19.0`])).stdout,
  );
  expect(inspected).toMatchObject({ Architecture: "riscv64", Os: "linux" });
  const resolved = await execa(toolPath("oras"), ["resolve", "--oci-layout", `${layout}:0.19.0`]);
  expect(resolved.stdout.trim()).toBe(outcome.index?.digest);
});

let registry: TestRegistry | undefined;
afterAll(() => registry?.stop());

test("after a push, crane validates and docker pulls and runs it, emulated too", async () => {
  registry = await startRegistry();
  const name = `${registry.host}/library/tini`;
  const pushed = await refoundry(["publish", "tini", "--push", name, "--json"], { cwd: join(work, "clone") });
  expect(pushed.exitCode).toBe(0);
  expect(JSON.parse(pushed.stdout).index).toEqual(outcome.index);
  const digest = await execa(toolPath("crane"), ["digest", "--insecure", `${name}:0.19.0`]);
  expect(digest.stdout.trim()).toBe(outcome.index?.digest);
  await execa(toolPath("crane"), ["validate", "--insecure", "--remote", `${name}:0.19.0`]);
  const tree = await execa(
    toolPath("crane"),
    ["export", "--insecure", "--platform", "linux/loong64", `${name}:0.19.0`, "-"],
    { encoding: "buffer", maxBuffer: 50_000_000 },
  );
  await mkdir(join(work, "export"));
  expect((await execa("tar", ["-tf", "-"], { input: tree.stdout })).stdout).toBe("tini");
  // an engine in this network, as a user has one: the isolated one cannot pull
  const root = join(work, "host-engine");
  const up = await refoundry(["engine", "up", "--root", root, "--host-network", "--json"], { cwd: work });
  expect(up.exitCode).toBe(0);
  try {
    const { docker, socket } = JSON.parse(up.stdout);
    const env = { DOCKER_HOST: `unix://${socket}`, DOCKER_CONFIG: join(work, "docker-config") };
    for (const platform of ["linux/amd64", "linux/riscv64"]) {
      await execa(docker, ["pull", "--platform", platform, `${name}:0.19.0`], { env });
      const run = await execa(
        docker,
        ["run", "--rm", "--network=none", "--platform", platform, `${name}:0.19.0`, "--version"],
        { env },
      );
      expect(run.stdout).toBe("tini version 0.19.0");
      const byDigest = await execa(docker, ["pull", "--platform", platform, `${name}@${outcome.index?.digest}`], {
        env,
      });
      expect(byDigest.stdout).toContain(outcome.index?.digest);
    }
  } finally {
    expect(await refoundry(["engine", "down", "--root", root], { cwd: work })).toMatchObject({ exitCode: 0 });
  }
});
