import { readFile, readdir, symlink, writeFile } from "node:fs/promises";
import { dirname, join } from "node:path";
import * as fc from "fast-check";
import { expect, test } from "vitest";
import type { Digest } from "../../../src/oci/digest.ts";
import type { PlatformName } from "../../../src/oci/platform.ts";
import { loadRelease, loadToolchainLock } from "../../../src/recipe/load.ts";
import type { Release, ToolchainLock } from "../../../src/recipe/schema.ts";
import { writeRelease, refuseOtherLock, writeToolchainLock } from "../../../src/recipe/write.ts";
import { createRecipeTree } from "../../support/recipes.ts";

const hex = (length: number): fc.Arbitrary<string> =>
  fc.string({ unit: fc.constantFrom(..."0123456789abcdef"), minLength: length, maxLength: length });
// all digits, or digits and one e, would be a number without quotes
const trickyHex = (length: number): fc.Arbitrary<string> =>
  fc.oneof(hex(length), fc.constant("1".repeat(length)), fc.constant(`12e${"3".repeat(length - 3)}`));
const digest = trickyHex(64).map((text): Digest => `sha256:${text}`);
const version = fc.oneof(
  fc.stringMatching(/^[A-Za-z0-9][A-Za-z0-9.+~:_-]{0,20}$/),
  fc.constantFrom("1.20", "0755", "true", "null", "0x1f", "1e3", "2026-11-23"),
);
const debianVersion = fc.oneof(
  fc.stringMatching(/^[A-Za-z0-9.+~:-]{1,20}$/),
  fc.constantFrom("1:2.0", "1.10", "0", "~", "-", "..."),
);
const platform = fc.constantFrom<PlatformName>(
  "linux/amd64",
  "linux/arm64",
  "linux/arm/v7",
  "linux/riscv64",
  "windows/amd64",
);
const size = fc.integer({ min: 1, max: Number.MAX_SAFE_INTEGER });
const epoch = fc.integer({ min: 0, max: 4_000_000_000 });
const text = fc
  .string({ unit: "grapheme", minLength: 1, maxLength: 40 })
  .filter((line) => !/[\p{Cc}\u2028-\u202e\u2066-\u2069]/u.test(line));
const path = fc.stringMatching(/^pool\/[A-Za-z0-9+~_%:-]{1,20}$/);
const name = fc.stringMatching(/^[a-z0-9][a-z0-9.+-]{1,10}$/);
const mirrorFile = { path, size, sha256: trickyHex(64) };

function optional<T extends object>(value: fc.Arbitrary<T>): fc.Arbitrary<T | Record<string, never>> {
  return fc.oneof(value, fc.constant({}));
}

const release: fc.Arbitrary<Release> = fc.record({
  version,
  source: fc
    .tuple(
      fc.record({ commit: trickyHex(40), tree: trickyHex(40), archive: digest, epoch }),
      optional(
        fc.record({
          debian: fc.record({
            version: debianVersion,
            files: fc.array(fc.record(mirrorFile), { minLength: 2, maxLength: 4 }),
          }),
        }),
      ),
    )
    .map(([source, debian]) => ({ ...source, ...debian })),
  toolchain: fc
    .tuple(fc.record({ digest }), optional(fc.record({ lock: version })))
    .map(([pin, lock]) => ({ ...pin, ...lock })),
  upstream: fc
    .tuple(
      fc.record({ digest, mediaType: text, size, manifests: fc.dictionary(platform, digest) }),
      optional(
        fc.record({
          debian: fc.array(fc.record({ ...mirrorFile, platform, version: debianVersion }), { maxLength: 4 }),
        }),
      ),
    )
    .map(([upstream, debian]) => ({ ...upstream, ...debian })),
});

const expectation = fc.record({
  expect: fc.record({
    index: digest,
    platforms: fc.dictionary(platform, fc.record({ manifest: digest, buildKey: digest })),
  }),
});
const anyRelease = fc.tuple(release, optional(expectation)).map(([value, more]): Release => ({ ...value, ...more }));

const anyLock: fc.Arbitrary<ToolchainLock> = fc.record({
  suite: fc.constantFrom("trixie", "sid"),
  epoch,
  architecture: fc.constantFrom("amd64", "arm64"),
  foreign: fc.subarray(["riscv64", "ppc64el"]),
  digest,
  packages: fc.array(
    fc.record({ name, version: debianVersion, architecture: fc.constantFrom("amd64", "all"), ...mirrorFile }),
    { minLength: 1, maxLength: 5 },
  ),
});

test("any valid release survives write and load, and the same one gives the same bytes", async () => {
  await using tree = await createRecipeTree();
  await fc.assert(
    fc.asyncProperty(anyRelease, async (value) => {
      const file = await writeRelease(tree.root, "tini", value, { replace: true });
      expect(await loadRelease(tree.root, "tini", value.version)).toEqual(value);
      const manifests = Object.fromEntries(
        Object.entries(value.upstream.manifests).toReversed(),
      ) as Release["upstream"]["manifests"];
      const reordered = Object.fromEntries(
        Object.entries({ ...value, upstream: { ...value.upstream, manifests } }).toReversed(),
      ) as Release;
      const before = await readFile(file, "utf8");
      await writeRelease(tree.root, "tini", reordered, { replace: true });
      expect(await readFile(file, "utf8")).toBe(before);
    }),
    { numRuns: 150 },
  );
});

test("any valid lock survives write and load", async () => {
  await using tree = await createRecipeTree();
  await fc.assert(
    fc.asyncProperty(anyLock, async (value) => {
      await writeToolchainLock(tree.root, "debian-c", "made", value, { replace: true });
      expect(await loadToolchainLock(tree.root, "debian-c", "made")).toEqual(value);
    }),
    { numRuns: 150 },
  );
});

const small: ToolchainLock = {
  suite: "trixie",
  epoch: 1,
  architecture: "amd64",
  foreign: [],
  digest: `sha256:${"d".repeat(64)}`,
  packages: ["libc6", "make"].map((each) => ({
    sha256: "4".repeat(64),
    size: 9,
    path: `pool/${each}_1.deb`,
    architecture: "amd64",
    version: "1.20",
    name: each,
  })),
};

test("a lock says who wrote it and has one line for each package", async () => {
  await using tree = await createRecipeTree();
  const file = await writeToolchainLock(tree.root, "debian-c", "small", small);
  expect(await readFile(file, "utf8")).toBe(`# Written by refoundry toolchain lock; review it, do not edit it.
suite: trixie
epoch: 1
architecture: amd64
foreign: []
digest: sha256:${"d".repeat(64)}
packages:
  - { path: pool/libc6_1.deb, size: 9, sha256: "${"4".repeat(64)}", name: libc6, version: "1.20", architecture: amd64 }
  - { path: pool/make_1.deb, size: 9, sha256: "${"4".repeat(64)}", name: make, version: "1.20", architecture: amd64 }
`);
});

test("a release is a first line, then keys in the order of the schema, versions in quotes", async () => {
  await using tree = await createRecipeTree();
  const before = await loadRelease(tree.root, "tini", "0.19.0");
  const file = await writeRelease(tree.root, "tini", { ...before, version: "1" });
  const lines = (await readFile(file, "utf8")).split("\n");
  expect(lines.slice(0, 3)).toEqual([
    "# Written by refoundry pin; review it, do not edit it.",
    'version: "1"',
    "source:",
  ]);
  expect(lines.filter((line) => /^\w/.test(line)).map((line) => line.split(":")[0])).toEqual([
    "version",
    "source",
    "toolchain",
    "upstream",
  ]);
});

test("a file with other content is kept unless it is to be replaced", async () => {
  await using tree = await createRecipeTree();
  const file = await writeToolchainLock(tree.root, "debian-c", "small", small);
  const before = await readFile(file, "utf8");
  const other = { ...small, epoch: 2 };
  await expect(writeToolchainLock(tree.root, "debian-c", "small", other)).rejects.toMatchObject({
    kind: "usage",
    message: expect.stringContaining("other content"),
  });
  expect(await readFile(file, "utf8")).toBe(before);
  expect(await writeToolchainLock(tree.root, "debian-c", "small", small)).toBe(file);
  expect(await writeToolchainLock(tree.root, "debian-c", "small", other, { replace: true })).toBe(file);
  expect((await loadToolchainLock(tree.root, "debian-c", "small")).epoch).toBe(2);
  expect((await readdir(dirname(file))).toSorted()).toEqual(["small.yaml", "trixie-20260912.yaml"]);
});

test("a lock of other packages is refused before an image is made from them", async () => {
  await using tree = await createRecipeTree();
  const { digest: _, ...made } = small;
  await refuseOtherLock(tree.root, "debian-c", "small", made);
  await writeToolchainLock(tree.root, "debian-c", "small", small);
  await refuseOtherLock(tree.root, "debian-c", "small", made);
  await expect(refuseOtherLock(tree.root, "debian-c", "small", { ...made, epoch: 2 })).rejects.toMatchObject({
    kind: "usage",
    problems: [{ hint: expect.stringContaining("--replace") }],
  });
});

test("what is not valid is never written", async () => {
  await using tree = await createRecipeTree();
  const before = await loadRelease(tree.root, "tini", "0.19.0");
  const bad = { ...before, version: "2", source: { ...before.source, commit: "main" } };
  await expect(writeRelease(tree.root, "tini", bad)).rejects.toMatchObject({
    kind: "usage",
    message: expect.stringContaining("source.commit: must be the full commit id"),
  });
  await expect(writeRelease(tree.root, "tini", { ...before, version: "../2" })).rejects.toMatchObject({
    kind: "usage",
  });
  await expect(writeRelease(tree.root, "../tini", before)).rejects.toMatchObject({ kind: "usage" });
  expect(await readdir(join(tree.root, "recipes/images/tini/releases"))).toEqual(["0.19.0.yaml"]);
});

test("nothing is written through a symbolic link", async () => {
  await using tree = await createRecipeTree();
  const release = await loadRelease(tree.root, "tini", "0.19.0");
  await tree.remove("recipes/images/tini/releases");
  await symlink(tree.root, join(tree.root, "recipes/images/tini/releases"));
  await expect(writeRelease(tree.root, "tini", release)).rejects.toMatchObject({
    kind: "usage",
    message: expect.stringContaining("symbolic link"),
  });
  const target = join(tree.root, "target.yaml");
  await writeFile(target, "kept");
  await symlink(target, join(tree.root, "recipes/toolchains/debian-c/locks/linked.yaml"));
  await expect(writeToolchainLock(tree.root, "debian-c", "linked", small)).rejects.toMatchObject({ kind: "usage" });
  expect(await readFile(target, "utf8")).toBe("kept");
});
