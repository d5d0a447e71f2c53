import { createHash } from "node:crypto";
import { gunzipSync } from "node:zlib";
import fc from "fast-check";
import { expect, test } from "vitest";
import { gzip } from "../../../src/normalise/gzip.ts";

async function compress(content: Uint8Array, cut: number): Promise<Buffer> {
  async function* chunks(): AsyncGenerator<Uint8Array> {
    for (let at = 0; at < content.length; at += cut) yield content.subarray(at, at + cut);
  }
  return Buffer.concat(await Array.fromAsync(gzip(chunks())));
}

test("what is compressed comes back, and the bytes do not depend on the chunks", async () => {
  await fc.assert(
    fc.asyncProperty(fc.uint8Array({ maxLength: 5000 }), fc.integer({ min: 1, max: 4000 }), async (content, cut) => {
      const compressed = await compress(content, cut);
      expect(gunzipSync(compressed).equals(content)).toBe(true);
      expect(compressed.equals(await compress(content, 977))).toBe(true);
    }),
    { numRuns: 100 },
  );
});

test("megabytes survive, too", async () => {
  const content = Buffer.from(Array.from({ length: 3_000_000 }, (_, i) => (i * i) >> (i % 13)));
  const compressed = await compress(content, 300_000);
  expect(gunzipSync(compressed).equals(content)).toBe(true);
  expect(compressed.length).toBeLessThan(content.length);
});

test("the encoder's bytes are what they were when digests were recorded", async () => {
  const text = Buffer.from("refoundry ".repeat(5000));
  const digest = createHash("sha256")
    .update(await compress(text, text.length))
    .digest("hex");
  expect(digest).toBe("ab2a23e3efb380dd6cda60c073cea5f7cb1a04cf6f154c41827571f1e47b8500");
});

test("the header carries neither time nor name", async () => {
  const header = (await compress(Buffer.from("x"), 1)).subarray(0, 10);
  expect([...header.subarray(0, 8)]).toEqual([0x1f, 0x8b, 8, 0, 0, 0, 0, 0]);
});
