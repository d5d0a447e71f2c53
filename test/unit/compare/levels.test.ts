import { writeFile } from "node:fs/promises";
import fc from "fast-check";
import { describe, expect, test } from "vitest";
import { compareImages } from "../../../src/compare/compare-images.ts";
import { summariseComparison } from "../../../src/report/comparison/terminal.ts";
import type { Comparison } from "../../../src/compare/types.ts";
import type { Descriptor } from "../../../src/oci/types.ts";
import type { TarInput } from "../../../src/oci/tar/write.ts";
import { file, folder, link, type TestImage, testLayout, writeImage, writeIndex } from "../../support/images.ts";

const base: TestImage = {
  layers: [
    [folder("bin"), file("bin/app", "program", { mode: 0o755 }), link("bin/sh", "app"), file("etc/conf", "a=1")],
  ],
  config: { Env: ["PATH=/bin", "A=1"], Entrypoint: ["/bin/app"], Labels: { a: "1" } },
  compression: "gzip",
};

async function compare(left: TestImage, right: TestImage): Promise<Comparison> {
  const layout = await testLayout();
  const side = (descriptor: Descriptor) => ({ reader: layout, descriptor });
  const sides = [side(await writeImage(layout, left)), side(await writeImage(layout, right))] as const;
  return compareImages({ ...sides[0], name: "left" }, { ...sides[1], name: "right" });
}

async function levelOf(left: TestImage, right: TestImage): Promise<string> {
  return (await compare(left, right)).level;
}

function classesOf(comparison: Comparison): string[] {
  return comparison.platforms.flatMap((platform) => platform.differences.map((difference) => difference.class));
}

const [layer = []] = base.layers as readonly (readonly TarInput[])[];
const withLayer = (entries: readonly TarInput[]): TestImage => ({ ...base, layers: [entries] });
const retimed = layer.map((entry) => ({ ...entry, mtime: 99 }));

describe("equal by construction, at the level that it is", () => {
  test.each<[string, TestImage, string, string?]>([
    ["the very same", base, "manifest"],
    ["another compression level", { ...base, gzipLevel: 1 }, "config", "layer-compression"],
    ["zstd for gzip", { ...base, compression: "zstd" }, "config", "layer-compression"],
    ["no compression", { ...base, compression: "none" }, "config", "layer-compression"],
    ["annotations", { ...base, annotations: { a: "b" } }, "config", "manifest-annotations"],
    ["another build time", { ...base, top: { created: "2020-01-01T00:00:00Z" } }, "layers", "config-created"],
    ["another history", { ...base, top: { history: [{ created_by: "x" }] } }, "layers", "config-history"],
    [
      "legacy fields",
      { ...base, config: { ...base.config, Hostname: "abc", AttachStdin: false }, top: { docker_version: "1.9" } },
      "layers",
      "config-legacy",
    ],
    ["empty fields", { ...base, config: { ...base.config, Volumes: {}, Cmd: null, User: "" } }, "layers"],
    [
      "variables in another order",
      { ...base, config: { ...base.config, Env: ["A=1", "PATH=/bin"] } },
      "layers",
      "config-env-order",
    ],
    ["other times", withLayer(retimed), "entries", "entry-times"],
    ["another order", withLayer(layer.toReversed()), "entries", "entry-order"],
    ["more layers", { ...base, layers: [layer.slice(0, 2), layer.slice(2)] }, "filesystem", "layer-split"],
    [
      "a file that a later layer takes away",
      { ...base, layers: [[...layer, file("tmp/x")], [file("tmp/.wh.x", "")], [folder("tmp")]] },
      "different",
    ],
    ["a folder that was there before", { ...base, layers: [[...layer, folder("etc")]] }, "filesystem"],
  ])("%s", async (_, right, level, name) => {
    const comparison = await compare(base, right);
    expect(comparison.level).toBe(level);
    if (name !== undefined) expect(classesOf(comparison)).toContain(name);
    expect((await compare(right, base)).level).toBe(level);
  });

  test("a file hidden by a whiteout is not in the image, wherever the whiteout stands", async () => {
    const hidden = file("tmp/evil", "x", { mode: 0o4755 });
    const clean: TestImage = { ...base, layers: [[...layer, folder("tmp")]] };
    expect(await levelOf(clean, { ...base, layers: [[...layer, hidden], [file("tmp/.wh.evil", "")]] })).toBe(
      "filesystem",
    );
    expect(await levelOf(clean, { ...base, layers: [[...layer, hidden], [file("tmp/.wh..wh..opq", "")]] })).toBe(
      "filesystem",
    );
    expect(await levelOf(clean, { ...base, layers: [[...layer], [hidden]] })).toBe("different");
  });

  test("an opaque marker spares its own layer, before it and behind it", async () => {
    const kept: TestImage = { ...base, layers: [[...layer, folder("d"), file("d/new")]] };
    for (const entries of [
      [folder("d"), file("d/.wh..wh..opq", ""), file("d/new")],
      [folder("d"), file("d/new"), file("d/.wh..wh..opq", "")],
    ]) {
      expect(await levelOf(kept, { ...base, layers: [[...layer, file("d/old")], entries] })).toBe("filesystem");
    }
  });

  test("a hard link is the same whichever name the archive wrote first", async () => {
    const one = [file("a", "same"), link("b", "a", "hardlink")];
    const other = [file("b", "same"), link("a", "b", "hardlink")];
    expect(await levelOf(withLayer(one), withLayer(other))).toBe("entries");
    const comparison = await compare(withLayer(one), withLayer([file("a", "same"), file("b", "same")]));
    expect(comparison.level).toBe("explained");
    expect(classesOf(comparison)).toContain("hardlink-copy");
  });

  test("a layer that goes through a link lands where a runtime puts it", async () => {
    const linked: TestImage = { ...base, layers: [[folder("usr/lib"), link("lib", "usr/lib")], [file("lib/x", "x")]] };
    expect(
      await levelOf(linked, { ...base, layers: [[folder("usr/lib"), link("lib", "usr/lib"), file("usr/lib/x", "x")]] }),
    ).toBe("filesystem");
  });
});

describe("what others miss is different", () => {
  const runtime = (key: string, value: unknown): TestImage => ({ ...base, config: { ...base.config, [key]: value } });
  test.each<[string, TestImage, string]>([
    ["Healthcheck", runtime("Healthcheck", { Test: ["CMD", "x"] }), "runtime-config"],
    ["OnBuild", runtime("OnBuild", ["RUN x"]), "runtime-config"],
    ["Shell", runtime("Shell", ["/bin/evil"]), "runtime-config"],
    ["User", runtime("User", "0"), "runtime-config"],
    ["a label", runtime("Labels", { a: "2" }), "runtime-config"],
    ["a key nobody has heard of", runtime("Future", true), "runtime-config"],
    ["a key at the top that nobody has heard of", { ...base, top: { future: 1 } }, "runtime-config"],
    ["a variable set twice", runtime("Env", ["A=1", "PATH=/bin", "PATH=/evil"]), "runtime-config"],
    ["arguments in another order", runtime("Entrypoint", ["-x", "/bin/app"]), "runtime-config"],
    ["a legacy field that is set", runtime("Tty", true), "runtime-config"],
    ["another architecture", { ...base, architecture: "arm64" }, "config-platform"],
    ["a link to bin/app is not one to /bin/app", withLayer([...layer, link("l", "/bin/app")]), "entry-missing-left"],
    [
      "setuid",
      withLayer([file("bin/app", "program", { mode: 0o4755 }), ...layer.filter((entry) => entry.path !== "bin/app")]),
      "file-mode",
    ],
    ["an owner", withLayer(layer.map((entry) => ({ ...entry, uid: 1 }))), "file-owner"],
    ["one byte", withLayer([...layer, file("etc/conf", "a=2")]), "file-content"],
    [
      "a capability",
      withLayer([
        ...layer,
        file("etc/conf", "a=1", { xattrs: new Map([["security.capability", Buffer.from([1, 0, 0, 2])]]) }),
      ]),
      "xattrs",
    ],
    ["a folder for a file", withLayer([...layer, folder("etc/conf")]), "file-type"],
  ])("%s", async (_, right, name) => {
    const comparison = await compare(base, right);
    expect(comparison.level).toBe("different");
    expect(classesOf(comparison)).toContain(name);
    expect(comparison.platforms[0]?.unexplained).toBeGreaterThan(0);
  });

  test("the target of a link, as written", async () => {
    const comparison = await compare(withLayer([link("l", "/bin/app")]), withLayer([link("l", "bin/app")]));
    expect(classesOf(comparison)).toEqual(["link-target"]);
  });
});

test("a config that lies about its diffIDs counts as nothing", async () => {
  const layout = await testLayout();
  const honest = await writeImage(layout, base);
  const { diff_ids } = JSON.parse(
    Buffer.from(await layout.readDocument(await configOf(layout, honest))).toString(),
  ).rootfs;
  const liar = await writeImage(layout, { ...base, layers: [[file("evil")]], diffIds: diff_ids });
  const compared = compareImages({ reader: layout, descriptor: honest }, { reader: layout, descriptor: liar });
  await expect(compared).rejects.toThrow(/unpacks to sha256:[0-9a-f]{64}, and its config claims/);
});

async function configOf(layout: Awaited<ReturnType<typeof testLayout>>, manifest: Descriptor): Promise<Descriptor> {
  return JSON.parse(Buffer.from(await layout.readDocument(manifest)).toString()).config;
}

test("indexes are matched by platform, attestations left out, and what only one side has is told", async () => {
  const layout = await testLayout();
  const amd64 = await writeImage(layout, base);
  const arm64 = await writeImage(layout, { ...base, architecture: "arm64" });
  const attestation: Descriptor = { ...amd64, platform: { os: "unknown", architecture: "unknown" } };
  const left = await writeIndex(layout, [amd64, arm64, attestation]);
  const right = await writeIndex(layout, [arm64, amd64]);
  const compared = await compareImages({ reader: layout, descriptor: left }, { reader: layout, descriptor: right });
  expect(compared).toMatchObject({ level: "index-core", levels: { index: false, "index-core": true } });
  const swapped = await writeIndex(layout, [
    { ...arm64, platform: { os: "linux", architecture: "amd64" } },
    { ...amd64, platform: { os: "linux", architecture: "arm64" } },
  ]);
  expect(
    (await compareImages({ reader: layout, descriptor: left }, { reader: layout, descriptor: swapped })).level,
  ).toBe("different");
  const fewer = await compareImages(
    { reader: layout, descriptor: left },
    { reader: layout, descriptor: await writeIndex(layout, [amd64]) },
  );
  expect(fewer).toMatchObject({ level: "different", onlyLeft: ["linux/arm64"] });
  const single = await compareImages({ reader: layout, descriptor: left }, { reader: layout, descriptor: amd64 });
  expect(single.level).toBe("manifest");
});

test("a damaged layer is an error, never a verdict", async () => {
  const layout = await testLayout();
  const good = await writeImage(layout, base);
  const other = await writeImage(layout, withLayer(retimed));
  const manifest = JSON.parse(Buffer.from(await layout.readDocument(other)).toString());
  await writeFile(layout.blobPath(manifest.layers[0].digest), "not what it was");
  await expect(
    compareImages({ reader: layout, descriptor: good }, { reader: layout, descriptor: other }),
  ).rejects.toMatchObject({ kind: "infrastructure" });
});

test("the same inputs give the same bytes, and the summary has no control characters", async () => {
  const right = withLayer([file("bin/app\u001b[31m", "x"), ...layer]);
  const comparison = await compare(base, right);
  expect(JSON.stringify(await compare(base, right))).toBe(JSON.stringify(comparison));
  // biome-ignore lint/suspicious/noControlCharactersInRegex: they are what must not be there
  expect(summariseComparison(comparison).join("")).not.toMatch(/[\u0000-\u001f]/);
});

const names = fc.constantFrom("a", "b", "d/x", "d/y", "d/e/z");
const entry = fc.oneof(
  fc
    .record({
      path: names,
      content: fc.constantFrom("1", "2"),
      mode: fc.constantFrom(0o644, 0o755, 0o4755),
      uid: fc.constantFrom(0, 7),
    })
    .map(({ path, content, mode, uid }) => file(path, content, { mode, uid })),
  fc.record({ path: names, target: fc.constantFrom("a", "/a") }).map(({ path, target }) => link(path, target)),
);
const layers = fc.array(fc.uniqueArray(entry, { maxLength: 4, selector: (item) => item.path }), {
  minLength: 1,
  maxLength: 3,
});

test("no false equal: whatever is added, changed or split, the level is what a plain model of the tree says", async () => {
  await fc.assert(
    fc.asyncProperty(layers, layers, async (left, right) => {
      const level = await levelOf({ layers: left }, { layers: right });
      expect(["manifest", "config", "layers", "entries", "filesystem"].includes(level)).toBe(
        modelOf(left) === modelOf(right),
      );
    }),
    { numRuns: 120 },
  );
}, 60_000);

/** The tree as nested plain steps: what stands under a name that becomes a file goes. */
function modelOf(parts: readonly (readonly TarInput[])[]): string {
  const tree = new Map<string, string>();
  for (const part of parts) {
    for (const item of part) {
      for (const path of tree.keys()) if (path.startsWith(`${item.path}/`)) tree.delete(path);
      const shown =
        item.type === "file"
          ? `${item.mode} ${item.uid} ${String(item.content)}`
          : item.type === "symlink"
            ? `-> ${item.linkName}`
            : "";
      tree.set(item.path, shown);
    }
  }
  return JSON.stringify([...tree].toSorted());
}
