import { mkdir, open, readdir, truncate, writeFile } from "node:fs/promises";
import { join } from "node:path";
import { gzipSync, zstdCompressSync } from "node:zlib";
import { describe, expect, onTestFinished, test, vi } from "vitest";
import { RefoundryError } from "../../../src/errors.ts";
import { openArchiveFile } from "../../../src/oci/archive/archive-file.ts";
import { openDockerArchive } from "../../../src/oci/archive/docker-archive.ts";
import { openLayoutArchive } from "../../../src/oci/archive/layout-archive.ts";
import { type Digest, digestOf, hexOf } from "../../../src/oci/digest.ts";
import { openReference, type ResolvedReference, resolveReference } from "../../../src/oci/open-reference.ts";
import { parseReference } from "../../../src/oci/reference.ts";
import { createRegistryClient } from "../../../src/oci/registry/client.ts";
import type { TarInput } from "../../../src/oci/tar/write.ts";
import { type Descriptor, type ImageManifest, mediaTypes } from "../../../src/oci/types.ts";
import { file, folder, link, tarOf } from "../../support/images.ts";
import { checksummed, padded, paxHeader, rawHeader } from "../../support/raw-tar.ts";
import { temporaryFolder } from "../../support/temporary.ts";

const registry = createRegistryClient({ env: {} });
const layerA = await tarOf([file("a", "one")]);
const layerB = await tarOf([file("b", "two")]);
const config = Buffer.from(
  JSON.stringify({
    architecture: "amd64",
    os: "linux",
    // labels are data, and may differ in case alone
    config: { Labels: { a: "1", A: "2" } },
    rootfs: { type: "layers", diff_ids: [digestOf(layerA), digestOf(layerB)] },
  }),
);
const configHex = hexOf(digestOf(config));
const entryOf = (path: string, bytes: Buffer): TarInput =>
  ({ ...file(path), size: bytes.length, content: bytes }) as TarInput;
const listing = (...images: readonly unknown[]): TarInput => file("manifest.json", JSON.stringify(images));

/** Writes an archive into a folder of the test's. */
async function archiveOf(content: readonly TarInput[] | Buffer): Promise<string> {
  const path = join(await temporaryFolder(), "image.tar");
  await writeFile(path, content instanceof Uint8Array ? content : await tarOf(content));
  return path;
}

async function resolve(text: string): Promise<ResolvedReference> {
  const resolved = await resolveReference(parseReference(text), registry);
  onTestFinished(async () => resolved.close?.());
  return resolved;
}

async function manifestOf({ reader, descriptor }: ResolvedReference): Promise<ImageManifest> {
  return JSON.parse(Buffer.from(await reader.readDocument(descriptor)).toString());
}

async function blobOf({ reader }: ResolvedReference, descriptor: Descriptor): Promise<Buffer> {
  return Buffer.concat(await Array.fromAsync(reader.openBlob(descriptor)));
}

const legacy: readonly TarInput[] = [
  folder("one"),
  file("one/VERSION", "1.0"),
  entryOf("one/layer.tar", layerA),
  entryOf("two/layer.tar", layerB),
  entryOf(`${configHex}.json`, config),
  listing({ Config: `${configHex}.json`, RepoTags: ["app:1"], Layers: ["one/layer.tar", "two/layer.tar"] }),
];

describe("a Docker archive, in the forms that its writers have", () => {
  const blob = (bytes: Buffer): string => `blobs/sha256/${hexOf(digestOf(bytes))}`;
  const described = { Config: `${configHex}.json`, RepoTags: null, Layers: ["one/layer.tar", "two/layer.tar"] };
  test.each<[string, readonly TarInput[]]>([
    ["docker save before 25", legacy],
    [
      "docker save from 25 on, with a layout beside",
      [
        entryOf(blob(config), config),
        entryOf(blob(layerA), layerA),
        entryOf(blob(layerB), layerB),
        file("index.json", '{"schemaVersion":2,"manifests":[]}'),
        file("oci-layout", '{"imageLayoutVersion":"1.0.0"}'),
        listing({
          Config: blob(config),
          RepoTags: ["app:1"],
          Layers: [blob(layerA), blob(layerB)],
          LayerSources: { [digestOf(layerA)]: { mediaType: mediaTypes.layer, size: 1, digest: digestOf(layerA) } },
        }),
      ],
    ],
    [
      "symbolic links to layers",
      [
        entryOf("a.tar", layerA),
        entryOf("b.tar", layerB),
        link("one/layer.tar", "../a.tar"),
        link("two/layer.tar", "./../two/x/../../b.tar"),
        entryOf(`${configHex}.json`, config),
        listing(described),
      ],
    ],
    [
      "a hard link, and a symbolic link to it",
      [
        entryOf("a.tar", layerA),
        link("one/hard.tar", "./a.tar", "hardlink"),
        link("one/layer.tar", "hard.tar"),
        entryOf("two/layer.tar", layerB),
        entryOf(`${configHex}.json`, config),
        listing(described),
      ],
    ],
    ["names with ./ before them", legacy.map((entry) => ({ ...entry, path: `./${entry.path}` }))],
  ])("%s", async (_, entries) => {
    const resolved = await resolve(`docker-archive:${await archiveOf(entries)}`);
    const manifest = await manifestOf(resolved);
    expect(resolved.descriptor.mediaType).toBe(mediaTypes.dockerManifest);
    expect(manifest.config).toEqual({
      mediaType: mediaTypes.dockerConfig,
      digest: digestOf(config),
      size: config.length,
    });
    expect(manifest.layers).toEqual(
      [layerA, layerB].map((layer) => ({
        mediaType: mediaTypes.dockerLayer,
        digest: digestOf(layer),
        size: layer.length,
      })),
    );
    expect((await blobOf(resolved, manifest.config)).equals(config)).toBe(true);
    expect((await blobOf(resolved, manifest.layers[1] as Descriptor)).equals(layerB)).toBe(true);
  });

  test("compressed layers are named by their own digest", async () => {
    const [gzip, zstd] = [gzipSync(layerA), zstdCompressSync(layerB)];
    const path = await archiveOf([
      entryOf(`sha256:${configHex}`, config),
      entryOf("a.tar.gz", gzip),
      entryOf("b.tar.zst", zstd),
      listing({ Config: `sha256:${configHex}`, RepoTags: ["app:1"], Layers: ["a.tar.gz", "b.tar.zst"] }),
    ]);
    const resolved = await resolve(`docker-archive:${path}`);
    const { layers } = await manifestOf(resolved);
    expect(layers.map(({ digest, size }) => ({ digest, size }))).toEqual(
      [gzip, zstd].map((bytes) => ({ digest: digestOf(bytes), size: bytes.length })),
    );
    expect(layers.map(({ mediaType }) => mediaType)).toEqual([
      mediaTypes.dockerLayerGzip,
      expect.stringContaining("zstd"),
    ]);
    expect((await blobOf(resolved, layers[0] as Descriptor)).equals(gzip)).toBe(true);
  });

  test("one of several images by name or by position, and a list of them when none is named", async () => {
    const empty = Buffer.from('{"architecture":"arm64","os":"linux","rootfs":{"type":"layers","diff_ids":[]}}');
    const images = [
      {
        Config: `${configHex}.json`,
        RepoTags: ["app:1", "r.example/app:1"],
        Layers: ["one/layer.tar", "two/layer.tar"],
      },
      { Config: "empty.json", RepoTags: ["app:latest"], Layers: null },
      { Config: "empty.json", RepoTags: null, Layers: [] },
    ];
    const path = await archiveOf([...legacy.slice(0, -1), entryOf("empty.json", empty), listing(...images)]);
    const configOf = async (name: string): Promise<Digest> =>
      (await manifestOf(await resolve(`docker-archive:${path}:${name}`))).config.digest;
    for (const name of ["app:1", "docker.io/library/app:1", "r.example/app:1", "@0"])
      expect(await configOf(name)).toBe(digestOf(config));
    for (const name of ["app", "app:latest", "@1", "@2"]) expect(await configOf(name)).toBe(digestOf(empty));
    for (const name of ["", ":app:2", ":@3", ":r.example/app"])
      await expect(resolve(`docker-archive:${path}${name}`)).rejects.toMatchObject({
        kind: "usage",
        message: expect.stringContaining("app:1, app:latest, @2"),
      });
    const opened = await openReference(parseReference(`docker-archive:${path}`), registry);
    expect((await opened.readDocument({ mediaType: "", digest: digestOf(empty), size: empty.length })).length).toBe(78);
    await opened.close?.();
  });
});

describe("a Docker archive that is not what it says", () => {
  const image = { Config: "c.json", RepoTags: ["app:1"], Layers: ["a", "b"] };
  const good = [entryOf("c.json", config), entryOf("a", layerA), entryOf("b", layerB), listing(image)];
  const replaced = (...entries: readonly TarInput[]): readonly TarInput[] => [
    ...good.filter((entry) => entries.every(({ path }) => path !== entry.path)),
    ...entries,
  ];
  test.each<[string, readonly TarInput[], RegExp]>([
    ["a name twice", [...good, entryOf("a", layerA)], /has a twice/],
    ["a name twice, written otherwise", [...good, entryOf("./a", layerA)], /has a twice/],
    ["a name that leaves it", [...good, entryOf("../a", layerA)], /outside of it/],
    ["an absolute name", [...good, entryOf("/a", layerA)], /outside of it/],
    ["a link to itself", replaced(link("a", "a")), /more than 32 links/],
    ["links that go round", replaced(link("a", "x"), link("x", "a", "hardlink")), /more than 32 links/],
    ["a link that leads out", replaced(link("a", "../../etc/passwd")), /leads out of it/],
    ["an absolute link", replaced(link("a", "/etc/passwd")), /leads out of it/],
    ["a link to nothing", replaced(link("a", "nothing")), /lacks a/],
    ["a folder for a layer", replaced(folder("a")), /lacks a/],
    ["no config", good.slice(1), /lacks c.json/],
    ["a config that is no JSON", replaced(file("c.json", "{")), /no valid diffIDs/],
    ["a config of other layers", replaced(file("c.json", '{"rootfs":{"diff_ids":[]}}')), /lists 2 layers.*has 0/],
    ["diffIDs that are none", replaced(file("c.json", '{"rootfs":{"diff_ids":["x","../y"]}}')), /no valid diffIDs/],
    ["a listing that is no JSON", replaced(file("manifest.json", "[")), /not JSON/],
    ["a listing that is no list", replaced(file("manifest.json", '{"Config":"c.json"}')), /is no list/],
    ["a listing of other things", replaced(file("manifest.json", "[null]")), /is no list/],
    ["layers that are no names", replaced(listing({ ...image, Layers: [1] })), /is no list/],
    ["a key in another case", replaced(listing({ ...image, config: "a" })), /differ only in case/],
    ["a listing that is too large", replaced(file("manifest.json", " ".repeat(5_000_000))), /more than 4194304/],
    [
      "a config under another's digest",
      replaced(entryOf(`${"0".repeat(64)}.json`, config), listing({ ...image, Config: `${"0".repeat(64)}.json` })),
      /changed or damaged/,
    ],
    ["a layer in xz", replaced(entryOf("a", Buffer.from("fd377a585a00", "hex"))), /compressed with xz/],
  ])("%s", async (_, entries, message) => {
    const opening = resolve(`docker-archive:${await archiveOf(entries)}`);
    await expect(opening).rejects.toThrow(message);
    await expect(opening).rejects.toMatchObject({ kind: "infrastructure" });
  });

  test("a layer of other bytes than its config says is noticed when it is read", async () => {
    const resolved = await resolve(`docker-archive:${await archiveOf(replaced(entryOf("a", layerB)))}`);
    const [layer] = (await manifestOf(resolved)).layers;
    await expect(blobOf(resolved, layer as Descriptor)).rejects.toThrow(/changed or damaged/);
  });

  test("a second file for one diffID is noticed at once, for nobody reads it later", async () => {
    const twice = JSON.parse(config.toString());
    twice.rootfs.diff_ids = [digestOf(layerA), digestOf(layerA)];
    const path = (second: Buffer): Promise<string> =>
      archiveOf(replaced(file("c.json", JSON.stringify(twice)), entryOf("b", second)));
    await expect(resolve(`docker-archive:${await path(layerB)}`)).rejects.toThrow(/layer b has digest/);
    const { layers } = await manifestOf(await resolve(`docker-archive:${await path(layerA)}`));
    expect(layers[0]).toEqual(layers[1]);
  });

  test("what has no manifest.json, and a layout, are usage errors", async () => {
    const none = await archiveOf([file("repositories", "{}")]);
    await expect(resolve(`docker-archive:${none}`)).rejects.toMatchObject({ kind: "usage" });
    const layout = await archiveOf([file("oci-layout", "{}")]);
    await expect(resolve(`docker-archive:${layout}`)).rejects.toThrow(/oci-archive:/);
    await expect(resolve(`oci-archive:${await archiveOf(legacy)}`)).rejects.toThrow(/docker-archive:/);
  });
});

const manifest = Buffer.from(
  JSON.stringify({
    schemaVersion: 2,
    mediaType: mediaTypes.manifest,
    config: { mediaType: mediaTypes.config, digest: digestOf(config), size: config.length },
    layers: [],
  }),
);
const root: Descriptor = {
  mediaType: mediaTypes.manifest,
  digest: digestOf(manifest),
  size: manifest.length,
  annotations: { "org.opencontainers.image.ref.name": "v1" },
};
const layoutEntries = (manifests: readonly unknown[]): TarInput[] => [
  file("./oci-layout", '{"imageLayoutVersion":"1.0.0"}'),
  file("./index.json", JSON.stringify({ schemaVersion: 2, manifests })),
  entryOf(`./blobs/sha256/${hexOf(digestOf(manifest))}`, manifest),
  entryOf(`./blobs/sha256/${configHex}`, config),
];

describe("an OCI layout in an archive", () => {
  test.each<[string, (bytes: Buffer) => Buffer]>([
    ["as it is", (bytes) => bytes],
    ["gzip", (bytes) => gzipSync(bytes)],
    [
      "gzip in two members",
      (bytes) => Buffer.concat([gzipSync(bytes.subarray(0, 700)), gzipSync(bytes.subarray(700))]),
    ],
    ["zstd", (bytes) => zstdCompressSync(bytes)],
    [
      "zstd in two frames",
      (bytes) => Buffer.concat([zstdCompressSync(bytes.subarray(0, 700)), zstdCompressSync(bytes.subarray(700))]),
    ],
  ])("%s: is read, and leaves no file behind", async (_, compress) => {
    const temporary = await temporaryFolder();
    vi.stubEnv("TMPDIR", temporary);
    onTestFinished(() => void vi.unstubAllEnvs());
    const path = await archiveOf(compress(await tarOf(layoutEntries([root]))));
    const kept = (await readdir(temporary)).length;
    for (const name of [path, `${path}:v1`]) {
      const resolved = await resolve(`oci-archive:${name}`);
      expect(resolved.descriptor).toEqual(root);
      expect((await manifestOf(resolved)).config.digest).toBe(digestOf(config));
      expect(await readdir(temporary)).toHaveLength(kept);
      await resolved.close?.();
      await resolved.close?.();
    }
    const opened = await openReference(parseReference(`oci-archive:${path}`), registry);
    expect((await opened.readDocument(root)).length).toBe(manifest.length);
    await opened.close?.();
  });

  test("a size beyond what a header holds is read from pax", async () => {
    const [bytes, rest] = [Buffer.from('{"imageLayoutVersion":"1.0.0"}'), await tarOf(layoutEntries([root]).slice(1))];
    const marker = [paxHeader({ size: "30" }), rawHeader({ name: "oci-layout", size: 0 }), padded(bytes)];
    expect((await resolve(`oci-archive:${await archiveOf(Buffer.concat([...marker, rest]))}`)).descriptor).toEqual(
      root,
    );
  });

  test("a member that is stored as a sparse file is refused, in words", async () => {
    const map = padded("1\n0\n30\n");
    const sparse = [
      paxHeader({
        "GNU.sparse.major": "1",
        "GNU.sparse.minor": "0",
        "GNU.sparse.name": "oci-layout",
        "GNU.sparse.realsize": "30",
      }),
      rawHeader({ name: "x", size: map.length + 30 }),
      map,
      padded('{"imageLayoutVersion":"1.0.0"}'),
    ];
    const path = await archiveOf(Buffer.concat([...sparse, await tarOf(layoutEntries([root]).slice(1))]));
    await expect(resolve(`oci-archive:${path}`)).rejects.toThrow(/oci-layout is stored as a sparse file/);
  });

  test.each<[string, readonly unknown[], RegExp, string]>([
    [
      "two images and none named",
      [root, { ...root, annotations: {} }],
      /more than one image; the layout has v1, sha/,
      "usage",
    ],
    ["none", [], /names no image; the layout has none/, "usage"],
    ["a digest that is a path", [{ ...root, digest: "sha256:../../x" }], /descriptor without/, "infrastructure"],
    ["a size that is none", [{ ...root, size: -1 }], /descriptor without/, "infrastructure"],
    ["an entry that is none", [null], /descriptor without/, "infrastructure"],
    ["a key in another case", [{ ...root, Digest: digestOf(config) }], /differ only in case/, "infrastructure"],
  ])("%s", async (_, manifests, message, kind) => {
    const opening = resolve(`oci-archive:${await archiveOf(layoutEntries(manifests))}`);
    await expect(opening).rejects.toThrow(message);
    await expect(opening).rejects.toMatchObject({ kind });
  });

  test("a blob that is missing, changed, or of another size", async () => {
    const lacking = await resolve(`oci-archive:${await archiveOf(layoutEntries([root]).slice(0, 2))}`);
    await expect(manifestOf(lacking)).rejects.toThrow(/lacks blob sha256:/);
    const changed = layoutEntries([root]).with(2, file(`blobs/sha256/${hexOf(root.digest)}`, "x".repeat(root.size)));
    await expect(manifestOf(await resolve(`oci-archive:${await archiveOf(changed)}`))).rejects.toThrow(
      /changed or damaged/,
    );
    const longer = layoutEntries([root]).with(2, file(`blobs/sha256/${hexOf(root.digest)}`, `${manifest.toString()} `));
    await expect(manifestOf(await resolve(`oci-archive:${await archiveOf(longer)}`))).rejects.toThrow(/longer than/);
  });

  test("a reader that was told to stop stops", async () => {
    const { reader, close } = await openLayoutArchive(await archiveOf(layoutEntries([root])));
    await expect(reader.readDocument(root, AbortSignal.abort())).rejects.toMatchObject({ kind: "interrupted" });
    await close();
  });
});

describe("what is no archive", () => {
  test.each<[string, Buffer, RegExp, string]>([
    ["nothing", Buffer.alloc(0), /not a tar archive/, "usage"],
    ["text", Buffer.from("hello\n".repeat(200)), /not a tar archive/, "usage"],
    ["zeros", Buffer.alloc(1024), /no oci-layout file/, "usage"],
    ["gzip of text", gzipSync("hello"), /not a tar archive/, "usage"],
    ["gzip cut short", gzipSync(Buffer.alloc(10_000, "abc")).subarray(0, 30), /unexpected end/, "infrastructure"],
    ["zstd cut short", zstdCompressSync(Buffer.alloc(10_000, "abc")).subarray(0, 15), /truncated/, "infrastructure"],
    ["xz", Buffer.from("fd377a585a0000", "hex"), /compressed with xz/, "usage"],
    ["bzip2", Buffer.from("BZh91AY&SY"), /compressed with bzip2/, "usage"],
  ])("%s", async (_, bytes, message, kind) => {
    const opening = resolve(`oci-archive:${await archiveOf(bytes)}`);
    await expect(opening).rejects.toThrow(message);
    await expect(opening).rejects.toMatchObject({ kind });
  });

  test("a folder, a file that is not there, and a device", async () => {
    const path = await temporaryFolder();
    await mkdir(join(path, "layout"));
    for (const [name, message] of [
      [join(path, "layout"), /is a folder.*\n.*oci:/],
      [join(path, "nothing.tar"), /there is no file/],
      ["/dev/null", /no regular file/],
    ] as const) {
      await expect(resolve(`oci-archive:${name}`)).rejects.toThrow(message);
      await expect(resolve(`docker-archive:${name}`)).rejects.toMatchObject({ kind: "usage" });
    }
  });

  test("what expands beyond its bound is not read further, and is gone", async () => {
    const temporary = await temporaryFolder();
    vi.stubEnv("TMPDIR", temporary);
    onTestFinished(() => void vi.unstubAllEnvs());
    for (const compress of [gzipSync, zstdCompressSync]) {
      const path = await archiveOf(compress(Buffer.alloc(3_000_000)));
      await expect(openArchiveFile(path, { maxBytes: 1_000_000 })).rejects.toThrow(/expands to more than 1000000/);
    }
    expect((await readdir(temporary)).filter((name) => name.startsWith("refoundry-") && name.endsWith(".tar"))).toEqual(
      [],
    );
  });
});

describe("hostile bytes: an error of ours, or the right content", () => {
  const content = async (path: string): Promise<Buffer> => {
    const { reader, index, close } = await openLayoutArchive(path);
    try {
      const [entry] = index.manifests;
      if (!entry) throw new Error("the index lost its entry");
      await reader.readDocument({ mediaType: mediaTypes.config, digest: digestOf(config), size: config.length });
      return Buffer.from(await reader.readDocument({ ...root, digest: digestOf(manifest) }));
    } finally {
      await close();
    }
  };
  const rightOrRefused = async (work: Promise<Buffer>): Promise<"right" | "refused"> => {
    try {
      expect((await work).equals(manifest)).toBe(true);
      return "right";
    } catch (error) {
      if (error instanceof Error && error.message === "the index lost its entry") return "refused";
      expect(error).toBeInstanceOf(RefoundryError);
      return "refused";
    }
  };

  test("cut short anywhere", async () => {
    const bytes = await tarOf(layoutEntries([root]));
    const path = await archiveOf(bytes);
    const outcomes = new Set<string>();
    for (let length = bytes.length - 1; length >= 0; length -= 1) {
      await truncate(path, length);
      const outcome = await rightOrRefused(content(path));
      outcomes.add(outcome);
      // all of the last member's blocks are there
      if (outcome === "right") expect(length).toBeGreaterThanOrEqual(bytes.length - 1024);
    }
    expect(outcomes).toEqual(new Set(["right", "refused"]));
  }, 60_000);

  test.each([
    ["as it is", (bytes: Buffer): Buffer => bytes],
    ["gzip", (bytes: Buffer): Buffer => gzipSync(bytes)],
    ["zstd", (bytes: Buffer): Buffer => zstdCompressSync(bytes)],
  ])(
    "bytes changed, %s",
    async (_, compress) => {
      const bytes = compress(await tarOf(layoutEntries([root])));
      const path = await archiveOf(bytes);
      const handle = await open(path, "r+");
      onTestFinished(() => handle.close());
      let seed = 12_345;
      const random = (below: number): number => {
        seed = (Math.imul(seed, 1_103_515_245) + 12_345) >>> 0;
        return (seed >>> 8) % below;
      };
      for (let round = 0; round < 400; round += 1) {
        const at = random(bytes.length);
        await handle.write(Buffer.from([random(256)]), 0, 1, at);
        await rightOrRefused(content(path));
        await handle.write(bytes, at, 1, at);
      }
      expect(await rightOrRefused(content(path))).toBe("right");
    },
    60_000,
  );

  test("headers with right checksums and wrong fields", async () => {
    const bytes = await tarOf(legacy);
    for (const type of ["S", "x", "g", "L", "K", "V", "3", "6", "1", "2", "5"]) {
      for (const header of [0, 1024, 2048]) {
        const changed = Buffer.from(bytes);
        const block = changed.subarray(header, header + 512);
        if (block.every((byte) => byte === 0)) continue;
        block.write(type, 156, "latin1");
        checksummed(block);
        const opened = await openDockerArchive(await archiveOf(changed)).catch((error: unknown) => {
          expect(error).toBeInstanceOf(RefoundryError);
        });
        const described = opened?.images.map((image) => opened.describe(image)) ?? [];
        for (const outcome of await Promise.allSettled(described))
          if (outcome.status === "rejected") expect(outcome.reason).toBeInstanceOf(RefoundryError);
        await opened?.close();
      }
    }
  });
});
