import { expect, test } from "vitest";
import { openMirror, type PinnedFile } from "../../../src/debian/mirror.ts";
import { openSnapshotArchive } from "../../../src/debian/snapshot.ts";
import { digestOf, hexOf } from "../../../src/oci/digest.ts";
import { ensureLayout } from "../../../src/oci/layout.ts";
import { pinArchived } from "../../../src/toolchain/source-packages.ts";
import { serveSnapshots } from "../../support/archives.ts";
import { serveFiles } from "../../support/file-server.ts";
import { temporaryFolder } from "../../support/temporary.ts";

const deb = Buffer.from("a binary package");
const orig = Buffer.from("an upstream tarball");
const hash = (bytes: Uint8Array): string => hexOf(digestOf(bytes));
const dsc = Buffer.from(`Format: 3.0 (quilt)
Source: acl
Version: 1:2.3-1
Checksums-Sha256:
 ${hash(orig)} ${orig.length} acl_2.3.orig.tar.xz
`);
const pinned = (path: string, bytes: Uint8Array): PinnedFile => ({ path, size: bytes.length, sha256: hash(bytes) });
const archived = [
  { kind: "binary", name: "acl", version: "9", files: { "pool/main/a/acl/acl_9_amd64.deb": Buffer.from("another") } },
  { kind: "binary", name: "acl", version: "1:2.3-1+b2", files: { "pool/main/a/acl/acl_2.3-1+b2_amd64.deb": deb } },
  {
    kind: "package",
    name: "acl",
    version: "1:2.3-1",
    files: { "pool/main/a/acl/acl_2.3-1.dsc": dsc, "pool/main/a/acl/acl_2.3.orig.tar.xz": orig },
  },
] as const;

async function setUp(onMirror: Readonly<Record<string, Uint8Array>>) {
  const archive = openSnapshotArchive(await serveSnapshots(archived));
  const address = await serveFiles(new Map(Object.entries(onMirror)));
  const blobs = await ensureLayout(await temporaryFolder());
  const origins: string[] = [];
  const mirror = openMirror(blobs, () => Promise.resolve(address), {
    archive,
    onFetched: (_, origin) => Promise.resolve(void origins.push(origin)),
  });
  return { archive, mirror, blobs, origins };
}

test.each([
  ["a binary package", pinned("pool/main/a/acl/acl_2.3-1+b2_amd64.deb", deb)],
  ["one whose path is written as apt writes it", pinned("pool/main/a/acl/acl_2.3-1%2bb2_amd64.deb", deb)],
  ["a .dsc", pinned("pool/main/a/acl/acl_2.3-1.dsc", dsc)],
  ["an upstream tarball", pinned("pool/main/a/acl/acl_2.3.orig.tar.xz", orig)],
])("what the mirror has no more comes from the archive: %s", async (_, file) => {
  const { mirror, blobs, origins } = await setUp({});
  const { digest, origin } = await mirror.fetchFile(file);
  expect(origin).toMatch(/^the snapshot archive 127\.0\.0\.1/);
  expect(origins).toEqual([origin]);
  expect(await blobs.has({ digest, size: file.size })).toBe(true);
});

test("what the mirror has otherwise than it is pinned comes from the archive, and what both have otherwise from nowhere", async () => {
  const path = "pool/main/a/acl/acl_2.3.orig.tar.xz";
  const { mirror } = await setUp({ [path]: Buffer.from("a rewritten tar.gz!") });
  expect((await mirror.fetchFile(pinned(path, orig))).origin).toMatch(/snapshot archive/);
  const other = Buffer.from("what was pinned one");
  await expect(mirror.fetchFile(pinned(path, other))).rejects.toThrow(/changed or damaged/);
});

test("the mirror comes first, and what neither has is said of it", async () => {
  const { mirror } = await setUp({ "pool/main/a/acl/acl_2.3.orig.tar.xz": orig });
  expect((await mirror.fetchFile(pinned("pool/main/a/acl/acl_2.3.orig.tar.xz", orig))).origin).toBe("mirror");
  await expect(mirror.fetchFile(pinned("pool/main/b/b/b_1_amd64.deb", deb))).rejects.toThrow(/no longer has/);
});

test("a source package of old is pinned by what its .dsc in the archive says", async () => {
  const { archive } = await setUp({});
  expect(await pinArchived({ name: "acl", version: "1:2.3-1" }, archive)).toEqual([
    pinned("pool/main/a/acl/acl_2.3-1.dsc", dsc),
    pinned("pool/main/a/acl/acl_2.3.orig.tar.xz", orig),
  ]);
  expect(await pinArchived({ name: "acl", version: "7" }, archive)).toBeUndefined();
});
