import { createGunzip, createZstdDecompress } from "node:zlib";
import { infrastructureError, messageOf, RefoundryError } from "../../errors.ts";
import { decompressWith } from "../decompress-with.ts";
import { isZstdMagic, zstdFrames } from "../zstd.ts";

/** How a file is compressed, by its first bytes; the last two are known by name only. */
export type FileCompression = "none" | "gzip" | "zstd" | "xz" | "bzip2";

const xzMagic = Buffer.from([0xfd, 0x37, 0x7a, 0x58, 0x5a, 0x00]);
const chunkSize = 256 * 1024;

/** Bytes of a file's start that {@link compressionOf} looks at. */
export const magicBytes = 6;

/** What a file's first bytes say of its compression (RFC 1952, RFC 8878, the xz and bzip2 formats). */
export function compressionOf(start: Buffer): FileCompression {
  if (start[0] === 0x1f && start[1] === 0x8b) return "gzip";
  if (start.length >= 4 && isZstdMagic(start.readUInt32LE())) return "zstd";
  if (start.subarray(0, xzMagic.length).equals(xzMagic)) return "xz";
  return /^BZh[1-9]/.test(start.toString("latin1")) ? "bzip2" : "none";
}

/**
 * Decompresses a stream. Throws an infrastructure error when it is damaged or truncated,
 * and when it gives more than `maxBytes`. `name` is for messages.
 */
export async function* decompressed(
  chunks: AsyncIterable<Uint8Array>,
  compression: "gzip" | "zstd",
  bounds: { readonly maxBytes: number; readonly name: string },
): AsyncGenerator<Uint8Array> {
  const { maxBytes, name } = bounds;
  let size = 0;
  try {
    for await (const chunk of compression === "gzip"
      ? decompressWith(chunks, createGunzip({ chunkSize }))
      : frames(chunks)) {
      size += chunk.length;
      if (size > maxBytes)
        throw infrastructureError(`${name} expands to more than ${maxBytes} bytes; it is not read further`);
      yield chunk;
    }
  } catch (cause) {
    if (cause instanceof RefoundryError) throw cause;
    throw infrastructureError(`${name} cannot be decompressed with ${compression}: ${messageOf(cause)}`, { cause });
  }

  async function* frames(stream: AsyncIterable<Uint8Array>): AsyncGenerator<Uint8Array> {
    for await (const frame of zstdFrames(stream, name))
      yield* decompressWith(frame, createZstdDecompress({ chunkSize }));
  }
}
