import { join } from "node:path";
import { expect, test } from "vitest";
import { openMirror } from "../../../src/debian/mirror.ts";
import { silent } from "../../../src/events.ts";
import { digestOf, hexOf } from "../../../src/oci/digest.ts";
import { openLayoutRepository } from "../../../src/oci/layout-repository.ts";
import { packageSourcesComponent } from "../../../src/rebuild/vendor-package-sources.ts";
import type { ToolchainSources } from "../../../src/recipe/toolchain-sources.ts";
import { openStore } from "../../../src/store/store.ts";
import { serveFiles } from "../../support/file-server.ts";
import { temporaryFolder } from "../../support/temporary.ts";

const contents = new Map(
  ["acl.dsc", "acl.orig.tar.xz", "hostname.dsc", "zlib.dsc"].map((name) => [
    `pool/main/${name}`,
    Buffer.from(`this is ${name}`),
  ]),
);

function pinOf(source: string, version: string, name: string): ToolchainSources["files"][number] {
  const bytes = contents.get(`pool/main/${name}`) ?? Buffer.alloc(0);
  return { path: `pool/main/${name}`, size: bytes.length, sha256: hexOf(digestOf(bytes)), source, version };
}

const sources: ToolchainSources = {
  sources: [
    { name: "acl", version: "2.3.2-2", licence: "GPL-2.0-or-later AND (MIT OR BSD-3-Clause)" },
    { name: "gone", version: "1", missing: "no suite of the toolchain lists this version any more" },
    { name: "hostname", version: "3.25" },
    { name: "zlib", version: "1.3", licence: "Zlib AND (MIT OR BSD-3-Clause)" },
  ],
  files: [
    pinOf("acl", "2.3.2-2", "acl.dsc"),
    pinOf("acl", "2.3.2-2", "acl.orig.tar.xz"),
    pinOf("hostname", "3.25", "hostname.dsc"),
    pinOf("zlib", "1.3", "zlib.dsc"),
  ],
};

async function setUp(served: ReadonlyMap<string, Uint8Array>) {
  const folder = await temporaryFolder();
  const store = await openStore(join(folder, "store"));
  const address = await serveFiles(served);
  const mirror = openMirror(store.blobs, () => Promise.resolve(address));
  const escrow = await openLayoutRepository(join(folder, "escrow"));
  const factory = { store, mirror, emit: silent, signal: new AbortController().signal };
  const take = (wanted: "all" | "copyleft" | "none") =>
    packageSourcesComponent({ toolchain: "c", of: "toolchain", sources, wanted }, escrow, factory);
  return { escrow, store, take };
}

const titlesOf = ({ component }: Awaited<ReturnType<Awaited<ReturnType<typeof setUp>>["take"]>>): string[] =>
  (component?.layers ?? []).map(({ annotations }) => annotations?.["org.opencontainers.image.title"] ?? "");

test("what is to be had is taken, and what is not is named", async () => {
  const { take } = await setUp(new Map([...contents].filter(([path]) => !path.endsWith("hostname.dsc"))));
  const taken = await take("all");
  expect(titlesOf(taken)).toEqual(["acl.dsc", "acl.orig.tar.xz", "zlib.dsc"]);
  expect(taken.missing).toEqual([
    { name: "gone", version: "1", reason: expect.stringContaining("no suite") },
    {
      name: "hostname",
      version: "3.25",
      path: "pool/main/hostname.dsc",
      reason: expect.stringContaining("no longer has"),
    },
  ]);
});

test("only what obliges to be offered, or is not known, is taken where that is asked for", async () => {
  const { take } = await setUp(contents);
  expect(titlesOf(await take("copyleft"))).toEqual(["acl.dsc", "acl.orig.tar.xz", "hostname.dsc"]);
});

test("what the escrow holds stays in, and is not fetched again", async () => {
  const { escrow, take } = await setUp(new Map());
  expect((await take("none")).component).toBeUndefined();
  for (const [, bytes] of contents)
    await escrow.pushBlob({ digest: digestOf(bytes), size: bytes.length }, async function* () {
      yield bytes;
    });
  expect(titlesOf(await take("none"))).toEqual(["acl.dsc", "acl.orig.tar.xz", "hostname.dsc", "zlib.dsc"]);
});

test("other bytes than are pinned are found, named and never taken", async () => {
  const lie = (path: string, bytes: Uint8Array) => (path.endsWith("zlib.dsc") ? Buffer.alloc(bytes.length) : bytes);
  const { take, store } = await setUp(new Map([...contents].map(([path, bytes]) => [path, lie(path, bytes)])));
  const taken = await take("all");
  expect(titlesOf(taken)).not.toContain("zlib.dsc");
  expect(taken.missing.find(({ name }) => name === "zlib")?.reason).toMatch(/changed or damaged/);
  for (const { sha256, size } of sources.files.filter(({ source }) => source === "zlib"))
    expect(await store.blobs.has({ digest: `sha256:${sha256}`, size })).toBe(false);
});
