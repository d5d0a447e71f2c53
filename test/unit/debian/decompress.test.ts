import { execFileSync } from "node:child_process";
import { gzipSync, zstdCompressSync } from "node:zlib";
import { afterAll, beforeAll, describe, expect, test } from "vitest";
import { decompress } from "../../../src/debian/decompress.ts";

const content = Buffer.alloc(3_000_000, "sources of long ago\n");
const members: Readonly<Record<string, () => Buffer>> = {
  "data.tar": () => content,
  "data.tar.gz": () => gzipSync(content),
  "data.tar.zst": () => zstdCompressSync(content),
  "data.tar.xz": () => execFileSync("xz", ["--stdout"], { input: content }),
};
const unhandled: unknown[] = [];
const note = (error: unknown): void => void unhandled.push(error);

beforeAll(() => void process.on("unhandledRejection", note).on("uncaughtExceptionMonitor", note));
afterAll(() => void process.off("unhandledRejection", note).off("uncaughtExceptionMonitor", note));

describe.each(Object.entries(members))("%s", (name, compress) => {
  test("gives what was compressed", async () => {
    const parts: Uint8Array[] = [];
    for await (const chunk of decompress(name, chunked(compress()))) parts.push(chunk);
    expect(Buffer.concat(parts).equals(content)).toBe(true);
  });

  test("a stream that fails half-way fails the reader, and nobody else", async () => {
    async function* failing(): AsyncGenerator<Uint8Array> {
      yield compress().subarray(0, 20);
      throw new Error("the connection is gone");
    }
    await expect(readAll(decompress(name, failing()))).rejects.toThrow("the connection is gone");
    await quiet();
  });

  test("who stops reading half-way leaves nothing open", async () => {
    let closed = false;
    async function* watched(): AsyncGenerator<Uint8Array> {
      try {
        yield* chunked(compress());
      } finally {
        closed = true;
      }
    }
    for await (const _ of decompress(name, watched())) break;
    await quiet();
    expect(closed).toBe(true);
  });
});

async function quiet(): Promise<void> {
  await new Promise((resolve) => setTimeout(resolve, 20));
  expect(unhandled).toEqual([]);
}

async function readAll(chunks: AsyncIterable<Uint8Array>): Promise<void> {
  for await (const _ of chunks);
}

async function* chunked(bytes: Buffer): AsyncGenerator<Uint8Array> {
  for (let at = 0; at < bytes.length; at += 1000) yield bytes.subarray(at, at + 1000);
}
