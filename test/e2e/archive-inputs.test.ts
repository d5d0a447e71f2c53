import { readdir, readFile, writeFile } from "node:fs/promises";
import { join } from "node:path";
import { gzipSync, zstdCompressSync } from "node:zlib";
import { execa } from "execa";
import { afterAll, beforeAll, describe, expect, onTestFinished, test } from "vitest";
import { compareImages } from "../../src/compare/compare-images.ts";
import type { Comparison } from "../../src/compare/types.ts";
import { resolveReference } from "../../src/oci/open-reference.ts";
import { parseReference } from "../../src/oci/reference.ts";
import { createRegistryClient } from "../../src/oci/registry/client.ts";
import { refoundry } from "../support/cli.ts";
import { file, folder, link, type TestImage, testLayout, writeImage } from "../support/images.ts";
import { startRegistry, type TestRegistry } from "../support/registry.ts";
import { temporaryFolder } from "../support/temporary.ts";
import { toolPath } from "../support/tools.ts";

const refName = "org.opencontainers.image.ref.name";
const base: TestImage = {
  layers: [
    [folder("bin"), file("bin/app", "program".repeat(50_000), { mode: 0o755 }), link("bin/sh", "app")],
    [file("etc/conf", "a=1")],
    [folder("bin"), file("bin/app", "program".repeat(50_000), { mode: 0o755 }), link("bin/sh", "app")],
  ],
  config: { Env: ["PATH=/bin"], Entrypoint: ["/bin/app"], Labels: { a: "1", A: "2" } },
  top: { history: [{ created_by: "one" }, { created_by: "two" }, { created_by: "three" }] },
  compression: "gzip",
};

let registry: TestRegistry;
beforeAll(async () => {
  registry = await startRegistry();
});
afterAll(() => registry.stop());

/** Writes an image into a layout under the tag `v1`; gives the layout's folder. */
async function layoutOf(image: TestImage): Promise<string> {
  const layout = await testLayout();
  const manifest = await writeImage(layout, image);
  await layout.writeIndex({ schemaVersion: 2, manifests: [{ ...manifest, annotations: { [refName]: "v1" } }] });
  return layout.path;
}

async function skopeoCopy(from: string, to: string): Promise<void> {
  await execa(toolPath("skopeo"), ["copy", "--insecure-policy", "--dest-tls-verify=false", from, to]);
}

async function compare(left: string, right: string): Promise<Comparison> {
  const client = createRegistryClient({ env: {} });
  onTestFinished(() => client.close());
  const sides = [
    await resolveReference(parseReference(left), client),
    await resolveReference(parseReference(right), client),
  ];
  const [a, b] = sides;
  if (!a || !b) throw new Error("two references give two sides");
  try {
    return await compareImages({ ...a, name: left }, { ...b, name: right });
  } finally {
    for (const side of sides) await side.close?.();
  }
}

function classesOf(comparison: Comparison): string[] {
  return comparison.platforms.flatMap((platform) => platform.differences.map((difference) => difference.class));
}

describe("the same image", () => {
  test("as skopeo writes it: oci-archive is equal at manifest, docker-archive at config", async () => {
    const [layout, folderOfArchives] = [await layoutOf(base), await temporaryFolder()];
    const [oci, docker] = [join(folderOfArchives, "oci.tar"), join(folderOfArchives, "docker.tar")];
    await skopeoCopy(`oci:${layout}:v1`, `oci-archive:${oci}:v1`);
    await skopeoCopy(`oci:${layout}:v1`, `docker-archive:${docker}:example.org/app:1`);
    for (const name of [`oci-archive:${oci}`, `oci-archive:${oci}:v1`])
      expect((await compare(`oci:${layout}:v1`, name)).level).toBe("manifest");
    for (const name of [docker, `${docker}:example.org/app:1`, `${docker}:@0`]) {
      const compared = await compare(`oci:${layout}:v1`, `docker-archive:${name}`);
      expect(compared.level).toBe("config");
      expect(classesOf(compared)).toEqual(expect.arrayContaining(["layer-compression", "media-type"]));
    }
    for (const archive of [oci, docker]) {
      const bytes = await readFile(archive);
      await writeFile(`${archive}.gz`, gzipSync(bytes));
      await writeFile(`${archive}.zst`, zstdCompressSync(bytes));
    }
    expect((await compare(`oci-archive:${oci}.gz:v1`, `oci:${layout}`)).level).toBe("manifest");
    expect((await compare(`docker-archive:${docker}.zst`, `oci-archive:${oci}.zst`)).level).toBe("config");
    expect((await compare(`docker-archive:${docker}`, `docker-archive:${docker}.gz`)).level).toBe("manifest");
  });

  test("as crane pulls it: a tarball is equal at config, a layout at manifest", async () => {
    const [layout, pulled] = [await layoutOf(base), await temporaryFolder()];
    const [first, second] = [`${registry.host}/app:1`, `${registry.host}/other:2`];
    await skopeoCopy(`oci:${layout}:v1`, `docker://${first}`);
    await skopeoCopy(`oci:${await layoutOf({ ...base, config: {} })}:v1`, `docker://${second}`);
    const crane = async (format: string, path: string, ...images: readonly string[]): Promise<unknown> =>
      execa(toolPath("crane"), ["pull", "--insecure", `--format=${format}`, ...images, path]);
    const [tarball, both, oci] = [join(pulled, "one.tar"), join(pulled, "both.tar"), join(pulled, "oci")];
    await crane("tarball", tarball, first);
    await crane("tarball", both, first, second);
    await crane("oci", oci, first);
    expect((await compare(`docker://${first}`, `docker-archive:${tarball}`)).level).toBe("config");
    expect((await compare(`docker://${first}`, `oci:${oci}`)).level).toBe("manifest");
    await expect(compare(`docker://${first}`, `docker-archive:${both}`)).rejects.toThrow(
      new RegExp(`names more than one image; the archive has ${first}, ${second}`),
    );
    expect((await compare(`docker://${first}`, `docker-archive:${both}:${first}`)).level).toBe("config");
    expect((await compare(`docker://${second}`, `docker-archive:${both}:@1`)).level).toBe("config");
    expect((await compare(`docker://${first}`, `docker-archive:${both}:${second}`)).level).toBe("different");
    await execa("tar", ["-cf", join(pulled, "oci.tar"), "-C", oci, "."]);
    expect((await compare(`docker://${first}`, `oci-archive:${join(pulled, "oci.tar")}`)).level).toBe("manifest");
  });
});

test("another image in an archive is different, at the level that it is", async () => {
  const archives = await temporaryFolder();
  const other = join(archives, "other.tar");
  const retimed: TestImage = { ...base, layers: [...base.layers.slice(0, 2), [file("etc/new", "x")]] };
  await skopeoCopy(`oci:${await layoutOf(retimed)}:v1`, `docker-archive:${other}`);
  const compared = await compare(`oci:${await layoutOf(base)}`, `docker-archive:${other}`);
  expect(compared.level).toBe("different");
  expect(classesOf(compared).some((name) => name.startsWith("entry-missing"))).toBe(true);
});

test("a byte changed in a layer, and an archive cut short, are errors", async () => {
  const [layout, archives] = [await layoutOf(base), await temporaryFolder()];
  const [docker, damaged, short] = ["docker.tar", "damaged.tar", "short.tar"].map((name) => join(archives, name)) as [
    string,
    string,
    string,
  ];
  await skopeoCopy(`oci:${layout}:v1`, `docker-archive:${docker}`);
  const bytes = await readFile(docker);
  const at = bytes.indexOf("programprogram") + 1000;
  bytes.writeUInt8(bytes.readUInt8(at) ^ 1, at);
  await writeFile(damaged, bytes);
  await writeFile(short, bytes.subarray(0, bytes.length / 2));
  await expect(compare(`oci:${layout}`, `docker-archive:${damaged}`)).rejects.toThrow(/changed or damaged/);
  await expect(compare(`oci:${layout}`, `docker-archive:${short}`)).rejects.toThrow(/truncated/);
});

test("the command line takes archives, says what is wrong with one, and leaves nothing behind", async () => {
  const [layout, archives, temporary] = [await layoutOf(base), await temporaryFolder(), await temporaryFolder()];
  const docker = join(archives, "docker.tar");
  await skopeoCopy(`oci:${layout}:v1`, `docker-archive:${docker}`);
  await writeFile(`${docker}.gz`, gzipSync(await readFile(docker)));
  const call = (right: string): ReturnType<typeof refoundry> =>
    refoundry(["compare", "--require", "config", `oci:${layout}`, right], {
      cwd: archives,
      env: { TMPDIR: temporary },
    });
  const compared = await call(`docker-archive:${docker}.gz`);
  expect(compared).toMatchObject({ exitCode: 0, stderr: "" });
  expect(compared.stdout).toContain("equal at level config");
  const missing = await call(`docker-archive:${docker}.nowhere`);
  expect(missing.exitCode).toBe(2);
  expect(missing.stderr).toContain("there is no file");
  expect((await call(`oci-archive:${docker}`)).stderr).toContain("docker-archive:");
  expect((await readdir(temporary)).filter((name) => name.endsWith(".tar"))).toEqual([]);
});
