import { createHash } from "node:crypto";
import fc from "fast-check";
import { describe, expect, test } from "vitest";
import { systemFileClasses } from "../../../src/compare/classes/system-files/family.ts";

async function normalised(name: string, path: string, bytes: Buffer): Promise<string | undefined> {
  const found = systemFileClasses.find((one) => one.name === name);
  if (!found) throw new Error(name);
  let left = 16 * 1024 * 1024;
  const context = {
    member: async (_name: string, member: Buffer) => member,
    remaining: () => left,
    spend(size: number) {
      left -= size;
    },
  };
  const before = Buffer.from(bytes);
  const result = found.applies({ path, bytes }) ? await found.normalise({ path, bytes }, context) : undefined;
  expect(bytes.equals(before)).toBe(true);
  return typeof result === "object" ? result.toString("latin1") : result;
}

/** Every cut is refused, and flipped bytes never throw. */
async function survives(name: string, path: string, whole: Buffer): Promise<void> {
  for (let length = 0; length < whole.length; length += 1)
    expect(await normalised(name, path, whole.subarray(0, length))).toBeUndefined();
  let state = 4711;
  const next = (): number => (state = (state * 1103515245 + 12345) % 2147483648);
  for (let round = 0; round < 3000; round += 1) {
    const copy = Buffer.from(whole);
    for (let flips = 1 + (next() % 4); flips > 0; flips -= 1)
      copy[next() % Math.min(copy.length, round % 2 === 0 ? 256 : copy.length)] = next() >> 8;
    await normalised(name, path, copy);
  }
}

function patched(bytes: Buffer, at: number, value: number): Buffer {
  const copy = Buffer.from(bytes);
  copy[at] = value;
  return copy;
}

type Numbers = readonly (readonly [bits: 8 | 16 | 32 | 64, value: number | bigint])[];

function pack(numbers: Numbers, isLittle = true): Buffer {
  return Buffer.concat(
    numbers.map(([bits, value]) => {
      const bytes = Buffer.alloc(bits / 8);
      for (let index = 0; index < bytes.length; index += 1)
        bytes[isLittle ? index : bytes.length - 1 - index] = Number((BigInt(value) >> BigInt(8 * index)) & 255n);
      return bytes;
    }),
  );
}

describe("ldconfig-aux-cache", () => {
  const path = "var/cache/ldconfig/aux-cache";
  interface Library {
    readonly soname: string;
    readonly size?: number;
    readonly flags?: number;
    readonly level?: number;
    readonly inode?: number;
    readonly pad?: number;
  }
  const aux = (libraries: readonly Library[], { isLittle = true, version = "2.0", more = "" } = {}): Buffer => {
    let place = 1;
    const entries = libraries.map(({ soname, size = 10, flags = 0x303, level = 0, inode = 1, pad = 0 }) => {
      const at = soname === "" ? 0 : place;
      if (soname !== "") place += soname.length + 1;
      const id: Numbers = [
        [64, inode],
        [64, inode * 7],
        [64, size],
        [64, inode * 9],
      ];
      return pack([...id, [32, flags], [32, at], [32, level], [32, pad]], isLittle);
    });
    const names = `\0${libraries.map(({ soname }) => (soname === "" ? "" : `${soname}\0`)).join("")}${more}`;
    const counts = pack(
      [
        [32, libraries.length],
        [32, names.length],
      ],
      isLittle,
    );
    return Buffer.concat([Buffer.from(`glibc-ld.so.auxcache-${version}`), counts, ...entries, Buffer.from(names)]);
  };
  const libraries: readonly Library[] = [{ soname: "libz.so.1" }, { soname: "libc.so.6", size: 20 }, { soname: "" }];
  const form = (bytes: Buffer) => normalised("ldconfig-aux-cache", path, bytes);

  test.each([true, false])("drops what ties it to a machine (little endian: %s)", async (isLittle) => {
    const moved = libraries.toReversed().map((library, index) => ({ ...library, inode: 99 + index, pad: 0x696c2d34 }));
    const plain = await form(aux(libraries, { isLittle }));
    expect(plain).toContain("10 771 0 libz.so.1");
    expect(await form(aux(moved, { isLittle }))).toBe(plain);
    expect(await form(aux(libraries, { isLittle: !isLittle }))).not.toBe(plain);
  });

  test.each<[string, Buffer]>([
    ["a name", aux([{ soname: "libz.so.2" }, ...libraries.slice(1)])],
    ["a size", aux([{ soname: "libz.so.1", size: 11 }, ...libraries.slice(1)])],
    ["flags", aux([{ soname: "libz.so.1", flags: 3 }, ...libraries.slice(1)])],
    ["a level", aux([{ soname: "libz.so.1", level: 1 }, ...libraries.slice(1)])],
    ["a library", aux(libraries.slice(1))],
    ["a library twice", aux([...libraries, { soname: "libz.so.1" }])],
    ["the version", aux(libraries, { version: "1.0" })],
  ])("keeps another %s apart", async (_, other) => {
    expect(await form(other)).toBeDefined();
    expect(await form(other)).not.toBe(await form(aux(libraries)));
  });

  test("refuses what it does not know", async () => {
    for (const other of [
      aux(libraries, { version: "3.0" }),
      aux(libraries, { more: "hidden\0" }),
      aux(libraries, { more: "x" }),
      aux([{ soname: "lib z" }]),
      Buffer.concat([aux(libraries), Buffer.alloc(1)]),
      // two libraries with one name's place
      patched(aux(libraries), 32 + 48 + 36, 1),
    ])
      expect(await form(other)).toBeUndefined();
    expect(await form(aux([]))).toBeDefined();
    await survives("ldconfig-aux-cache", path, aux(libraries));
  });
});

describe("ld-so-cache", () => {
  const path = "etc/ld.so.cache";
  const generator = "ldconfig (Debian GLIBC 2.36-9+deb12u14) stable release version 2.36";
  const names = "libc.so.6\0/lib/libc.so.6\0";
  type Section = readonly [tag: number, data: string, flags?: number];
  const cache = (
    sections: readonly Section[],
    options: {
      readonly isLittle?: boolean;
      readonly text?: string;
      readonly old?: number;
      readonly flags?: number;
    } = {},
  ): Buffer => {
    const { isLittle = true, text = names, old = 0 } = options;
    const { flags = isLittle ? 2 : 3 } = options;
    const oldPart = Buffer.concat([Buffer.from("ld.so-1.7.0\0"), pack([[32, old]], isLittle), Buffer.alloc(old * 12)]);
    const before = old === 0 ? Buffer.alloc(0) : Buffer.concat([oldPart, Buffer.alloc((8 - (oldPart.length % 8)) % 8)]);
    const entry = pack(
      [
        [32, 0x303],
        [32, 72],
        [32, 82],
        [32, 0],
        [64, 0],
      ],
      isLittle,
    );
    const end = before.length + 48 + entry.length + text.length;
    const start = Math.ceil(end / 4) * 4;
    const zeros: Numbers = [
      [32, 0],
      [32, 0],
      [32, 0],
    ];
    const head = pack([[32, 1], [32, text.length], [8, flags], [8, 0], [16, 0], [32, start], ...zeros], isLittle);
    let at = start + 8 + sections.length * 16;
    const tail: Buffer[] = [];
    const table = sections.map(([tag, data, sectionFlags = 0]) => {
      const padding = (4 - (at % 4)) % 4;
      tail.push(Buffer.alloc(padding), Buffer.from(data));
      at += padding + data.length;
      return pack(
        [
          [32, tag],
          [32, sectionFlags],
          [32, at - data.length],
          [32, data.length],
        ],
        isLittle,
      );
    });
    const extension = [
      pack(
        [
          [32, 0xeaa42174],
          [32, sections.length],
        ],
        isLittle,
      ),
      ...table,
      ...tail,
    ];
    const start20 = Buffer.from("glibc-ld.so.cache1.1");
    return Buffer.concat([before, start20, head, entry, Buffer.from(text), Buffer.alloc(start - end), ...extension]);
  };
  const form = (bytes: Buffer) => normalised("ld-so-cache", path, bytes);
  const other = "ldconfig (GNU libc) stable release version 2.39";

  test.each([{}, { isLittle: false }, { old: 1 }, { old: 2 }])(
    "takes generators for one another %j",
    async (options) => {
      const plain = await form(cache([[0, generator]], options));
      expect(plain).toContain("libc.so.6");
      expect(await form(cache([[0, other]], options))).toBe(plain);
      const more: Section = [1, "\0\0\0\0"];
      expect(await form(cache([[0, generator], more], options))).toBe(await form(cache([[0, other], more], options)));
      expect(await form(cache([[0, generator], more], options))).not.toBe(plain);
      await survives("ld-so-cache", path, cache([[0, generator]], options));
    },
  );

  test("keeps all else", async () => {
    const whole = cache([
      [0, generator],
      [1, "abcd"],
    ]);
    const start = whole.length - 4 - generator.length - 1 - 40;
    for (let at = 0; at < whole.length; at += 1) {
      // the generator's own letters
      if (at >= start + 40 && at < start + 40 + generator.length) continue;
      expect(await form(patched(whole, at, (whole[at] ?? 0) ^ 1))).not.toBe(await form(whole));
    }
  });

  test.each<[string, Buffer]>([
    ["no extension", cache([[0, generator]]).subarray(0, 48 + 24 + names.length)],
    ["no generator", cache([[1, "abcd"]])],
    [
      "two generators",
      cache([
        [0, generator],
        [0, generator],
      ]),
    ],
    ["a generator with a flag", cache([[0, generator, 1]])],
    ["a generator of another form", cache([[0, "evil"]])],
    ["a generator with more behind it", cache([[0, `${generator}\nx`]])],
    ["bytes behind the end", Buffer.concat([cache([[0, generator]]), Buffer.alloc(1)])],
    ["no byte order", cache([[0, generator]], { flags: 0 })],
    ["the other byte order", cache([[0, generator]], { flags: 3 })],
  ])("refuses %s", async (_, bytes) => {
    expect(await form(bytes)).toBeUndefined();
  });
});

describe("man-db-index", () => {
  const path = "var/cache/man/de/index.db";
  const block = 512;
  type Pair = readonly [key: string, value: string, hash?: number];
  /** Two buckets of three elements, and the records behind them. */
  const database = (pairs: readonly Pair[], isLittle = true): Buffer => {
    const buckets: Buffer[][] = [[], []];
    const records: Buffer[] = [];
    let at = block * 4;
    for (const [key, value, hash = 5] of pairs) {
      const start = Buffer.concat([Buffer.from(key, "latin1"), Buffer.alloc(4)]).subarray(0, 4);
      const numbers = pack(
        [
          [64, at],
          [32, key.length],
          [32, value.length],
        ],
        isLittle,
      );
      buckets[hash >>> 30]?.push(Buffer.concat([pack([[32, hash]], isLittle), start, numbers]));
      records.push(Buffer.from(key + value, "latin1"));
      at += key.length + value.length;
    }
    const end = at + 8;
    const body = buckets.map((elements) => {
      const empty = Array.from({ length: 3 - elements.length }, () =>
        Buffer.concat([Buffer.alloc(4, 255), Buffer.alloc(20)]),
      );
      const head = Buffer.concat([
        Buffer.alloc(104),
        pack(
          [
            [32, 1],
            [32, elements.length],
          ],
          isLittle,
        ),
      ]);
      const bucket = Buffer.concat([head, ...elements, ...empty]);
      return Buffer.concat([bucket, Buffer.alloc(block - bucket.length)]);
    });
    const sizes: Numbers = [
      [32, 16],
      [32, 1],
      [32, block],
      [32, 3],
      [64, end],
    ];
    const head = pack([[32, 0x13579acf], [32, block], [64, block], ...sizes], isLittle);
    const directory = pack(
      [
        [64, block * 2],
        [64, block * 3],
      ],
      isLittle,
    );
    const padded = [head, directory].map((part) => Buffer.concat([part, Buffer.alloc(block - part.length)]));
    return Buffer.concat([...padded, ...body, ...records, Buffer.alloc(end - at)]);
  };
  const version: Pair = ["$version$\0", "2.5.0\0"];
  const page: Pair = ["ls\0", "-\t1\t1\t1663000000\t0\tA\t-\t-\tlist\0", 0x40000001];
  const form = (bytes: Buffer, where = path) => normalised("man-db-index", where, bytes);

  test("counts as nothing, in either byte order", async () => {
    expect(await form(database([version, page]))).toBe("absent");
    expect(await form(database([version, page], false))).toBe("absent");
    expect(await form(database([version]), "var/cache/man/index.db")).toBe("absent");
    await survives("man-db-index", path, database([version, page]));
  });

  test.each<[string, Buffer]>([
    ["no version", database([page])],
    ["a version of another form", database([["$version$\0", "evil\0"]])],
    ["a value that is no text", database([version, ["ls\0", "a\0b\0"]])],
    ["an empty value", database([version, ["ls\0", ""]])],
    ["a hash that belongs into another bucket", patched(database([version, page]), 512 * 2 + 112 + 3, 0x40)],
    ["another count", patched(database([version, page]), 512 * 2 + 108, 2)],
    ["a key that begins otherwise", patched(database([version, page]), 512 * 2 + 112 + 4, 65)],
    ["bytes behind the end", Buffer.concat([database([version, page]), Buffer.alloc(1)])],
    ["one bucket twice in the wrong places", patched(database([version, page]), 512 + 9, 4)],
    ["nothing", Buffer.alloc(0)],
  ])("refuses %s", async (_, bytes) => {
    expect(await form(bytes)).toBeUndefined();
  });

  test("knows no other paths", async () => {
    for (const where of ["var/cache/man/../x/index.db.old", "usr/share/man/index.db", "var/cache/man/index.dbx"])
      expect(await form(database([version, page]), where)).toBeUndefined();
  });
});

describe("fontconfig-cache", () => {
  const cache = (folder: string, { isLittle = true, bits = 64, version = 8 } = {}): Buffer => {
    const pointer = (value: number): readonly [32 | 64, number] => [bits === 64 ? 64 : 32, value];
    const text = Buffer.from(`${folder}\0`.padEnd(64, "\0"));
    const head = (size: number): Buffer =>
      pack(
        [[32, 0xfc02fc04], [32, version], pointer(size), pointer(64), pointer(128), pointer(0), pointer(128)],
        isLittle,
      );
    const rest = Buffer.alloc(32);
    const size = 64 + text.length + rest.length;
    return Buffer.concat([head(size), Buffer.alloc(64 - head(size).length, 1), text, rest]);
  };
  const folder = "/usr/share/fonts";
  const digest = createHash("md5").update(folder).digest("hex");
  const path = (arch = "le64", version = 8): string => `var/cache/fontconfig/${digest}-${arch}.cache-${version}`;
  const form = (where: string, bytes: Buffer) => normalised("fontconfig-cache", where, bytes);

  test("counts as nothing when head and name agree", async () => {
    expect(await form(path(), cache(folder))).toBe("absent");
    expect(await form(path("be64"), cache(folder, { isLittle: false }))).toBe("absent");
    expect(await form(path("le32d8"), cache(folder, { bits: 32 }))).toBe("absent");
    expect(await form(path("le64", 9), cache(folder, { version: 9 }))).toBe("absent");
    await survives("fontconfig-cache", path(), cache(folder));
  });

  test.each<[string, string, Buffer]>([
    ["another folder", path(), cache("/usr/share/font")],
    ["another version", path("le64", 9), cache(folder)],
    ["another byte order", path("be64"), cache(folder)],
    ["other pointers", path("le32d4"), cache(folder)],
    ["another size", path(), Buffer.concat([cache(folder), Buffer.alloc(1)])],
    ["another place", `usr/${path()}`, cache(folder)],
    ["text", path(), Buffer.from("#!/bin/sh\n".repeat(20))],
  ])("refuses %s", async (_, where, bytes) => {
    expect(await form(where, bytes)).toBeUndefined();
  });

  test.each(["fontconfig", "man"])("so does the mark of the folder of %s", async (name) => {
    const found = name === "man" ? "man-db-index" : "fontconfig-cache";
    const where = `var/cache/${name}/CACHEDIR.TAG`;
    const tag = "Signature: 8a477f597d28d172789f06886806bc55\n# made by a tool\n";
    expect(await normalised(found, where, Buffer.from(tag))).toBe("absent");
    for (const other of [`${tag}exec evil\n`, tag.replace("8a", "8b"), tag.slice(0, -1), `\n${tag}`, ""])
      expect(await normalised(found, where, Buffer.from(other))).toBeUndefined();
  });
});

describe("apt-cache", () => {
  const path = "var/cache/apt/pkgcache.bin";
  const sizes = [0x1c, 0x2c, 0x40, 0x38, 0x58, 0x18, 0x14, 0x10, 0x18, 0x18, 0x18];
  const cache = (isLittle = true): Buffer =>
    Buffer.concat([
      pack(
        [
          [32, 0x98fe76dc],
          [8, 16],
          [8, 0],
          [16, 0],
          [16, 680],
        ],
        isLittle,
      ),
      Buffer.from(sizes),
      Buffer.alloc(900),
    ]);

  test("finished caches count as nothing", async () => {
    for (const bytes of [cache(), cache(false)])
      for (const name of ["pkgcache", "srcpkgcache"])
        expect(await normalised("apt-cache", `var/cache/apt/${name}.bin`, bytes)).toBe("absent");
    expect(await normalised("apt-cache", "var/cache/apt/archives/lock", Buffer.alloc(0))).toBe("absent");
  });

  test("refuses all else", async () => {
    // signature, version, whether it is unfinished, the head's size, a structure's
    for (const [at, value] of [
      [0, 1],
      [3, 1],
      [4, 3],
      [4, 200],
      [6, 1],
      [8, 1],
      [9, 200],
      [12, 0],
      [12, 255],
    ] as const)
      expect(await normalised("apt-cache", path, patched(cache(), at, value))).toBeUndefined();
    for (let length = 0; length < 680; length += 1)
      expect(await normalised("apt-cache", path, cache().subarray(0, length))).toBeUndefined();
    expect(await normalised("apt-cache", "var/cache/apt/archives/lock", Buffer.from("x"))).toBeUndefined();
    expect(await normalised("apt-cache", "var/cache/apt/archives/a.deb", cache())).toBeUndefined();
  });
});

describe("lists of APT as LZ4 frames", () => {
  const path = "var/lib/apt/lists/mirror.example_dists_stable_main_binary-amd64_Packages.lz4";
  const stanza = (name: string): string => `Package: ${name}\nVersion: 1\nFilename: pool/${name}.deb\n\n`;
  const frame = (blocks: readonly Buffer[], { flags = 0x60, size }: { flags?: number; size?: number } = {}): Buffer => {
    const head = Buffer.concat([
      Buffer.from([0x04, 0x22, 0x4d, 0x18, flags | (size === undefined ? 0 : 8), 0x40]),
      size === undefined ? Buffer.alloc(0) : pack([[64, size]]),
      Buffer.from([0]),
    ]);
    const body = blocks.map((block) => Buffer.concat([block, Buffer.alloc((flags & 16) === 0 ? 0 : 4)]));
    return Buffer.concat([head, ...body, Buffer.alloc(4), Buffer.alloc((flags & 4) === 0 ? 0 : 4)]);
  };
  const stored = (text: string): Buffer => Buffer.concat([pack([[32, 0x80000000 + text.length]]), Buffer.from(text)]);
  const compressed = (...parts: readonly Buffer[]): Buffer => {
    const data = Buffer.concat(parts);
    return Buffer.concat([pack([[32, data.length]]), data]);
  };
  /** Literals of up to 255 + 14 letters, then a match. */
  const sequence = (text: string, match?: readonly [distance: number, length: number]): Buffer => {
    const literals = Math.min(text.length, 15);
    const [distance = 0, length = 4] = match ?? [];
    const head = [literals * 16 + Math.min(length - 4, 15), ...(literals === 15 ? [text.length - 15] : [])];
    const tail = match ? [distance & 255, distance >> 8, ...(length - 4 >= 15 ? [length - 19] : [])] : [];
    return Buffer.concat([Buffer.from(head), Buffer.from(text), Buffer.from(tail)]);
  };
  const form = (bytes: Buffer) => normalised("apt-lists", path, bytes);
  const text = stanza("zlib");

  test("are opened", async () => {
    expect(await form(frame([stored(text)]))).toBe("absent");
    expect(
      await form(frame([stored(text), stored(stanza("b"))], { flags: 0x74, size: text.length + stanza("b").length })),
    ).toBe("absent");
    expect(await form(frame([compressed(sequence(text))]))).toBe("absent");
    // a match that overlaps itself, and one that reaches into the block before
    expect(await form(frame([compressed(sequence(`${text.slice(0, -1)}X: a`, [1, 40]), sequence("\n"))]))).toBe(
      "absent",
    );
    expect(
      await form(
        frame([stored(text), compressed(sequence("", [text.length, text.length]), sequence("\n"))], { flags: 0x40 }),
      ),
    ).toBe("absent");
  });

  test.each<[string, Buffer]>([
    ["no stanzas inside", frame([stored("#!/bin/sh\n")])],
    ["another size than it says", frame([stored(text)], { size: text.length + 1 })],
    ["a match before the beginning", frame([compressed(sequence(text, [500, 4]), sequence("\n"))])],
    ["a match of distance 0", frame([compressed(sequence(text, [0, 4]), sequence("\n"))])],
    [
      "a match into the block before where blocks stand alone",
      frame([stored(text), compressed(sequence("", [text.length, text.length]), sequence("\n"))]),
    ],
    ["a dictionary", frame([stored(text)], { flags: 0x61 })],
    ["another version", frame([stored(text)], { flags: 0xa0 })],
    ["bytes behind the end", Buffer.concat([frame([stored(text)]), Buffer.alloc(1)])],
    ["the text itself", Buffer.from(text)],
  ])("refuses %s", async (_, bytes) => {
    expect(await form(bytes)).toBeUndefined();
  });

  test("many empty blocks cost no more than few", async () => {
    const empty = compressed(Buffer.from([0]));
    const blocks = Buffer.concat(Array.from({ length: 500_000 }, () => empty));
    expect(await form(frame([blocks, stored(text)], { flags: 0x40 }))).toBe("absent");
  });

  test("survives damage, and bombs", async () => {
    await survives(
      "apt-lists",
      path,
      frame([compressed(sequence(`${text.slice(0, -1)}X: a`, [1, 40]), sequence("\n"))]),
    );
    const zeros = compressed(
      sequence("a", [1, 4]),
      Buffer.from([0x1f]),
      Buffer.from("a"),
      Buffer.from([1, 0]),
      Buffer.alloc(250, 255),
      Buffer.from([0]),
      sequence("\n"),
    );
    expect(await form(frame(Array.from({ length: 400 }, () => zeros)))).toBeUndefined();
  });
});

test("no class throws, whatever the bytes are", async () => {
  const paths = [
    "var/cache/ldconfig/aux-cache",
    "etc/ld.so.cache",
    "var/cache/man/index.db",
    "var/cache/fontconfig/0123456789abcdef0123456789abcdef-le64.cache-8",
    "var/cache/apt/pkgcache.bin",
    "var/lib/apt/lists/a_Packages.lz4",
    "etc/ssl/certs/ca-certificates.crt",
    "etc/ssh/ssh_host_rsa_key",
  ];
  const start = fc.constantFrom(
    "",
    "cf9a5713",
    "04fc02fc",
    "04224d18",
    "dc76fe98",
    Buffer.from("glibc-ld.so.cache1.1").toString("hex"),
  );
  await fc.assert(
    fc.asyncProperty(fc.constantFrom(...paths), start, fc.uint8Array({ maxLength: 300 }), async (path, head, tail) => {
      const bytes = Buffer.concat([Buffer.from(head, "hex"), tail]);
      for (const { name } of systemFileClasses) await normalised(name, path, bytes);
    }),
    { numRuns: 500 },
  );
});
