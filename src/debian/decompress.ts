import { Readable } from "node:stream";
import { createGunzip, createZstdDecompress } from "node:zlib";
import xz from "xz-decompress";
import { usageError } from "../errors.ts";
import { decompressWith } from "../oci/decompress-with.ts";
import { bunzip2 } from "./bunzip2.ts";

const chunkSize = 1024 * 1024;

/**
 * Decompresses a member of a Debian package by the end of its name: `.gz`, `.bz2`,
 * `.xz`, `.zst`, or none. Throws a usage error that names any other compression.
 */
export async function* decompress(name: string, chunks: AsyncIterable<Uint8Array>): AsyncGenerator<Uint8Array> {
  if (name.endsWith(".tar")) yield* chunks;
  else if (name.endsWith(".gz")) yield* decompressWith(chunks, createGunzip({ chunkSize }));
  else if (name.endsWith(".zst")) yield* decompressWith(chunks, createZstdDecompress({ chunkSize }));
  else if (name.endsWith(".bz2")) yield* bunzip2(chunks);
  else if (name.endsWith(".xz")) yield* readXz(chunks);
  else throw usageError(`${name} is compressed in a way that is not supported; gzip, bzip2, xz and zstd are`);
}

async function* readXz(chunks: AsyncIterable<Uint8Array>): AsyncGenerator<Uint8Array> {
  const compressed = Readable.toWeb(Readable.from(chunks));
  const reader = new xz.XzReadableStream(compressed as unknown as ReadableStream<Uint8Array>).getReader();
  try {
    for (let part = await reader.read(); !part.done; part = await reader.read()) yield part.value;
  } finally {
    // who stops half-way leaves the source to nobody
    await reader.cancel().catch(() => {});
  }
}
