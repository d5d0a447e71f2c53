import { createHash } from "node:crypto";
import { linkSync, mkdirSync, symlinkSync, truncateSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { gzipSync } from "node:zlib";
import { execa } from "execa";
import fc from "fast-check";
import { describe, expect, test } from "vitest";
import { openLayer } from "../../../src/oci/layer.ts";
import { readTar, type TarEntry } from "../../../src/oci/tar/read.ts";
import { type TarInput, tarEntries } from "../../../src/oci/tar/write.ts";
import { mediaTypes } from "../../../src/oci/types.ts";
import { file, folder, tarOf, testLayout } from "../../support/images.ts";
import { temporaryFolder } from "../../support/temporary.ts";

interface Seen extends Omit<TarEntry, "content"> {
  readonly bytes: Buffer;
}

async function* inPieces(bytes: Uint8Array, size: number): AsyncGenerator<Uint8Array> {
  for (let at = 0; at < bytes.length; at += size) yield bytes.subarray(at, at + size);
}

async function readAll(bytes: Uint8Array, size = 4096): Promise<Seen[]> {
  const seen: Seen[] = [];
  for await (const { content, ...entry } of readTar(inPieces(bytes, size)))
    seen.push({ ...entry, bytes: Buffer.concat(await Array.fromAsync(content)) });
  return seen;
}

const sha256 = (bytes: Uint8Array): string => createHash("sha256").update(bytes).digest("hex");

describe("what GNU tar writes", () => {
  async function sample(): Promise<string> {
    const root = await temporaryFolder();
    mkdirSync(join(root, "folder"));
    writeFileSync(join(root, "folder/small"), "content");
    writeFileSync(join(root, "big"), Buffer.alloc(100_000, "x"));
    writeFileSync(join(root, "empty"), "");
    linkSync(join(root, "big"), join(root, "hard"));
    symlinkSync("folder/small", join(root, "soft"));
    return root;
  }

  test.each(["v7", "oldgnu", "gnu", "ustar", "posix"])("in format %s is read as it is", async (format) => {
    const root = await sample();
    const { stdout } = await execa(
      "tar",
      [
        "--create",
        `--format=${format}`,
        "--sort=name",
        "--owner=me:1234",
        "--group=us:4321",
        "--mtime=@1600000000",
        "-C",
        root,
        ".",
      ],
      { encoding: "buffer" },
    );
    const seen = await readAll(stdout);
    expect(seen.map((entry) => [entry.path.replace(/\/$/, ""), entry.type])).toEqual([
      [".", "directory"],
      ["./big", "file"],
      ["./empty", "file"],
      ["./folder", "directory"],
      ["./folder/small", "file"],
      ["./hard", "hardlink"],
      ["./soft", "symlink"],
    ]);
    const [, big, , , small, hard, soft] = seen;
    expect([big?.bytes.length, small?.bytes.toString(), hard?.linkName, soft?.linkName]).toEqual([
      100_000,
      "content",
      "./big",
      "folder/small",
    ]);
    expect([big?.uid, big?.gid, big?.mtime]).toEqual([1234n, 4321n, "1600000000"]);
    expect(big?.uname).toBe(format === "v7" ? "" : "me");
  });

  test.each(["gnu", "posix"])("long and foreign names in format %s", async (format) => {
    const root = await temporaryFolder();
    const long = join("l".repeat(120), "m".repeat(120));
    mkdirSync(join(root, "l".repeat(120)));
    writeFileSync(join(root, long), "deep");
    writeFileSync(Buffer.concat([Buffer.from(`${root}/latin-`), Buffer.from([0xe9])]), "é");
    symlinkSync("t".repeat(200), join(root, "to-long"));
    const { stdout } = await execa("tar", ["--create", `--format=${format}`, "--sort=name", "-C", root, "."], {
      encoding: "buffer",
    });
    const seen = await readAll(stdout);
    expect(seen.find((entry) => entry.bytes.toString() === "deep")?.path).toBe(`./${long}`);
    const latin = seen.find((entry) => entry.path.startsWith("./latin-"));
    expect([latin?.path, latin?.rawPath.at(-1)]).toEqual(["./latin-\\xe9", 0xe9]);
    expect(seen.find((entry) => entry.path === "./to-long")?.linkName).toBe("t".repeat(200));
  });

  test.each([
    "oldgnu",
    "gnu",
    "posix --sparse-version=0.0",
    "posix --sparse-version=0.1",
    "posix --sparse-version=1.0",
  ])("sparse files in format %s", async (format) => {
    const root = await temporaryFolder();
    const path = join(root, "sparse");
    writeFileSync(path, "start");
    for (let at = 1; at <= 12; at += 1)
      await execa("dd", [
        "if=/dev/zero",
        `of=${path}`,
        "bs=4096",
        "count=1",
        `seek=${at * 64}`,
        "conv=notrunc",
        "status=none",
      ]);
    await execa("dd", [
      "if=/etc/passwd",
      `of=${path}`,
      "bs=1",
      "count=100",
      `seek=${300_000}`,
      "conv=notrunc",
      "status=none",
    ]);
    truncateSync(path, 5_000_000);
    const { stdout } = await execa(
      "tar",
      ["--create", "--sparse", ...`--format=${format}`.split(" "), "-C", root, "sparse"],
      { encoding: "buffer" },
    );
    expect(stdout.length).toBeLessThan(1_000_000);
    const [seen] = await readAll(stdout);
    const { stdout: original } = await execa("cat", [path], { encoding: "buffer" });
    expect(seen?.path).toBe("sparse");
    expect(sha256(seen?.bytes ?? Buffer.alloc(0))).toBe(sha256(original));
  });
});

test("what we write, GNU tar lists and extracts", async () => {
  const root = await temporaryFolder();
  const entries: TarInput[] = [
    folder("d"),
    file("d/x", "content", { mode: 0o4755, mtime: 1_600_000_000 }),
    file(`d/${"ü".repeat(80)}`, "name"),
    file(`${"p".repeat(90)}/${"q".repeat(90)}`, "split"),
  ];
  const archive = join(root, "a.tar");
  writeFileSync(archive, await tarOf(entries));
  const listed = await execa("tar", ["--list", "--file", archive, "--quoting-style=literal"]);
  expect(listed.stdout.split("\n")).toEqual([
    "d/",
    "d/x",
    `d/${"ü".repeat(80)}`,
    `${"p".repeat(90)}/${"q".repeat(90)}`,
  ]);
  const out = await execa("tar", ["--extract", "--to-stdout", "--file", archive, `d/${"ü".repeat(80)}`]);
  expect(out.stdout).toBe("name");
});

const name = fc
  .string({ unit: fc.constantFrom("a", "B", "é", " ", "-", "\\", "字"), minLength: 1, maxLength: 120 })
  .filter((text) => text.trim() !== "" && text !== ".");
const anyEntry = fc.record({
  path: fc.array(name, { minLength: 1, maxLength: 4 }).map((names) => names.join("/")),
  content: fc.uint8Array({ maxLength: 1500 }),
  mode: fc.integer({ min: 0, max: 0o7777 }),
  uid: fc.oneof(fc.integer({ min: 0, max: 70_000 }), fc.constantFrom(2 ** 21, 2 ** 32 - 2)),
  mtime: fc.oneof(fc.integer({ min: 0, max: 2 ** 31 }), fc.constantFrom(-5, 2 ** 34)),
  xattr: fc.option(fc.uint8Array({ maxLength: 40 }), { nil: undefined }),
});

test("what is written comes back, however it is cut into chunks", async () => {
  await fc.assert(
    fc.asyncProperty(fc.array(anyEntry, { maxLength: 5 }), fc.integer({ min: 1, max: 3000 }), async (inputs, size) => {
      const entries = inputs.map(({ path, content, mode, uid, mtime, xattr }): TarInput => {
        const xattrs = new Map(xattr ? [["security.x", xattr]] : []);
        return { type: "file", path, mode, uid, gid: uid, mtime, size: content.length, content, xattrs };
      });
      const seen = await readAll(await tarOf(entries), size);
      expect(
        seen.map((entry) => [
          entry.path,
          entry.mode,
          entry.uid,
          entry.mtime,
          sha256(entry.bytes),
          entry.xattrs.get("security.x")?.toString("hex"),
        ]),
      ).toEqual(
        inputs.map(({ path, mode, uid, mtime, content, xattr }) => [
          path,
          mode,
          BigInt(uid),
          String(mtime),
          sha256(content),
          xattr && Buffer.from(xattr).toString("hex"),
        ]),
      );
    }),
    { numRuns: 200 },
  );
});

test("content that is left unread is skipped", async () => {
  const paths: string[] = [];
  for await (const entry of readTar(inPieces(await tarOf([file("a", "x".repeat(5000)), file("b"), file("c")]), 700))) {
    paths.push(entry.path);
    if (entry.path === "a") for await (const _ of entry.content) break;
  }
  expect(paths).toEqual(["a", "b", "c"]);
});

describe("hostile archives", () => {
  test("a truncated one is said to be", async () => {
    const whole = await tarOf([file("a", "x".repeat(5000))]);
    for (const length of [100, 512, 700, 5000])
      await expect(readAll(whole.subarray(0, length))).rejects.toThrow(/truncated/);
  });

  test("a header that lies about its size, a wrong checksum, an endless pax header", async () => {
    const good = await tarOf([file("a", "hello")]);
    const damaged = Buffer.from(good);
    damaged[0] = 0x62;
    await expect(readAll(damaged)).rejects.toThrow(/checksum/);
    const pax = Buffer.from(await tarOf([file("é".repeat(60), "x")]));
    pax.write("99999 ", 512);
    await expect(readAll(pax)).rejects.toThrow(/pax record is malformed/);
  });

  test("no bytes whatever can crash or hang the reader", async () => {
    const good = await tarOf([file("a", "x".repeat(600)), file("é".repeat(70), "y"), folder("d")]);
    await fc.assert(
      fc.asyncProperty(
        fc.array(fc.tuple(fc.nat({ max: good.length - 1 }), fc.nat({ max: 255 })), { minLength: 1, maxLength: 8 }),
        async (changes) => {
          const bytes = Buffer.from(good);
          for (const [at, value] of changes) bytes[at] = value;
          await readAll(bytes).catch((error: unknown) => expect(error).toMatchObject({ name: "RefoundryError" }));
        },
      ),
      { numRuns: 400 },
    );
  });

  test("a bomb is not expanded", async () => {
    const layout = await testLayout();
    const blob = await layout.writeBytes(gzipSync(Buffer.alloc(200 * 1024 * 1024)), mediaTypes.layerGzip);
    const read = async (limits: { maxBytes: number; maxRatio: number }): Promise<void> => {
      for await (const _ of openLayer(layout, blob, undefined, limits).chunks);
    };
    await expect(read({ maxBytes: 2 ** 40, maxRatio: 100 })).rejects.toThrow(/expands to more than/);
    await expect(read({ maxBytes: 1024 ** 2, maxRatio: 1e9 })).rejects.toThrow(/expands to more than/);
  });

  test("a layer that is not what its media type says, or is cut off", async () => {
    const layout = await testLayout();
    const tar = await tarOf([file("a", "x".repeat(5000))]);
    const read = async (bytes: Uint8Array, mediaType: string): Promise<void> => {
      for await (const _ of openLayer(layout, await layout.writeBytes(bytes, mediaType)).chunks);
    };
    await expect(read(tar, mediaTypes.layerGzip)).rejects.toThrow(/not compressed with gzip/);
    await expect(read(gzipSync(tar).subarray(0, 60), mediaTypes.layerGzip)).rejects.toThrow(/cannot be decompressed/);
    await expect(read(tar, "application/json")).rejects.toThrow(/no layer/);
  });
});

test("the writer refuses a file that is longer or shorter than announced", async () => {
  await expect(tarOf([file("a", "four", { size: 3 } as never)])).rejects.toThrow(/announced/);
  await expect(Array.fromAsync(tarEntries([file("a", "four", { size: 9 } as never)]))).rejects.toThrow(/announced/);
});
