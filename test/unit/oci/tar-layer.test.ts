import { writeFile } from "node:fs/promises";
import { gzipSync, zstdCompressSync } from "node:zlib";
import fc from "fast-check";
import { describe, expect, test } from "vitest";
import { digestOf } from "../../../src/oci/digest.ts";
import { openLayer } from "../../../src/oci/layer.ts";
import type { OciLayout } from "../../../src/oci/layout.ts";
import { type ContentReader, type Descriptor, mediaTypes } from "../../../src/oci/types.ts";
import { testLayout } from "../../support/images.ts";

async function unpack(reader: ContentReader, layer: Descriptor, signal?: AbortSignal): Promise<Buffer> {
  const open = openLayer(reader, layer, signal);
  const bytes = Buffer.concat(await Array.fromAsync(open.chunks));
  expect(open.diffId()).toBe(digestOf(bytes));
  return bytes;
}

async function unpackBytes(bytes: Uint8Array, mediaType: string): Promise<Buffer> {
  const layout = await testLayout();
  return unpack(layout, await layout.writeBytes(bytes, mediaType));
}

function skippableFrame(content: string): Buffer {
  const header = Buffer.alloc(8);
  header.writeUInt32LE(0x184d2a53);
  header.writeUInt32LE(content.length, 4);
  return Buffer.concat([header, Buffer.from(content)]);
}

describe("layers of several parts", () => {
  test("zstd frames of any kind and number, skippable ones between them, however the blob is cut", async () => {
    const layout = await testLayout();
    const content = fc.oneof(
      fc.uint8Array({ maxLength: 3000 }),
      fc.nat({ max: 300_000 }).map((length) => Buffer.alloc(length, "run")),
    );
    const part = fc.oneof(
      content.map((bytes) => ({ bytes: Buffer.from(bytes), frame: zstdCompressSync(bytes) })),
      fc
        .string({ unit: "grapheme-ascii", maxLength: 30 })
        .map((text) => ({ bytes: Buffer.alloc(0), frame: skippableFrame(text) })),
    );
    await fc.assert(
      fc.asyncProperty(
        fc.array(part, { minLength: 1, maxLength: 5 }),
        fc.integer({ min: 1, max: 5000 }),
        async (parts, size) => {
          const blob = Buffer.concat(parts.map(({ frame }) => frame));
          const reader = inPieces(layout, size);
          const layer = await layout.writeBytes(blob, mediaTypes.layerZstd);
          expect(digestOf(await unpack(reader, layer))).toBe(digestOf(Buffer.concat(parts.map(({ bytes }) => bytes))));
        },
      ),
      { numRuns: 60 },
    );
  }, 30_000);

  test("gzip members", async () => {
    const members = [gzipSync("one "), gzipSync(""), gzipSync("two")];
    expect((await unpackBytes(Buffer.concat(members), mediaTypes.layerGzip)).toString()).toBe("one two");
  });

  test("a zstd stream that is cut off, or followed by something else", async () => {
    const frame = zstdCompressSync(Buffer.alloc(5000, "x"));
    await expect(unpackBytes(frame.subarray(0, -2), mediaTypes.layerZstd)).rejects.toThrow(/truncated/);
    await expect(unpackBytes(Buffer.concat([frame, frame.subarray(0, 9)]), mediaTypes.layerZstd)).rejects.toThrow(
      /truncated/,
    );
    await expect(unpackBytes(Buffer.concat([frame, Buffer.from("junk")]), mediaTypes.layerZstd)).rejects.toThrow(
      /no zstd frame/,
    );
  });
});

/** The layout's blobs, cut into pieces of a size. */
function inPieces(layout: OciLayout, size: number): ContentReader {
  return {
    ...layout,
    async *openBlob(descriptor, signal) {
      for await (const chunk of layout.openBlob(descriptor, signal))
        for (let at = 0; at < chunk.length; at += size) yield chunk.subarray(at, at + size);
    },
  };
}

test.each([
  [mediaTypes.layerGzip, gzipSync],
  [mediaTypes.layerZstd, zstdCompressSync],
  [mediaTypes.layer, (bytes: Buffer) => bytes],
])("damage to a layer of type %s is always noticed", async (mediaType, compress) => {
  const layout = await testLayout();
  const good = Buffer.from(compress(Buffer.alloc(20_000, "some content ")));
  const layer = await layout.writeBytes(good, mediaType);
  await fc.assert(
    fc.asyncProperty(fc.nat({ max: good.length - 1 }), fc.integer({ min: 1, max: 255 }), async (at, change) => {
      const bad = Buffer.from(good);
      bad[at] = (bad[at] ?? 0) ^ change;
      await writeFile(layout.blobPath(layer.digest), bad);
      await expect(unpack(layout, layer)).rejects.toMatchObject({ kind: "infrastructure" });
    }),
    { numRuns: 60 },
  );
});

test("the blob's digest counts to its last byte, far behind what the decompressor wants", async () => {
  const layout = await testLayout();
  const blob = Buffer.concat([gzipSync("content"), Buffer.alloc(4_000_000)]);
  const layer = await layout.writeBytes(blob, mediaTypes.layerGzip);
  expect((await unpack(layout, layer)).toString()).toBe("content");
  blob[3_999_999] = 1;
  await writeFile(layout.blobPath(layer.digest), blob);
  await expect(unpack(layout, layer)).rejects.toThrow(/content was changed or damaged/);
});

test("a compression that the media type does not say", async () => {
  const tar = Buffer.alloc(1024);
  await expect(unpackBytes(gzipSync(tar), mediaTypes.layer)).rejects.toThrow(/is compressed with gzip/);
  await expect(unpackBytes(zstdCompressSync(tar), mediaTypes.layer)).rejects.toThrow(/is compressed with zstd/);
  await expect(unpackBytes(gzipSync(tar), mediaTypes.layerZstd)).rejects.toThrow(/is compressed with gzip/);
  await expect(unpackBytes(tar, mediaTypes.layerZstd)).rejects.toThrow(/not compressed with zstd/);
});

test("an interruption is one, and no damage", async () => {
  const layout = await testLayout();
  const layer = await layout.writeBytes(gzipSync(Buffer.alloc(1000)), mediaTypes.layerGzip);
  await expect(unpack(layout, layer, AbortSignal.abort())).rejects.toMatchObject({ kind: "interrupted" });
});
