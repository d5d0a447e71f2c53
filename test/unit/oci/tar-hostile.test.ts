import { execa } from "execa";
import fc from "fast-check";
import { describe, expect, test } from "vitest";
import { readTar, type TarEntry } from "../../../src/oci/tar/read.ts";
import { losslessText } from "../../../src/oci/tar/text.ts";
import { file, folder, link, tarOf } from "../../support/images.ts";
import { temporaryFolder } from "../../support/temporary.ts";
import { checksummed, padded, paxHeader, rawHeader } from "../../support/raw-tar.ts";

const end = Buffer.alloc(1024);

async function* whole(bytes: Uint8Array): AsyncGenerator<Uint8Array> {
  yield bytes;
}

async function read(...parts: readonly Uint8Array[]): Promise<TarEntry[]> {
  return Array.fromAsync(readTar(whole(Buffer.concat(parts))));
}

async function readOne(...parts: readonly Uint8Array[]): Promise<TarEntry> {
  const [entry, ...others] = await read(...parts, end);
  expect(others).toEqual([]);
  if (!entry) throw new Error("the archive has no entry");
  return entry;
}

describe("what readers could read in two ways", () => {
  test("only files have content: a link that claims a size does not swallow the next header", async () => {
    for (const type of ["1", "2", "3", "5", "6"]) {
      const smuggled = rawHeader({ name: "evil", mode: 0o4755 });
      const seen = await read(rawHeader({ name: "x", type, size: 512, linkName: "y" }), smuggled, end);
      expect(seen.map((entry) => [entry.path, entry.mode])).toEqual([
        ["x", 0o644],
        ["evil", 0o4755],
      ]);
    }
  });

  test("one block of zeros ends nothing", async () => {
    const hidden = rawHeader({ name: "hidden" });
    await expect(read(rawHeader({ name: "a" }), Buffer.alloc(512), hidden, end)).rejects.toThrow(/one block of zeros/);
    expect(await read(rawHeader({ name: "a" }), Buffer.alloc(512))).toHaveLength(1);
    expect(await read(rawHeader({ name: "a" }), end, hidden, Buffer.from("whatever follows"))).toHaveLength(1);
  });

  test("two pax headers, or a pax and a GNU name, for one entry", async () => {
    const entry = rawHeader({ name: "a" });
    const pax = paxHeader({ path: "b" });
    await expect(read(pax, paxHeader({ uid: "1" }), entry, end)).rejects.toThrow(/two pax headers/);
    const gnuName = [rawHeader({ name: "long", type: "L", size: 2 }), padded("c\0")];
    await expect(read(...gnuName, pax, entry, end)).rejects.toThrow(/a GNU long name and a pax path/);
    expect((await readOne(...gnuName, entry)).path).toBe("c");
    await expect(read(pax, end)).rejects.toThrow(/before the entry it is for/);
  });

  test("global records hold for all entries that say nothing else, and are told apart", async () => {
    const seen = await read(
      paxHeader({ uid: "7", comment: "x" }, "g"),
      rawHeader({ name: "a" }),
      paxHeader({ uid: "9" }),
      rawHeader({ name: "b" }),
      rawHeader({ name: "c" }),
      end,
    );
    expect(seen.map((entry) => entry.uid)).toEqual([7n, 9n, 7n]);
    expect([...(seen[1]?.globalPax.keys() ?? [])]).toEqual(["comment", "uid"]);
  });
});

describe("numbers and names as old writers put them", () => {
  const withField = (offset: number, bytes: readonly number[]): Buffer => {
    const header = rawHeader({ name: "a" });
    header.set(bytes, offset);
    return checksummed(header);
  };

  test("base-256, negative and huge", async () => {
    expect((await readOne(withField(108, [0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xfe]))).uid).toBe(-2n);
    expect((await readOne(withField(108, [0x80, 0, 0, 0, 0xff, 0xff, 0xff, 0xff]))).uid).toBe(0xffffffffn);
    expect((await readOne(withField(136, [0xff, ...Array<number>(10).fill(0xff), 0xfb]))).mtime).toBe("-5");
    const mode = (await readOne(withField(100, Array<number>(8).fill(0xff)))).mode;
    expect(mode & 0o7777).toBe(0o7777);
  });

  test("octal digits with zero bytes and spaces around them", async () => {
    expect((await readOne(withField(108, [0, 0x20, 0x31, 0x37, 0x20, 0, 0x39, 0]))).uid).toBe(0o17n);
    await expect(read(withField(108, [0x31, 0x38, 0, 0, 0, 0, 0, 0]), end)).rejects.toThrow(/uid is not a number/);
  });

  test("a size that is negative or beyond 2^53", async () => {
    await expect(read(withField(124, Array<number>(12).fill(0xff)), end)).rejects.toThrow(/claims a size of -1/);
    await expect(read(withField(124, [0x80, 0, 0, 0, 1, ...Array<number>(7).fill(0)]), end)).rejects.toThrow(/size/);
    await expect(read(paxHeader({ size: "-1" }), rawHeader({ name: "a" }), end)).rejects.toThrow(/size of -1/);
  });

  test("a checksum of signed bytes", async () => {
    const header = checksummed(rawHeader({ name: "é" }), "signed");
    expect((await readOne(header)).path).toBe("é");
    header[148] = 0x37;
    await expect(read(header, end)).rejects.toThrow(/checksum/);
  });

  test("prefixes: USTAR's, star's shorter one, and the one that old Go put into GNU headers", async () => {
    const ustar = rawHeader({ name: "n", prefix: "p".repeat(140) });
    expect((await readOne(ustar)).path).toBe(`${"p".repeat(140)}/n`);
    ustar.write("tar\0", 508);
    expect((await readOne(checksummed(ustar))).path).toBe(`${"p".repeat(131)}/n`);
    const oldGo = rawHeader({ name: "n", prefix: "usr/lib", magic: "ustar  \0" });
    expect(await readOne(oldGo)).toMatchObject({ path: "usr/lib/n", dialect: "gnu" });
    const gnu = rawHeader({ name: "n", prefix: "14000000000\0", magic: "ustar  \0" });
    expect((await readOne(gnu)).path).toBe("n");
    expect(await readOne(rawHeader({ name: "n", prefix: "p", magic: "ustarX00" }))).toMatchObject({
      path: "n",
      dialect: "v7",
    });
  });
});

describe("names and attributes", () => {
  test("libarchive's attributes are decoded, and never stand for star's", async () => {
    const both = { "SCHILY.xattr.user.a": "raw", "LIBARCHIVE.xattr.user.a": "cmF3", "LIBARCHIVE.xattr.user.%3D": "eA" };
    const { xattrs } = await readOne(paxHeader(both), rawHeader({ name: "a" }));
    expect([...xattrs].map(([name, value]) => [name, value.toString()])).toEqual([
      ["user.a", "raw"],
      ["LIBARCHIVE.xattr.user.=", "x"],
    ]);
    const broken = await readOne(paxHeader({ "LIBARCHIVE.xattr.%ff%2": "eA" }), rawHeader({ name: "a" }));
    expect([...broken.xattrs.keys()]).toEqual(["LIBARCHIVE.xattr.\\xff%2"]);
  });

  const someBytes = fc.oneof(
    fc.uint8Array({ maxLength: 12 }),
    fc
      .array(fc.constantFrom("\\", "\\x", "e9", "\\xe9", "é", "a", "\\\\"), { maxLength: 5 })
      .map((parts) => Buffer.from(parts.join(""))),
    fc.array(fc.constantFrom(0x5c, 0x78, 0x65, 0x39, 0xe9), { maxLength: 6 }).map((bytes) => Uint8Array.from(bytes)),
  );

  test("each byte string has a text of its own", () => {
    fc.assert(
      fc.property(fc.array(someBytes, { minLength: 2, maxLength: 40 }), (names) => {
        const texts = new Set(names.map(losslessText));
        expect(texts.size).toBe(new Set(names.map((name) => Buffer.from(name).toString("hex"))).size);
      }),
      { numRuns: 500 },
    );
    expect(losslessText(Buffer.from([0xe9]))).not.toBe(losslessText(Buffer.from("\\xe9")));
    expect(losslessText(Buffer.from("systemd-fsck\\x2droot.service"))).toBe("systemd-fsck\\x2droot.service");
  });

  test("a name longer than anything can use", async () => {
    const name = Buffer.alloc(70_000, "n");
    const long = [rawHeader({ name: "long", type: "L", size: name.length }), padded(name)];
    await expect(read(...long, rawHeader({ name: "a" }), end)).rejects.toThrow(/name of 70000 bytes/);
    const huge = rawHeader({ name: "pax", type: "x", size: 2 ** 21 });
    await expect(read(huge, Buffer.alloc(2 ** 21), end)).rejects.toThrow(/extended header of 2097152 bytes/);
  });
});

test("a sparse file that is nothing but a claim costs nothing", async () => {
  const claim = { "GNU.sparse.major": "1", "GNU.sparse.minor": "0", "GNU.sparse.realsize": "9007199254740991" };
  const map = padded("0\n");
  await expect(read(paxHeader(claim), rawHeader({ name: "a", size: map.length }), map, end)).rejects.toThrow(
    /sparse files of more than/,
  );
  const wrong = { ...claim, "GNU.sparse.realsize": "0x10" };
  await expect(read(paxHeader(wrong), rawHeader({ name: "a", size: map.length }), map, end)).rejects.toThrow(
    /impossible sizes/,
  );
});

test("the stream is let go of when the archive is damaged, or not read to its end", async () => {
  let open = 0;
  async function* counted(bytes: Uint8Array): AsyncGenerator<Uint8Array> {
    open += 1;
    try {
      for (let at = 0; at < bytes.length; at += 512) yield bytes.subarray(at, at + 512);
    } finally {
      open -= 1;
    }
  }
  const good = await tarOf([file("a"), file("b")]);
  for await (const _ of readTar(counted(good))) break;
  await expect(Array.fromAsync(readTar(counted(Buffer.alloc(2048, "x"))))).rejects.toThrow(/checksum/);
  expect(open).toBe(0);
});

test("damage behind a right checksum cannot crash or hang the reader", async () => {
  const root = await temporaryFolder();
  await execa("sh", ["-c", "printf start >s && truncate -s 400000 s && printf end >>s && ln s hard"], { cwd: root });
  const archives = [await tarOf([file("a", "x".repeat(600)), file("é".repeat(70), "y"), folder("d"), link("l", "a")])];
  for (const format of ["oldgnu", "posix"]) {
    const args = ["--create", "--sparse", "--sort=name", `--format=${format}`, "-C", root, "s", "hard"];
    archives.push(Buffer.from((await execa("tar", args, { encoding: "buffer" })).stdout));
  }
  const change = fc.record({
    archive: fc.constantFrom(...archives),
    block: fc.nat({ max: 9 }),
    at: fc.nat({ max: 511 }),
    bytes: fc.uint8Array({ minLength: 1, maxLength: 12 }),
  });
  await fc.assert(
    fc.asyncProperty(change, async ({ archive, block, at, bytes }) => {
      const damaged = Buffer.from(archive);
      const header = damaged.subarray(block * 512, block * 512 + 512);
      header.set(bytes.subarray(0, 512 - at), at);
      checksummed(header);
      try {
        for await (const entry of readTar(whole(damaged))) {
          let size = 0;
          for await (const chunk of entry.content) size += chunk.length;
          expect(size).toBe(entry.size);
        }
      } catch (error) {
        expect(error).toMatchObject({ name: "RefoundryError" });
      }
    }),
    { numRuns: 400, seed: 7 },
  );
}, 60_000);
