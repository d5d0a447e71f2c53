import { expect, test } from "vitest";
import { bunzip2 } from "../../../src/debian/bunzip2.ts";

/** Written by bzip2 1.0.8. */
const written = {
  hello: "QlpoOTFBWSZTWW9PEPMAAAXRAAAQQAACRKAAMMACqDRxDa2HDxdyRThQkG9PEPM=",
  nothing: "QlpoORdyRThQkAAAAAA=",
  // a million equal bytes: more than a block holds before its runs are shortened
  zeros: "QlpoOTFBWSZTWXnTnkgAB6jAQMAAAAIACCAAMMwJqmmVJDapSQ8XckU4UJB5055I",
  // the end of the numbers from 1 to 20000, at the smallest block size
  numbers:
    "QlpoMTFBWSZTWfgPb1gAAFbIAEAAf+BQBFzqAShAHgEA000EA000Feqo/3qqg//1VUGam/9VU0P/SqBU1VR+1UB63rnv9bwO++/Pvz9aqqqqqqqqqqqAAAAAAAAAAAAAA7u7u7u4AAANVVVqqqqqqAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAACqqqsMAbbbVVVVVVVVVVVQAAAAAHd3d3cAAAAAAHcAAAAAABVVVVVVVVVVVVVAAAAAAAFVVVVVVVVVVVVUAAHQc50HOdDtvd3dt7u7tvVVve7u4AAAAAANVW3qq29VW3qq29VW3qq29VW3qq29VW3qq3vd3cAAAAAAGqrb1Vbeqrb1Vbeqrb1Vbeqrb1Vbeqrb1Vb3u7uAAAAAADVVt6qtvVVt6qtvVVt6qtvVVt6qve1Vbeqre93dwAAAAAAeqvbPe972z3ve9s973vZ+UymUymUyh3d3cplMplMplMplMplDu7u5TKZTKZTKZTKZTKHd3dymUymUymUymUKUyh3d3nTKZTKZTKZQpn+LuSKcKEh8B7esA==",
};

async function decompressed(...data: readonly Uint8Array[]): Promise<Buffer> {
  async function* parts(): AsyncGenerator<Uint8Array> {
    yield* data;
  }
  return Buffer.concat(await Array.fromAsync(bunzip2(parts())));
}

const bytesOf = (name: keyof typeof written): Buffer => Buffer.from(written[name], "base64");

test("what bzip2 wrote comes out as it was", async () => {
  expect((await decompressed(bytesOf("hello"))).toString()).toBe("hello hello hello hello\n");
  expect(await decompressed(bytesOf("nothing"))).toHaveLength(0);
  expect((await decompressed(bytesOf("zeros"))).equals(Buffer.alloc(1_000_000))).toBe(true);
  const numbers = Array.from({ length: 20_000 }, (_, index) => index + 1).join("");
  expect((await decompressed(bytesOf("numbers"))).toString()).toBe(numbers.slice(-2200));
});

test("streams after another are one, in parts of any size", async () => {
  const both = Buffer.concat([bytesOf("hello"), bytesOf("hello")]);
  expect((await decompressed(both.subarray(0, 7), both.subarray(7))).toString()).toBe(
    "hello hello hello hello\n".repeat(2),
  );
});

test("damage anywhere is noticed", async () => {
  const whole = bytesOf("hello");
  for (let at = 0; at < whole.length; at += 1) {
    const other = Buffer.from(whole);
    other[at] = (other[at] ?? 0) ^ 0x10;
    // a bit of padding at the end says nothing
    if (at === whole.length - 1) continue;
    await expect(decompressed(other), `byte ${at}`).rejects.toThrow("bzip2 data are damaged");
    await expect(decompressed(whole.subarray(0, at)), `cut at ${at}`).rejects.toThrow("bzip2 data are damaged");
  }
});
