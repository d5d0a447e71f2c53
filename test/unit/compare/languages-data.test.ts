import { createHash } from "node:crypto";
import { readFile } from "node:fs/promises";
import { join } from "node:path";
import { DatabaseSync } from "node:sqlite";
import { crc32, deflateSync } from "node:zlib";
import fc from "fast-check";
import { describe, expect, test } from "vitest";
import { languageClasses } from "../../../src/compare/classes/languages/family.ts";
import { temporaryFolder } from "../../support/temporary.ts";

const context = { member: async (_name: string, bytes: Buffer) => bytes, remaining: () => 0, spend() {} };

async function normalised(name: string, bytes: Buffer, path = "usr/share/file"): Promise<Buffer | undefined> {
  const found = languageClasses.find((one) => one.name === name);
  if (!found) throw new Error(name);
  if (!found.applies({ path, bytes })) return undefined;
  const result = await found.normalise({ path, bytes }, context);
  if (result === "absent") throw new Error("absent");
  return result;
}

async function expectEqual(name: string, one: Buffer, other: Buffer, path?: string): Promise<void> {
  const expected = await normalised(name, one, path);
  expect(one.equals(other)).toBe(false);
  expect(expected).toBeDefined();
  expect(await normalised(name, other, path)).toEqual(expected);
  expect(await normalised(name, expected ?? Buffer.alloc(0), path)).toEqual(expected);
}

async function expectDifferent(name: string, one: Buffer, other: Buffer, path?: string): Promise<void> {
  expect(await normalised(name, one, path)).toBeDefined();
  expect(await normalised(name, other, path)).not.toEqual(await normalised(name, one, path));
}

function patched(bytes: Buffer, at: number, value: number): Buffer {
  const copy = Buffer.from(bytes);
  copy[at] = value;
  return copy;
}

function replaced(bytes: Buffer, from: string, to: string): Buffer {
  expect(bytes.includes(from, 0, "latin1")).toBe(true);
  return Buffer.from(
    bytes.toString("latin1").replace(from, () => to),
    "latin1",
  );
}

describe("png-time", () => {
  const chunk = (type: string, data: Buffer | string): Buffer => {
    const body = Buffer.concat([Buffer.from(type, "latin1"), Buffer.from(data as string, "latin1")]);
    const numbers = Buffer.alloc(8);
    numbers.writeUInt32BE(body.length - 4, 0);
    numbers.writeUInt32BE(crc32(body), 4);
    return Buffer.concat([numbers.subarray(0, 4), body, numbers.subarray(4)]);
  };
  const header = Buffer.from([0, 0, 0, 1, 0, 0, 0, 1, 8, 2, 0, 0, 0]);
  const png = (...chunks: Buffer[]): Buffer =>
    Buffer.concat([
      Buffer.from("\x89PNG\r\n\x1a\n", "latin1"),
      chunk("IHDR", header),
      ...chunks,
      chunk("IDAT", deflateSync(Buffer.from([0, 1, 2, 3]))),
      chunk("IEND", ""),
    ]);
  const time = (...fields: number[]) => chunk("tIME", Buffer.from([0x07, 0xe4, ...fields]));
  const created = (value: string) => chunk("tEXt", `date:create\0${value}`);

  test("takes times for one another", async () => {
    await expectEqual("png-time", png(time(1, 2, 3, 4, 5)), png(time(12, 31, 23, 59, 60)));
    await expectEqual("png-time", png(created("2020-01-02T03:04:05+00:00")), png(created("2021-11-12T13:14:15-07:00")));
    await expectEqual(
      "png-time",
      png(chunk("tEXt", "Creation Time\0Mon, 23 Nov 2026 08:41:14 +0000")),
      png(chunk("tEXt", "Creation Time\0Tue, 1 Dec 2026 08:41:14 +0100")),
    );
    await expectEqual(
      "png-time",
      png(chunk("iTXt", "date:modify\0\0\0\0\x002020-01-02")),
      png(chunk("iTXt", "date:modify\0\0\0\0\x002020-01-03")),
    );
  });

  test.each([
    ["no date", png(created("yesterday"))],
    ["a date and more", png(created("2020-01-02T03:04:05+00:00 by me"))],
    ["a date in another form", png(created("2020-01-02"))],
    ["another day of the week", png(chunk("tEXt", "date:create\0Tue, 23 Nov 2026 08:41:14 +0000"))],
    ["another keyword", png(chunk("tEXt", "date:delete\x002020-01-02T03:04:05+00:00"))],
    ["no time", png()],
    ["two times", png(created("2020-01-02T03:04:05+00:00"), created("2020-01-02T03:04:05+00:00"))],
    ["another picture", replaced(png(created("2020-01-02T03:04:05+00:00")), "IDAT", "IDAU")],
  ])("keeps %s apart", async (_, other) => {
    await expectDifferent("png-time", png(created("2020-01-02T03:04:05+00:00")), other);
  });

  test.each([
    ["month 13", time(13, 1, 0, 0, 0)],
    ["31 June", time(6, 31, 0, 0, 0)],
    ["hour 24", time(6, 1, 24, 0, 0)],
    ["a byte too many", time(6, 1, 2, 0, 0, 0)],
  ])("does not take %s for a time", async (_, other) => {
    await expectDifferent("png-time", png(time(1, 2, 3, 4, 5)), png(other));
  });

  test("refuses wrong checksums, cuts and what stands behind the end", async () => {
    const whole = png(time(1, 2, 3, 4, 5));
    for (let at = 8; at < whole.length; at += 1)
      expect(await normalised("png-time", patched(whole, at, (whole[at] ?? 0) ^ 4))).toBeUndefined();
    for (let length = 0; length < whole.length; length += 1)
      expect(await normalised("png-time", whole.subarray(0, length))).toBeUndefined();
    expect(await normalised("png-time", Buffer.concat([whole, Buffer.alloc(1)]))).toBeUndefined();
  });
});

describe("mo-dates", () => {
  const catalogue = (date: string, isLittle = true, translation = "hallo"): Buffer => {
    const text = `Project: x\nPOT-Creation-Date: ${date}\nPO-Revision-Date: ${date}\nContent-Type: text/plain; charset=UTF-8\n`;
    const strings = ["", "hello", text, translation];
    const words = Buffer.alloc(28 + 32);
    const write = (value: number, at: number) =>
      isLittle ? words.writeUInt32LE(value, at) : words.writeUInt32BE(value, at);
    for (const [index, value] of [0x950412de, 0, 2, 28, 44, 0, 60].entries()) write(value, index * 4);
    let at = words.length;
    for (const [index, string] of strings.entries()) {
      write(string.length, 28 + index * 8);
      write(at, 32 + index * 8);
      at += string.length + 1;
    }
    return Buffer.concat([words, Buffer.from(strings.map((string) => `${string}\0`).join(""))]);
  };
  const [one, other] = ["2020-01-02 03:04+0000", "2026-11-23 09:09-0230"];

  test.each([true, false])("takes dates for one another, little endian %s", async (isLittle) => {
    await expectEqual("mo-dates", catalogue(one, isLittle), catalogue(other, isLittle));
  });

  test.each([
    ["another message", catalogue(one, true, "Hallo")],
    ["another byte order", catalogue(one, false)],
    ["what is no date", catalogue("2020-13-02 03:04+0000")],
    ["a date of another form", catalogue("2020-01-02 03:04:05+0000")],
    ["another line of the header", replaced(catalogue(one), "Project: x", "Project: y")],
    ["another field with a date", replaced(catalogue(one), "PO-Revision", "PX-Revision")],
  ])("keeps %s apart", async (_, changed) => {
    await expectDifferent("mo-dates", catalogue(one), changed);
  });

  test("refuses strings that share the header's bytes", async () => {
    const shared = catalogue(one);
    // the original of the second message lies inside the header
    shared.writeUInt32LE(catalogue(one).indexOf("2020"), 28 + 12);
    shared.writeUInt32LE(shared.readUInt32LE(44) - (shared.readUInt32LE(28 + 12) - shared.readUInt32LE(48)), 28 + 8);
    expect(await normalised("mo-dates", shared)).toBeUndefined();
    const table = catalogue(one);
    table.writeUInt32LE(4, 20);
    table.writeUInt32LE(table.indexOf("2020"), 24);
    expect(await normalised("mo-dates", table)).toBeUndefined();
  });

  test("refuses what leaves the file, and revisions it does not know", async () => {
    const whole = catalogue(one);
    for (let length = 0; length < whole.length; length += 1)
      expect(await normalised("mo-dates", whole.subarray(0, length))).toBeUndefined();
    for (const [at, value] of [
      [4, 1],
      [6, 2],
      [11, 0x7f],
      [15, 0xff],
      [27, 0xff],
    ] as const) {
      const changed = patched(whole, at, value);
      // a hash table without entries may be said to be anywhere
      if (at === 27) changed[20] = 1;
      expect(await normalised("mo-dates", changed), `byte ${at}`).toBeUndefined();
    }
  });
});

describe("sqlite-volatile", () => {
  const database = async (...statements: string[]): Promise<Buffer> => {
    const path = join(await temporaryFolder(), "some.db");
    const opened = new DatabaseSync(path);
    for (const statement of ["create table t(x)", ...statements]) opened.exec(statement);
    opened.close();
    return readFile(path);
  };

  test("takes databases that were changed more often for one another", async () => {
    const one = await database();
    const changed = await database("pragma user_version = 5", "pragma user_version = 0");
    await expectEqual("sqlite-volatile", one, changed);
    const older = Buffer.from(one);
    older.writeUInt32BE(3_034_001, 96);
    await expectEqual("sqlite-volatile", one, older);
  });

  test("keeps every other byte", async () => {
    const one = await database("insert into t values(1)");
    await expectDifferent("sqlite-volatile", one, await database("insert into t values(2)"));
    const expected = await normalised("sqlite-volatile", one);
    for (let at = 0; at < one.length; at += at < 96 ? 1 : 61) {
      const changed = await normalised("sqlite-volatile", patched(one, at, (one[at] ?? 0) ^ 1));
      if (at < 96 || at >= 100)
        expect.soft(changed?.equals(expected ?? Buffer.alloc(0)) ?? false, `byte ${at}`).toBe(false);
    }
  });

  test("refuses headers that are not current, and cuts", async () => {
    const one = await database();
    expect(await normalised("sqlite-volatile", patched(one, 27, 77))).toBeUndefined();
    expect(await normalised("sqlite-volatile", patched(one, 96, 77))).toBeUndefined();
    for (let length = 0; length < one.length; length += length < 200 ? 1 : 97)
      expect(await normalised("sqlite-volatile", one.subarray(0, length))).toBeUndefined();
  });
});

/** Two certificates, k2 and k1, that keytool of JDK 25 put into a keystore of the type JKS. */
const javaTrustStore = Buffer.from(
  "/u3+7QAAAAIAAAACAAAAAgACazIAAAGiB679lgAFWC41MDkAAAE3MIIBMzCB2qADAgECAgkAk/FIkqOHcfIwCgYIKoZIzj0E" +
    "AwIwDjEMMAoGA1UEAxMDdHdvMB4XDTI2MTEyMzA5MTM1N1oXDTI3MDIyMTA5MTM1N1owDjEMMAoGA1UEAxMDdHdvMFkwEwYH" +
    "KoZIzj0CAQYIKoZIzj0DAQcDQgAEYQ9HQf5nAsAVHT+/Xmc6qwrAMjQHHyiQSk66fCBN5eTm7nPkHrJUP2kXHfHGzMH7PTt+" +
    "tApS2d3d8jluDCLTnKMhMB8wHQYDVR0OBBYEFHT95oDaKgVaCIeLD/lx1vbz0ikdMAoGCCqGSM49BAMCA0gAMEUCIQDA4OHB" +
    "P6ODZUAFaURK0dCFwVB2wieZxIdluK07jtdklgIgaDexR4Ky4c7/6PZ17MsCfGkyz2/N58KtgncfAbG8JtEAAAACAAJrMQAA" +
    "AaIHrvy7AAVYLjUwOQAAATYwggEyMIHZoAMCAQICCByPKjF71vqoMAoGCCqGSM49BAMCMA4xDDAKBgNVBAMTA29uZTAeFw0y" +
    "NjExMjMwOTEzNTZaFw0yNzAyMjEwOTEzNTZaMA4xDDAKBgNVBAMTA29uZTBZMBMGByqGSM49AgEGCCqGSM49AwEHA0IABC6E" +
    "ZGi50tMh9theVrPnrP+/rSNzX30037/J/gyHWYxK+r4VnjPzexRtFlKBzNeGVnF5iDlqmde3KbX2Ke2sCJmjITAfMB0GA1Ud" +
    "DgQWBBSwgFn0fmDO7uxJHNg/hI0JvBEipjAKBggqhkjOPQQDAgNIADBFAiBARL8pSKgvxVWiO1ujtncEk67ysmu9Z0hX6XnA" +
    "Dq/DiAIhAJ6T32cy6/HNtA/KLH5MjcTrn2cMcqW/8nl/tuBuzKP8siv4s5agY/oS3IV6oyQD9y5xF7M=",
  "base64",
);

describe("java-keystore", () => {
  const signed = (body: Buffer, password = "changeit"): Buffer => {
    const key = Buffer.from([...password].flatMap((letter) => [0, letter.charCodeAt(0)]));
    const digest = createHash("sha1").update(key).update("Mighty Aphrodite").update(body).digest();
    return Buffer.concat([body, digest]);
  };
  const number = (value: number, bytes: 2 | 4): Buffer => {
    const buffer = Buffer.alloc(bytes);
    buffer.writeUIntBE(value, 0, bytes);
    return buffer;
  };
  const named = (text: string) => Buffer.concat([number(text.length, 2), Buffer.from(text)]);
  const entry = (alias: string, time: number, certificate = alias, tag = 2): Buffer =>
    Buffer.concat([
      number(tag, 4),
      named(alias),
      Buffer.from([0, 0, 0, 0, 0, 0, 0, time]),
      named("X.509"),
      number(certificate.length, 4),
      Buffer.from(certificate),
    ]);
  const body = (...entries: Buffer[]) =>
    Buffer.concat([Buffer.from("feedfeed00000002", "hex"), number(entries.length, 4), ...entries]);
  const store = (...entries: Buffer[]) => signed(body(...entries));
  const usual = store(entry("a", 1), entry("b", 2));

  test("takes times and orders for one another", async () => {
    await expectEqual("java-keystore", usual, store(entry("b", 3), entry("a", 4)));
  });

  test("reads what keytool writes", async () => {
    const times = ["a207ae", "a207af"] as const;
    const later = replaced(
      javaTrustStore.subarray(0, -20),
      Buffer.from(times[0], "hex").toString("latin1"),
      Buffer.from(times[1], "hex").toString("latin1"),
    );
    await expectEqual("java-keystore", javaTrustStore, signed(later));
    await expectDifferent("java-keystore", javaTrustStore, signed(patched(later, later.length - 1, 7)));
  });

  test.each([
    ["another certificate", store(entry("a", 1, "x"), entry("b", 2))],
    ["another alias", store(entry("c", 1, "a"), entry("b", 2))],
    ["one certificate less", store(entry("a", 1))],
    ["another password", signed(body(entry("a", 1), entry("b", 2)), "changeme")],
    ["a private key", store(entry("a", 1), entry("b", 2, "b", 1))],
    ["an alias twice", store(entry("a", 1), entry("a", 2))],
    ["bytes left over", signed(Buffer.concat([body(entry("a", 1), entry("b", 2)), Buffer.alloc(1)]))],
    ["a count too high", signed(patched(body(entry("a", 1), entry("b", 2)), 11, 3))],
  ])("keeps %s apart", async (_, other) => {
    await expectDifferent("java-keystore", usual, other);
  });

  test("refuses what is changed or cut, its digest made to fit or not", async () => {
    for (let length = 0; length < usual.length; length += 1) {
      expect(await normalised("java-keystore", usual.subarray(0, length))).toBeUndefined();
      if (length < usual.length - 20)
        expect(await normalised("java-keystore", signed(usual.subarray(0, length)))).toBeUndefined();
    }
    for (let at = 0; at < usual.length; at += 1)
      expect(await normalised("java-keystore", patched(usual, at, (usual[at] ?? 0) ^ 1))).toBeUndefined();
  });
});

describe("wheel-record", () => {
  const path = "usr/lib/python3/site-packages/some-1.0.dist-info/RECORD";
  const lines = [
    "some/__init__.py,sha256=47DEQpj8HBSa-_TImW-5JCeuQeRkm5NMpJWZG3hSuFU,0",
    '"some/a,b.txt",sha256=47DEQpj8HBSa-_TImW-5JCeuQeRkm5NMpJWZG3hSuFU,0',
    "some-1.0.dist-info/RECORD,,",
  ];
  const bytecode = [
    "some/__pycache__/__init__.cpython-311.pyc,,",
    "some/__pycache__/a.cpython-311.opt-1.pyc,sha256=abc,12",
  ];
  const record = (all: readonly string[]) => Buffer.from(all.map((line) => `${line}\r\n`).join(""));

  test("takes orders and bytecode for one another", async () => {
    await expectEqual("wheel-record", record(lines), record([...lines.toReversed(), ...bytecode]), path);
  });

  test.each([
    ["another digest", lines.map((line) => line.replace("47DE", "57DE"))],
    ["another size", lines.map((line) => line.replace(/0$/, "1"))],
    ["one file less", lines.slice(1)],
    ["a file twice", [...lines, ...lines.slice(0, 1)]],
    ["bytecode without a source", [...lines, "some/b.pyc,,"]],
    ["what is no line of such a list", [...lines, "some/b.txt"]],
    ["a quote that does not end", [...lines, '"some/b.txt,,']],
    ["more fields", [...lines, "some/b.txt,,,"]],
  ])("keeps %s apart", async (_, changed) => {
    await expectDifferent("wheel-record", record(lines), record(changed), path);
  });

  test("leaves the digest of the WHEEL beside it to the class that reads that file, and of no other", async () => {
    const withWheel = (folder: string, digest: string): Buffer =>
      record([...lines, `${folder}/WHEEL,sha256=${digest},91`]);
    await expectEqual(
      "wheel-record",
      withWheel("some-1.0.dist-info", "47DE"),
      withWheel("some-1.0.dist-info", "57DE"),
      path,
    );
    await expectDifferent("wheel-record", record(lines), withWheel("some-1.0.dist-info", "47DE"), path);
    await expectDifferent("wheel-record", withWheel("some", "47DE"), withWheel("some", "57DE"), path);
  });

  test("is asked of RECORD only, whole to the last line", async () => {
    expect(await normalised("wheel-record", record(lines), "usr/lib/RECORD")).toBeUndefined();
    expect(await normalised("wheel-record", record(lines).subarray(0, -2), path)).toBeUndefined();
  });
});

describe("wheel-generator", () => {
  const path = "usr/share/python-wheels/some.whl/some-1.0.dist-info/WHEEL";
  const wheel = (generator: string, more = ""): Buffer =>
    Buffer.from(`Wheel-Version: 1.0\nGenerator: ${generator}\nRoot-Is-Purelib: true\nTag: py3-none-any\n${more}`);

  test("takes who packed a wheel for one another", async () => {
    await expectEqual("wheel-generator", wheel("setuptools (78.1.0)"), wheel("bdist_wheel (0.38.4)", "\n"), path);
  });

  test.each([
    ["another tag", wheel("a").toString().replace("none", "abi3")],
    ["another version of the format", wheel("a").toString().replace("1.0", "1.1")],
    ["an additional tag", wheel("a", "Tag: py2-none-any\n").toString()],
    ["two generators", wheel("a", "Generator: b\n").toString()],
    ["what is no field", wheel("a", "x\n").toString()],
  ])("keeps %s apart", async (_, changed) => {
    await expectDifferent("wheel-generator", wheel("a"), Buffer.from(changed), path);
  });

  test("is asked of a package's WHEEL only", async () => {
    expect(await normalised("wheel-generator", wheel("a"), "usr/lib/WHEEL")).toBeUndefined();
  });
});

test("no bytes whatever make a class of data files throw", async () => {
  const heads = [
    "",
    "\x89PNG\r\n\x1a\n",
    "\xde\x12\x04\x95\0\0\0\0\x01\0\0\0",
    "SQLite format 3\0",
    "\xfe\xed\xfe\xed\0\0\0\x02",
    "a,,\n",
  ];
  await fc.assert(
    fc.asyncProperty(fc.constantFrom(...heads), fc.uint8Array({ maxLength: 300 }), async (head, rest) => {
      const bytes = Buffer.concat([Buffer.from(head, "latin1"), rest]);
      for (const { name } of languageClasses) {
        const once = await normalised(name, bytes, "some.dist-info/RECORD");
        if (once) expect(await normalised(name, once, "some.dist-info/RECORD")).toEqual(once);
      }
    }),
    { seed: 1970, numRuns: 1000 },
  );
});
