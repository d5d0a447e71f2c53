import { setImmediate } from "node:timers/promises";
import { createDeflateRaw } from "node:zlib";
import { Deflate } from "pako";
import { interrupted } from "../../errors.ts";
import { gzipMember } from "./gzip-member.ts";
import { through } from "./through.ts";
import type { GzipEncoder } from "./types.ts";

type Chunks = AsyncIterable<Uint8Array>;

// level 0 is left out: what it gives depends on the sizes of the buffers
const levels = [1, 2, 3, 4, 5, 6, 7, 8, 9] as const;
type Level = (typeof levels)[number];

const pieceBytes = 128 * 1024;

/**
 * zlib's own deflate, levels 1 to 9 (memLevel 8, a window of 32 KiB, the default
 * strategy), as Python, Perl, libarchive and most C programs use it.
 */
const plainEncoders: readonly GzipEncoder[] = levels.map((level) => ({
  name: `zlib level ${level}`,
  family: "zlib",
  version: "zlib",
  level,
  encode: (chunks, header, signal) => gzipMember(chunks, header, (content) => deflateByPako(content, level, signal)),
}));

/** Chromium's fork of zlib, which hashes otherwise and so finds other matches; Node has it, and pako by default. */
const chromiumEncoders: readonly GzipEncoder[] = levels.map((level) => ({
  name: `zlib (Chromium's) level ${level}`,
  family: "zlib",
  version: "chromium",
  level,
  encode: (chunks, header) =>
    gzipMember(chunks, header, (content) => through(content, createDeflateRaw({ level, memLevel: 8, windowBits: 15 }))),
}));

/** The encoders that need no other program. */
export const zlibEncoders: readonly GzipEncoder[] = [...plainEncoders, ...chromiumEncoders];

async function* deflateByPako(chunks: Chunks, level: Level, signal?: AbortSignal): AsyncGenerator<Uint8Array> {
  const ready: Uint8Array[] = [];
  const deflate = new Deflate({ raw: true, level, memLevel: 8, legacyHash: true, chunkSize: 64 * 1024 });
  // pako writes into the same buffer again
  deflate.onData = (chunk: Uint8Array) => void ready.push(Uint8Array.from(chunk));
  for await (const chunk of chunks) {
    for (let at = 0; at < chunk.length; at += pieceBytes) {
      if (signal?.aborted) throw interrupted();
      deflate.push(chunk.subarray(at, at + pieceBytes), false);
      yield* ready.splice(0);
      // compressing is work for this thread: let signals and progress through
      await setImmediate();
    }
  }
  deflate.push(new Uint8Array(0), true);
  yield* ready.splice(0);
}
