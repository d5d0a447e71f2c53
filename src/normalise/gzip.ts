import { setImmediate } from "node:timers/promises";
import { Deflate } from "pako";

/**
 * The one gzip encoder of what we publish: zlib's algorithm in JavaScript, level 6. Its
 * bytes depend on neither the machine's processor nor the version of Node, as those of
 * node:zlib do. The name is part of every build key.
 */
export const gzipEncoder = "pako 3.0.3 level 6";

/** Compresses a stream as one gzip member (RFC 1952) with no name and no time. */
export async function* gzip(chunks: AsyncIterable<Uint8Array>): AsyncGenerator<Uint8Array> {
  const ready: Uint8Array[] = [];
  const deflate = new Deflate({ gzip: true, level: 6, chunkSize: 256 * 1024 });
  deflate.onData = (chunk: Uint8Array) => void ready.push(Uint8Array.from(chunk));
  for await (const chunk of chunks) {
    for (let at = 0; at < chunk.length; at += pieceBytes) {
      deflate.push(chunk.subarray(at, at + pieceBytes), false);
      yield* ready.splice(0);
      // compressing is work for this thread: let signals and progress through
      await setImmediate();
    }
  }
  deflate.push(new Uint8Array(0), true);
  yield* ready.splice(0);
}

const pieceBytes = 512 * 1024;
