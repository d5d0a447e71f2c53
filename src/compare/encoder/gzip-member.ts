import { crc32 } from "node:zlib";
import { infrastructureError } from "../../errors.ts";
import { type GzipHeader, parseGzipHeader, writeGzipHeader } from "./gzip-header.ts";

type Chunks = AsyncIterable<Uint8Array>;

/** One gzip member (RFC 1952): the header, what `deflate` makes of the content (RFC 1951), checksum and size. */
export async function* gzipMember(
  chunks: Chunks,
  header: GzipHeader,
  deflate: (content: Chunks) => Chunks,
): AsyncGenerator<Uint8Array> {
  let checksum = 0;
  let size = 0;
  async function* counted(): AsyncGenerator<Uint8Array> {
    for await (const chunk of chunks) {
      checksum = crc32(chunk, checksum);
      size = (size + chunk.length) % 2 ** 32;
      yield chunk;
    }
  }
  yield writeGzipHeader(header);
  yield* deflate(counted());
  const trailer = Buffer.alloc(8);
  trailer.writeUInt32LE(checksum);
  trailer.writeUInt32LE(size, 4);
  yield trailer;
}

/**
 * A gzip stream with another header. The one that it has must be of ten bytes, as
 * programs write it that are told to store neither name nor time; throws for another.
 * `name` is whose stream it is, for messages.
 */
export async function* replaceHeader(chunks: Chunks, header: GzipHeader, name: string): AsyncGenerator<Uint8Array> {
  let start: Buffer | undefined = Buffer.alloc(0);
  for await (const chunk of chunks) {
    if (start === undefined) {
      yield chunk;
      continue;
    }
    start = Buffer.concat([start, chunk]);
    if (start.length < 10) continue;
    if (parseGzipHeader(start)?.length !== 10) break;
    yield writeGzipHeader(header);
    yield start.subarray(10);
    start = undefined;
  }
  if (start !== undefined) throw infrastructureError(`${name} did not write a plain gzip header`);
}
