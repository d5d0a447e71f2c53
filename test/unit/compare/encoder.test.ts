import { createHash } from "node:crypto";
import { constants, createZstdCompress, gzipSync, zstdCompressSync } from "node:zlib";
import { Readable } from "node:stream";
import { describe, expect, test } from "vitest";
import {
  encodeLike,
  type RecogniseOptions,
  recogniseEncoder,
  tryEncoders,
} from "../../../src/compare/encoder/recognise.ts";
import type { GzipEncoder } from "../../../src/compare/encoder/types.ts";
import { zlibEncoders } from "../../../src/compare/encoder/zlib-encoders.ts";
import { findProgramEncoders, programEncoder } from "../../../src/encoders/programs.ts";

/** sha256 of what zlib 1.2.13 itself makes of the content, raw: its first 16 digits, by level. */
const zlib1213: readonly [number, string][] = [
  [1, "4a15a13fc1bd7bcc"],
  [2, "386e495c9433dc8f"],
  [3, "416261d5acdae24d"],
  [4, "7dc7139b8d138603"],
  [5, "32f2469bbecaa73b"],
  [6, "efdfe1243d604071"],
  [7, "bd718c0f60ccf7d2"],
  [8, "c85ef67e8b20d168"],
  [9, "1bd3197e2bd78120"],
];
/** The same of the whole output of gzip -n. */
const gnuGzip112: readonly [number, number, string][] = [
  [1, 4, "cc59d6a80d0fc12c"],
  [6, 0, "ce6b0032c68b16d2"],
  [9, 2, "a5368f4eeb1bdf67"],
];

const programs = await findProgramEncoders();
const hasGnuGzip112 = programs.some(({ family, version }) => family === "gnu-gzip" && version === "1.12");
const plain = { mtime: 0, xfl: 0, os: 3, text: false, checksum: false };
const content = text(600_000);
const small = content.subarray(0, 40_000);

/** A linear congruential generator, so that the content is the same everywhere. */
function random(seed: number): (below: number) => number {
  let state = seed;
  return (below) => {
    state = (Math.imul(state, 1103515245) + 12345) & 0x7fffffff;
    return (state >> 8) % below;
  };
}

/** Words, noise and runs of few letters: each level of zlib makes other bytes of it. */
function text(size: number): Buffer {
  const below = random(12345);
  const letters = (count: number, of: number): number[] => Array.from({ length: count }, () => 97 + below(of));
  const words = Array.from({ length: 700 }, () => letters(2 + below(9), 26));
  const bytes: number[] = [];
  while (bytes.length < size) {
    if (below(40) === 0) for (let left = below(3000); left > 0; left -= 1) bytes.push(below(256));
    bytes.push(...letters(below(60), 4), ...(words[Math.min(below(700), below(700))] ?? []), 32);
  }
  return Buffer.from(bytes.slice(0, size));
}

async function* pieces(bytes: Uint8Array, size = 16 * 1024): AsyncGenerator<Uint8Array> {
  for (let at = 0; at < bytes.length; at += size) yield bytes.subarray(at, at + size);
}

async function encoded(
  encoder: GzipEncoder | undefined,
  bytes = content,
  size?: number,
  header = plain,
): Promise<Buffer> {
  if (!encoder) throw new Error("no such encoder");
  return Buffer.concat(await Array.fromAsync(encoder.encode(pieces(bytes, size), header)));
}

function named(name: string): GzipEncoder | undefined {
  return zlibEncoders.find((encoder) => encoder.name === name);
}

const recognised = (blob: Uint8Array, options?: RecogniseOptions, size?: number) =>
  recogniseEncoder(() => pieces(blob, size), zlibEncoders, options);
const reasonOf = async (blob: Uint8Array, options?: RecogniseOptions): Promise<string | undefined> => {
  const trial = await tryEncoders(() => pieces(blob), zlibEncoders, options);
  expect(trial.recognised).toBeUndefined();
  return trial.reason;
};
const digestOf = (bytes: Uint8Array): string => createHash("sha256").update(bytes).digest("hex").slice(0, 16);

describe("known answers", () => {
  test("the content is the one of which the answers are", () => {
    expect(digestOf(content)).toBe("8693b9eb174df6bd");
  });

  test.each([...zlib1213])("zlib 1.2.13, level %i", async (level, digest) => {
    const gzip = await encoded(named(`zlib level ${level}`), content, level * 7777);
    expect(digestOf(gzip.subarray(10, -8))).toBe(digest);
  });

  test.skipIf(!hasGnuGzip112).each([...gnuGzip112])("GNU gzip 1.12, level %i", async (level, xfl, digest) => {
    const encoder = programs.find((it) => it.family === "gnu-gzip" && it.level === level);
    expect(digestOf(await encoded(encoder, content, 5000, { ...plain, xfl }))).toBe(digest);
  });
});

describe("gzip", { timeout: 60_000 }, () => {
  test.each([1, 2, 3, 4, 5, 6, 7, 8, 9])(
    "each zlib at level %i is told from the other, and made again",
    async (level) => {
      const blobs = {
        [`zlib level ${level}`]: await encoded(named(`zlib level ${level}`)),
        [`zlib (Chromium's) level ${level}`]: gzipSync(content, { level }),
      };
      for (const [name, blob] of Object.entries(blobs)) {
        // content that goes on behind the start, and content that is known whole
        for (const startBytes of [64 * 1024, 1024 * 1024]) {
          const found = await recognised(blob, { startBytes });
          expect(found).toMatchObject({ name, level, exact: true });
          // on this content the longest chains find no more than the second longest
          const same = level >= 8 && name.includes("Chromium") ? [`zlib (Chromium's) level ${17 - level}`] : [];
          expect(found?.alsoBy).toEqual(same);
          if (!found) return;
          const again = encodeLike(found, zlibEncoders, pieces(content, 9999));
          expect(Buffer.concat(await Array.fromAsync(again)).equals(blob)).toBe(true);
        }
      }
    },
  );

  test("the header is kept, whatever it says", async () => {
    const header = {
      ...plain,
      mtime: 1_700_000_000,
      xfl: 2,
      os: 255,
      text: true,
      name: "läyer.tar",
      comment: "",
      extra: "ab\0\0",
      checksum: true,
    };
    const [encoder] = zlibEncoders;
    const blob = Buffer.concat(await Array.fromAsync(encoder?.encode(pieces(content), header) ?? []));
    expect(await recognised(blob)).toMatchObject({ name: encoder?.name, settings: { compression: "gzip", header } });
  });

  test("all that give the same bytes are named, and the header chooses", async () => {
    const tiny = Buffer.from("a");
    const names = zlibEncoders.map(({ name }) => name).toSorted();
    for (const [level, xfl] of [
      [9, 2],
      [1, 4],
      [6, 0],
    ] as const) {
      const blob = Buffer.concat(
        await Array.fromAsync(named("zlib level 5")?.encode(pieces(tiny), { ...plain, xfl }) ?? []),
      );
      const found = await recognised(blob);
      expect(found?.level).toBe(level);
      expect([found?.name, ...(found?.alsoBy ?? [])].toSorted()).toEqual(names);
    }
  });

  test("nothing to compress", async () => {
    expect(await recognised(gzipSync(Buffer.alloc(0)))).toMatchObject({ exact: true, level: 6 });
  });

  test.each([13, 1000, 1 << 20])("a blob in chunks of %i bytes", async (size) => {
    expect(await recognised(gzipSync(small), {}, size)).toMatchObject({ name: "zlib (Chromium's) level 6" });
  });

  test("another memory level, strategy, window or flush is no encoder that is known", async () => {
    for (const options of [
      { memLevel: 9 },
      { strategy: constants.Z_FILTERED, level: 6 },
      { strategy: constants.Z_HUFFMAN_ONLY },
      { windowBits: 14 },
      { level: 0 },
    ])
      expect(await reasonOf(gzipSync(content, options))).toBe("no encoder that was tried gives its bytes");
  });

  test("more behind the member is told", async () => {
    const blob = gzipSync(content);
    const reason = "an encoder gives its first part, and more follows";
    for (const more of [Buffer.from([0]), blob, Buffer.alloc(512)])
      for (const startBytes of [1000, 4 * 1024 ** 2])
        expect(await reasonOf(Buffer.concat([blob, more]), { startBytes })).toBe(reason);
  });

  test("another byte anywhere is another blob", async () => {
    const blob = gzipSync(small);
    const below = random(7);
    for (let round = 0; round < 24; round += 1) {
      const changed = Buffer.from(blob);
      const at = 10 + below(blob.length - 10);
      changed[at] = (changed[at] ?? 0) ^ (1 << below(8));
      await reasonOf(changed, { startBytes: round % 2 === 0 ? 1000 : 100_000 });
    }
    // checksum and size are compared, not believed
    for (let at = blob.length - 8; at < blob.length; at += 1) {
      const changed = Buffer.from(blob);
      changed[at] = (changed[at] ?? 0) ^ 1;
      expect(await reasonOf(changed)).toBe("no encoder that was tried gives its bytes");
    }
  });

  test("every truncation", async () => {
    const blob = gzipSync(text(300));
    for (let length = 0; length < blob.length; length += 1) await reasonOf(blob.subarray(0, length));
  });

  test("a blob that expands too far is not followed", async () => {
    expect(await reasonOf(gzipSync(Buffer.alloc(20_000_000)), { maxBytes: 8_000_000 })).toBe(
      "it expands to more than is allowed",
    );
    expect(await recognised(gzipSync(content), { maxBytes: 10_000_000 })).toMatchObject({ level: 6 });
  });

  test("what fails when it is read is thrown, not taken for damage", async () => {
    const blob = gzipSync(content);
    async function* failing(): AsyncGenerator<Uint8Array> {
      yield* pieces(blob.subarray(0, 50_000));
      throw new Error("the disk is gone");
    }
    await expect(recogniseEncoder(failing, zlibEncoders)).rejects.toThrow("the disk is gone");
  });

  test("all that was opened is closed, also after an abort", async () => {
    const blob = gzipSync(content);
    const stop = new AbortController();
    let [open, times] = [0, 0];
    async function* counted(): AsyncGenerator<Uint8Array> {
      open += 1;
      times += 1;
      try {
        yield* pieces(blob);
      } finally {
        open -= 1;
      }
    }
    const options = { signal: stop.signal, startBytes: 1000 };
    expect(await recogniseEncoder(counted, zlibEncoders, options)).toMatchObject({ level: 6 });
    await settled(() => open === 0);
    expect(times).toBeGreaterThanOrEqual(4);
    stop.abort();
    await expect(recogniseEncoder(counted, zlibEncoders, options)).rejects.toMatchObject({ kind: "interrupted" });
    await settled(() => open === 0);
  });

  test("an encoder that is not here cannot make a blob", async () => {
    const found = await recognised(gzipSync(small));
    if (!found) throw new Error("not recognised");
    expect(() => encodeLike(found, [], pieces(small))).toThrow(/is not here/);
    expect(() => encodeLike({ ...found, version: "other" }, zlibEncoders, pieces(small))).toThrow(/is not here/);
  });
});

/** As a program compresses that does not know the size. */
async function streamed(bytes: Buffer): Promise<Buffer> {
  const compress = createZstdCompress();
  return Buffer.concat(
    await Readable.from(pieces(bytes, 128 * 1024), { objectMode: false })
      .pipe(compress)
      .toArray(),
  );
}

/** Streams close a few turns of the event loop after who read them stopped. */
async function settled(isSettled: () => boolean): Promise<void> {
  await expect.poll(isSettled).toBe(true);
}

describe("zstd", { timeout: 60_000 }, () => {
  test.each([1, 3, 9, 19])("level %i, with a checksum and without", async (level) => {
    const part = content.subarray(0, 300_000);
    for (const checksum of [0, 1]) {
      const params = { [constants.ZSTD_c_compressionLevel]: level, [constants.ZSTD_c_checksumFlag]: checksum };
      const blob = zstdCompressSync(part, { params });
      const found = await recognised(blob, { startBytes: 100_000 });
      // two neighbouring levels may give the same bytes: then either is right
      expect(found).toMatchObject({ family: "zstd", exact: true });
      if (!found) return;
      const again = encodeLike(found, [], pieces(part, 12_345));
      expect(Buffer.concat(await Array.fromAsync(again)).equals(blob)).toBe(true);
    }
  });

  test("a stream of unknown size, and what is no sum of whole blocks", async () => {
    const block = 128 * 1024;
    for (const size of [0, 1, 2 * block, 2 * block + 1]) {
      const part = content.subarray(0, size);
      const wholeBlocks = size > block && size % block === 0;
      for (const blob of [await streamed(part), ...(wholeBlocks ? [] : [zstdCompressSync(part)])]) {
        const found = await recognised(blob);
        expect(found).toMatchObject({ name: "zstd level 3", exact: true });
        if (!found) return;
        for (const chunk of [1000, block]) {
          const again = encodeLike(found, [], pieces(part, chunk));
          expect(Buffer.concat(await Array.fromAsync(again)).equals(blob)).toBe(true);
        }
      }
    }
  });

  test("what worker threads make is unknown", async () => {
    const large = Buffer.concat([content, content, content, content, content]);
    const params = { [constants.ZSTD_c_compressionLevel]: 1, [constants.ZSTD_c_nbWorkers]: 1 };
    expect(await reasonOf(zstdCompressSync(large, { params }))).toBe("no encoder that was tried gives its bytes");
  });

  test("a window of its own", async () => {
    const params = { [constants.ZSTD_c_windowLog]: 18 };
    const blob = zstdCompressSync(content, { params });
    expect(await recognised(blob)).toMatchObject({ level: 3, settings: { frame: { windowLog: 18 } } });
  });

  test("other strategies, several frames and damage are unknown", async () => {
    const blob = zstdCompressSync(content);
    const strange = zstdCompressSync(content, {
      params: { [constants.ZSTD_c_minMatch]: 7, [constants.ZSTD_c_strategy]: 2 },
    });
    expect(await reasonOf(strange)).toBe("no encoder that was tried gives its bytes");
    expect(await reasonOf(Buffer.concat([blob, blob]))).toBe("an encoder gives its first part, and more follows");
    await reasonOf(blob.subarray(0, -1));
    const changed = Buffer.from(blob);
    changed[100_000] = (changed[100_000] ?? 0) ^ 8;
    await reasonOf(changed);
    const tiny = zstdCompressSync(text(200));
    for (let length = 0; length < tiny.length; length += 1) await reasonOf(tiny.subarray(0, length));
  });
});

describe("programs", { timeout: 60_000 }, () => {
  test.skipIf(programs.length === 0)("each is told from zlib at its level", async () => {
    const all = [...zlibEncoders, ...programs];
    for (const encoder of programs.filter(({ level }) => level === 1 || level === 6)) {
      const blob = await encoded(encoder);
      const trial = await tryEncoders(() => pieces(blob), all, { startBytes: 100_000 });
      expect(trial.recognised).toMatchObject({ family: encoder.family, level: encoder.level });
      expect(trial.tried).toContain(`${encoder.family} ${encoder.version}`);
    }
  });

  test("one that is missing or fails is told", async () => {
    const missing = programEncoder({ name: "x", family: "go", version: "", level: 1 }, "/no/such/program", []);
    await expect(Array.fromAsync(missing.encode(pieces(content), plain))).rejects.toThrow(/could not be started/);
    const script = (text: string) =>
      programEncoder({ name: "x", family: "go", version: "", level: 1 }, process.execPath, ["-e", text]);
    const all = (encoder: GzipEncoder) => Array.fromAsync(encoder.encode(pieces(content), plain));
    await expect(all(script("console.error('why'); process.exit(3)"))).rejects.toThrow(/exit code 3: why/);
    await expect(all(script("process.stdin.resume(); console.log('no gzip at all')"))).rejects.toThrow(
      /plain gzip header/,
    );
    await expect(all(script("process.stdin.resume()"))).rejects.toThrow(/plain gzip header/);
    await expect(all(script("process.kill(process.pid, 'SIGKILL')"))).rejects.toThrow(/a signal/);
  });

  test.skipIf(programs.length === 0)("one that is left early ends", async () => {
    const [encoder] = programs;
    for await (const _ of encoder?.encode(pieces(content), plain) ?? []) break;
    async function* failing(): AsyncGenerator<Uint8Array> {
      yield content;
      throw new Error("no more");
    }
    await expect(Array.fromAsync(encoder?.encode(failing(), plain) ?? [])).rejects.toThrow("no more");
    await expect(
      Array.fromAsync(encoder?.encode(pieces(content), plain, AbortSignal.abort()) ?? []),
    ).rejects.toMatchObject({ kind: "interrupted" });
  });
});
