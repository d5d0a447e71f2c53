import { constants, gzipSync, zstdCompressSync } from "node:zlib";
import fc from "fast-check";
import { describe, expect, test } from "vitest";
import { contentClasses } from "../../../src/compare/classes/catalogue.ts";
import { explainContents, normalForm } from "../../../src/compare/explain/normal-form.ts";
import { file, folder, link, tarOf } from "../../support/images.ts";
import { zipOf } from "../../support/zip.ts";

const explain = (path: string, left: Buffer, right: Buffer) => explainContents(path, left, right, contentClasses);

/** A gzip file whose header says when it was made. */
function gzipAt(content: string | Buffer, seconds: number, level = 9): Buffer {
  const bytes = gzipSync(content, { level });
  bytes.writeUInt32LE(seconds, 4);
  return bytes;
}

const text = "The quick brown fox jumps over the lazy dog.\n".repeat(40);

describe("gzip files", () => {
  test("of another time, level or number of members hold the same", async () => {
    for (const right of [
      gzipAt(text, 2, 1),
      Buffer.concat([gzipAt(text.slice(0, 100), 1), gzipAt(text.slice(100), 2)]),
    ])
      expect(await explain("usr/share/doc/a.gz", gzipAt(text, 1), right)).toEqual(["gzip-container"]);
  });

  test("with another content, or anything behind them, are others", async () => {
    const left = gzipAt(text, 1);
    expect(await explain("a.gz", left, gzipAt(`${text}x`, 1))).toBeUndefined();
    expect(await explain("a.gz", left, Buffer.concat([gzipAt(text, 2), Buffer.from("x")]))).toBeUndefined();
    const wrongSum = gzipAt(text, 2);
    wrongSum[wrongSum.length - 8] = (wrongSum.at(-8) ?? 0) ^ 1;
    expect(await explain("a.gz", left, wrongSum)).toBeUndefined();
  });

  test("are not the same as what they hold, nor as a file that is written like their canonical form", async () => {
    expect(await explain("a.gz", gzipAt(text, 1), Buffer.from(text))).toBeUndefined();
    const form = await normalForm({ path: "a.gz", bytes: gzipAt("x", 1) }, contentClasses);
    const forged = Buffer.from("canonical gzip\n25:canonical member\n0:\n0:\n1:x\n\n");
    expect((await normalForm({ path: "a.gz", bytes: forged }, contentClasses))?.digest).not.toBe(form?.digest);
  });

  test("that expand without end are not looked into", async () => {
    const bomb = gzipSync(Buffer.alloc(300 * 1024 * 1024));
    const other = Buffer.from(bomb);
    other.writeUInt32LE(7, 4);
    expect(await explain("a.gz", bomb, other)).toBeUndefined();
    const nested = gzipSync(gzipSync(gzipSync(gzipSync(bomb))));
    expect(await explain("a.gz", nested, gzipAt(nested, 3))).toBeUndefined();
  }, 60_000);
});

describe("zip and jar files", () => {
  const members = [
    { name: "META-INF/MANIFEST.MF", content: "Manifest-Version: 1.0\r\n" },
    { name: "a/A.class", content: text },
  ];

  test("of other times, order and compression hold the same", async () => {
    const left = zipOf(members);
    const rights = [
      zipOf(members.map((member) => ({ ...member, time: 0x5a5a_1234 }))),
      zipOf(members.toReversed()),
      zipOf(members.map((member) => ({ ...member, method: "stored" as const }))),
      zipOf(members.map((member) => ({ ...member, extra: Buffer.from("5554050001000000ab", "hex") }))),
    ];
    for (const right of rights) expect(await explain("usr/share/java/a.jar", left, right)).toEqual(["zip-container"]);
  });

  test.each([
    ["another content", zipOf(members.with(1, { name: "a/A.class", content: `${text}x` }))],
    ["another name", zipOf(members.with(1, { name: "a/B.class", content: text }))],
    ["another mode", zipOf(members.map((member) => ({ ...member, mode: 0o755 })))],
    ["a member more", zipOf([...members, { name: "b", content: "" }])],
    ["a member fewer", zipOf(members.slice(1))],
    ["a name given twice", zipOf([...members, { name: "a/A.class", content: "other" }])],
    ["a comment", zipOf(members, "comment")],
    ["bytes before it", Buffer.concat([Buffer.from("#!/bin/sh\n"), zipOf(members)])],
    ["bytes behind it", Buffer.concat([zipOf(members), Buffer.from("x")])],
    ["another extra field", zipOf(members.map((member) => ({ ...member, extra: Buffer.from("fefe0100aa", "hex") })))],
  ])("with %s are others", async (_, right) => {
    expect(await explain("a.jar", zipOf(members), right)).toBeUndefined();
  });
});

describe("archives of other kinds", () => {
  const member = (name: string, content: string, time = 0, mode = "644"): string =>
    `${name.padEnd(16)}${String(time).padEnd(12)}${"0".padEnd(6)}${"0".padEnd(6)}${mode.padEnd(8)}${String(content.length).padEnd(10)}\`\n${content}${content.length % 2 === 1 ? "\n" : ""}`;
  const ar = (...members: readonly string[]): Buffer => Buffer.from(`!<arch>\n${members.join("")}`);

  test("libraries of other times are the same, of another order or mode they are others", async () => {
    const left = ar(member("a.o/", "abc"), member("b.o/", "de"));
    expect(await explain("usr/lib/a.a", left, ar(member("a.o/", "abc", 5), member("b.o/", "de", 6)))).toEqual([
      "ar-container",
    ]);
    for (const right of [
      ar(member("b.o/", "de"), member("a.o/", "abc")),
      ar(member("a.o/", "abc", 0, "755"), member("b.o/", "de")),
    ])
      expect(await explain("usr/lib/a.a", left, right)).toBeUndefined();
  });

  test("libraries that are filled up with zeros, as Go's are, are known, and with other bytes they are others", async () => {
    const filled = (time: number, padding: string): Buffer =>
      ar(member("a.o", "abc", time).replace(/\n$/, padding), member("b.o", "de"));
    expect(await explain("usr/lib/a.a", filled(0, "\0"), filled(5, "\0"))).toEqual(["ar-container"]);
    expect(await explain("usr/lib/a.a", filled(0, "\0"), filled(0, "\n"))).toBeUndefined();
    expect(await explain("usr/lib/a.a", filled(0, "x"), filled(5, "x"))).toBeUndefined();
  });

  const entries = [folder("d"), file("d/a", "1"), link("d/l", "a")];

  test("tars of other times and order are the same, of another mode, owner or target they are others", async () => {
    const left = await tarOf(entries);
    const later = entries.map((entry) => ({ ...entry, mtime: 9 })).toReversed();
    expect(await explain("a.tar", left, await tarOf(later))).toEqual(["tar-container"]);
    const [d, a, l] = entries;
    if (!d || !a || !l) throw new Error("three entries");
    for (const other of [
      [d, { ...a, mode: 0o4755 }, l],
      [d, { ...a, uid: 1 }, l],
      [d, a, link("d/l", "b")],
      [d, a],
    ])
      expect(await explain("a.tar", left, await tarOf(other))).toBeUndefined();
  });

  const newc = (name: string, content: string, fields: Readonly<Record<number, number>> = {}): Buffer => {
    const values = [7, 0o100644, 0, 0, 1, 0, content.length, 8, 1, 0, 0, name.length + 1, 0].map(
      (value, index) => fields[index] ?? value,
    );
    const padded = (bytes: Buffer): Buffer => Buffer.concat([bytes, Buffer.alloc((4 - (bytes.length % 4)) % 4)]);
    const head = `070701${values.map((value) => value.toString(16).padStart(8, "0")).join("")}${name}\0`;
    return Buffer.concat([padded(Buffer.from(head)), padded(Buffer.from(content))]);
  };
  const cpio = (...entries: readonly Buffer[]): Buffer => Buffer.concat([...entries, newc("TRAILER!!!", "")]);

  test("cpio archives of other times and inodes are the same, of another mode, order or grouping they are others", async () => {
    const left = cpio(newc("a", "1"), newc("b", "2"));
    const path = "boot/initrd.img";
    expect(await explain(path, left, cpio(newc("a", "1", { 0: 9, 5: 4 }), newc("b", "2", { 7: 3 })))).toEqual([
      "cpio-container",
    ]);
    const others = [
      cpio(newc("b", "2"), newc("a", "1")),
      cpio(newc("a", "1", { 1: 0o104755 }), newc("b", "2")),
      cpio(newc("a", "1", { 2: 5 }), newc("b", "2")),
      Buffer.concat([left, Buffer.from("070701")]),
    ];
    for (const right of others) expect(await explain(path, left, right)).toBeUndefined();
    const linked = (second: number): Buffer => cpio(newc("a", "", { 0: 1, 4: 2 }), newc("b", "", { 0: second, 4: 2 }));
    expect(await explain(path, linked(1), linked(2))).toBeUndefined();
  });

  test("zstd files of another level or number of frames are the same", async () => {
    const level = (value: number): Buffer =>
      zstdCompressSync(text, { params: { [constants.ZSTD_c_compressionLevel]: value } });
    const frames = Buffer.concat([zstdCompressSync(text.slice(0, 50)), zstdCompressSync(text.slice(50))]);
    for (const right of [level(19), frames])
      expect(await explain("a.zst", level(1), right)).toEqual(["zstd-container"]);
    for (const right of [zstdCompressSync(`${text}x`), Buffer.concat([level(1), Buffer.from("x")])])
      expect(await explain("a.zst", level(1), right)).toBeUndefined();
  });

  test("a jar's manifest may name another Java and day, and nothing else", async () => {
    const jar = (head: string, rest = "Main-Class: A\r\n"): Buffer =>
      zipOf([
        {
          name: "META-INF/MANIFEST.MF",
          content: `Manifest-Version: 1.0\r\n${head}${rest}\r\nName: a\r\nSHA-256-Digest: x\r\n\r\n`,
        },
      ]);
    const left = jar("Created-By: 17.0.2 (Debian)\r\nBuild-Date: 2026-01-02\r\n");
    expect(await explain("a.jar", left, jar("Created-By: 21 (Other)\r\nBuild-Date: 2026-02-03\r\n"))).toEqual([
      "jar-manifest",
      "zip-container",
    ]);
    for (const right of [
      jar("Created-By: 21 (Other)\r\nBuild-Date: 2026-02-03\r\n", "Main-Class: B\r\n"),
      jar("Created-By: 21 (Other)\r\n continued\r\nBuild-Date: 2026-02-03\r\n"),
      jar("Build-Date: 2026-02-03\r\nCreated-By: 21 (Other)\r\n"),
    ])
      expect(await explain("a.jar", left, right)).toBeUndefined();
  });

  test("what is inside is explained by its own classes, however deep", async () => {
    const inside = async (day: number, seconds: number): Promise<Buffer> => {
      const script = `# Generated on 2026-11-${day}\nprint(1)\n`;
      return gzipAt(
        await tarOf([file("m.py", script), { ...file("x.gz"), ...withContent(gzipAt("x", seconds)) }]),
        seconds,
      );
    };
    const found = await explain("usr/share/a.tar.gz", await inside(11, 1), await inside(12, 2));
    expect(found?.toSorted()).toEqual(["gzip-container", "tar-container", "text-date"]);
  });
});

function withContent(content: Buffer): { readonly size: number; readonly content: Buffer } {
  return { size: content.length, content };
}

test("no archive that is damaged somewhere is ever the same as it was, unless the damage is in a time", async () => {
  // compressed data has bits that mean nothing, so none is compressed
  const jar = zipOf([
    { name: "a", content: text, method: "stored" },
    { name: "b", content: "short", method: "stored" },
  ]);
  const original = await normalForm({ path: "a.jar", bytes: jar }, contentClasses);
  const headers = (magic: string): number[] => {
    const first = jar.indexOf(magic);
    return [first, jar.indexOf(magic, first + 4)];
  };
  // times, and the versions of the format, which decide nothing that is inside
  const ignored = new Set([
    ...headers("PK\x03\x04").flatMap((at) => [4, 5, 10, 11, 12, 13].map((field) => at + field)),
    ...headers("PK\x01\x02").flatMap((at) => [4, 6, 7, 12, 13, 14, 15].map((field) => at + field)),
  ]);
  await fc.assert(
    fc.asyncProperty(fc.nat({ max: jar.length - 1 }), fc.integer({ min: 1, max: 255 }), async (at, flip) => {
      const damaged = Buffer.from(jar);
      damaged[at] = (damaged[at] ?? 0) ^ flip;
      const form = await normalForm({ path: "a.jar", bytes: damaged }, contentClasses);
      if (!ignored.has(at) && form?.digest === original?.digest) throw new Error(`byte ${at} counts for nothing`);
    }),
    { numRuns: 1500, seed: 5 },
  );
});
