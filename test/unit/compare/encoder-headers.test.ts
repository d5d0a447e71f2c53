import fc from "fast-check";
import { constants, gzipSync, zstdCompressSync } from "node:zlib";
import { describe, expect, test } from "vitest";
import {
  type GzipHeader,
  maxGzipHeaderBytes,
  parseGzipHeader,
  writeGzipHeader,
} from "../../../src/compare/encoder/gzip-header.ts";
import { headerDistance } from "../../../src/compare/encoder/header-distance.ts";
import { maxZstdHeaderBytes, parseZstdFrame } from "../../../src/compare/encoder/zstd-frame.ts";

const latin1 = (most: number, from = 0) =>
  fc.array(fc.integer({ min: from, max: 255 }), { maxLength: most }).map((codes) => String.fromCharCode(...codes));
const anyHeader: fc.Arbitrary<GzipHeader> = fc
  .record(
    {
      mtime: fc.nat(0xffffffff),
      xfl: fc.nat(255),
      os: fc.nat(255),
      text: fc.boolean(),
      checksum: fc.boolean(),
      extra: latin1(300),
      name: latin1(50, 1),
      comment: latin1(50, 1),
    },
    { requiredKeys: ["mtime", "xfl", "os", "text", "checksum"] },
  )
  .map((header) => header as GzipHeader);

describe("gzip headers", () => {
  test("what is written is read, whatever follows", () => {
    fc.assert(
      fc.property(anyHeader, fc.uint8Array({ maxLength: 30 }), (header, behind) => {
        const bytes = writeGzipHeader(header);
        expect(parseGzipHeader(Buffer.concat([bytes, behind]))).toEqual({ header, length: bytes.length });
        expect(bytes.length).toBeLessThanOrEqual(maxGzipHeaderBytes);
      }),
    );
  });

  test("what is read is written as it was, or it is not read", () => {
    const start = fc.uint8Array({ minLength: 8, maxLength: 60 });
    fc.assert(
      fc.property(fc.nat(255), start, (set, rest) => {
        const bytes = Buffer.concat([Buffer.from([0x1f, 0x8b, 8, set]), rest]);
        const parsed = parseGzipHeader(bytes);
        if (parsed) expect(writeGzipHeader(parsed.header).equals(bytes.subarray(0, parsed.length))).toBe(true);
      }),
    );
  });

  test("every truncation is nothing", () => {
    fc.assert(
      fc.property(anyHeader, (header) => {
        const bytes = writeGzipHeader(header);
        for (let length = 0; length < bytes.length; length += 1)
          expect(parseGzipHeader(bytes.subarray(0, length))).toBeUndefined();
      }),
      { numRuns: 30 },
    );
  });

  test("reserved flags, another method, a wrong checksum and endless names are nothing", () => {
    const bytes = gzipSync("x");
    const changed = (at: number, to: number): Buffer => {
      const copy = Buffer.from(bytes);
      copy[at] = to;
      return copy;
    };
    expect(parseGzipHeader(bytes)?.length).toBe(10);
    for (const bad of [changed(0, 0), changed(1, 0), changed(2, 7), changed(3, 0x20), changed(3, 0x80), changed(3, 2)])
      expect(parseGzipHeader(bad)).toBeUndefined();
    const long = { mtime: 0, xfl: 0, os: 3, text: false, checksum: false, name: "n".repeat(4097) };
    expect(parseGzipHeader(writeGzipHeader(long))).toBeUndefined();
    expect(parseGzipHeader(writeGzipHeader({ ...long, name: "n".repeat(4096) }))).toBeDefined();
  });

  test("a header brings those encoders first that write such headers", () => {
    const of = (family: "zlib" | "gnu-gzip" | "go", level: number) => ({
      name: `${family} ${level}`,
      family,
      version: "",
      level,
    });
    const all = [of("zlib", 1), of("zlib", 6), of("zlib", 9), of("gnu-gzip", 6), of("go", 1), of("go", 6), of("go", 9)];
    const first = (header: Partial<GzipHeader>): string | undefined => {
      const whole = { mtime: 0, xfl: 0, os: 3, text: false, checksum: false, ...header };
      return all.toSorted((a, b) => headerDistance(whole, a) - headerDistance(whole, b))[0]?.name;
    };
    expect(first({})).toBe("zlib 6");
    expect(first({ xfl: 2 })).toBe("zlib 9");
    expect(first({ xfl: 4, os: 255 })).toBe("go 1");
    expect(first({ os: 255 })).toBe("go 6");
    expect(first({ name: "layer.tar", mtime: 1 })).toBe("gnu-gzip 6");
  });
});

describe("zstd frame headers", () => {
  test("of what libzstd writes", () => {
    for (const size of [0, 1, 255, 256, 65_791, 65_792, 3_000_000]) {
      const frame = zstdCompressSync(Buffer.alloc(size, "refoundry"));
      expect(parseZstdFrame(frame)).toMatchObject({ contentSize: size, checksum: false });
      expect(parseZstdFrame(frame.subarray(0, maxZstdHeaderBytes))).toEqual(parseZstdFrame(frame));
    }
    const windowed = zstdCompressSync(Buffer.alloc(100_000), {
      params: {
        [constants.ZSTD_c_windowLog]: 15,
        [constants.ZSTD_c_contentSizeFlag]: 0,
        [constants.ZSTD_c_checksumFlag]: 1,
      },
    });
    expect(parseZstdFrame(windowed)).toEqual({ windowLog: 15, checksum: true });
  });

  test.each([
    ["nothing", []],
    ["another magic number", [0x28, 0xb5, 0x2f, 0xfc, 0x00, 0x58]],
    ["a skippable frame", [0x50, 0x2a, 0x4d, 0x18, 0, 0, 0, 0]],
    ["a dictionary", [0x28, 0xb5, 0x2f, 0xfd, 0x01, 0x58, 1]],
    ["a reserved bit", [0x28, 0xb5, 0x2f, 0xfd, 0x08, 0x58]],
    ["an unused bit", [0x28, 0xb5, 0x2f, 0xfd, 0x10, 0x58]],
    ["a window that is no power of two", [0x28, 0xb5, 0x2f, 0xfd, 0x00, 0x59]],
    ["a window of 256 MiB", [0x28, 0xb5, 0x2f, 0xfd, 0x00, 0x90]],
    ["a size cut off", [0x28, 0xb5, 0x2f, 0xfd, 0xc0, 0x58, 1, 1, 1, 1, 1, 1, 1]],
    ["a size beyond all numbers", [0x28, 0xb5, 0x2f, 0xfd, 0xc0, 0x58, 0, 0, 0, 0, 0, 0, 0, 0x80]],
  ])("%s: nothing", (_, bytes) => {
    expect(parseZstdFrame(Buffer.from(bytes))).toBeUndefined();
  });

  test("any bytes", () => {
    fc.assert(
      fc.property(fc.uint8Array({ maxLength: 20 }), (rest) => {
        parseZstdFrame(Buffer.concat([Buffer.from([0x28, 0xb5, 0x2f, 0xfd]), rest]));
      }),
    );
  });
});
