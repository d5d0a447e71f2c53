import { createGunzip, createZstdDecompress } from "node:zlib";
import { infrastructureError, interrupted, messageOf, RefoundryError } from "../errors.ts";
import { decompressWith } from "./decompress-with.ts";
import { createDigester, type Digest } from "./digest.ts";
import { type ContentReader, type Descriptor, mediaTypes } from "./types.ts";
import { isZstdMagic, zstdFrames } from "./zstd.ts";

/** A layer's uncompressed tar, and its diffID once that was read to the end. */
export interface OpenLayer {
  readonly chunks: AsyncIterable<Uint8Array>;
  /** sha256 of the uncompressed bytes; call after the end. */
  diffId(): Digest;
}

/** What a layer may expand to. */
export interface ExpansionLimits {
  readonly maxBytes: number;
  /** Uncompressed to compressed, for gzip: deflate cannot do more than 1032 to 1, zstd can. */
  readonly maxRatio: number;
}

const defaultLimits: ExpansionLimits = { maxBytes: 64 * 1024 ** 3, maxRatio: 1100 };
const alwaysAllowedBytes = 64 * 1024 ** 2;

const gzipChunkSize = 1024 * 1024;
// one decompressor for each frame, and frames are often small
const zstdChunkSize = 128 * 1024;

type Compression = "none" | "gzip" | "zstd";

const compressions: ReadonlyMap<string, Compression> = new Map([
  [mediaTypes.layer, "none"],
  [mediaTypes.layerGzip, "gzip"],
  [mediaTypes.layerZstd, "zstd"],
  [mediaTypes.dockerLayer, "none"],
  [mediaTypes.dockerLayerGzip, "gzip"],
  ["application/vnd.docker.image.rootfs.diff.tar.zstd", "zstd"],
]);

/**
 * Gives a chunk's memory back at once instead of at some garbage collection: what a large
 * layer expands to would else make the collector run, over everything that is held, every few
 * megabytes. Only for a chunk that came from {@link openLayer} and that nobody looks at again.
 */
export function releaseChunk({ buffer, byteOffset, byteLength }: Uint8Array): void {
  // a decompressor cuts several chunks from one buffer: the last of them ends where the buffer ends
  const isLast = byteOffset + byteLength === buffer.byteLength;
  if (isLast && buffer.byteLength === gzipChunkSize && buffer instanceof ArrayBuffer) buffer.transfer(0);
}

/**
 * Opens a layer for reading as a tar stream. The blob's digest is checked to its last
 * byte, and what it expands to is bounded. Throws for media types that are no layer,
 * damaged compression, and content that is not what its media type says.
 */
export function openLayer(
  reader: ContentReader,
  layer: Descriptor,
  signal?: AbortSignal,
  limits: ExpansionLimits = defaultLimits,
): OpenLayer {
  const compression = compressions.get(layer.mediaType);
  if (!compression)
    throw infrastructureError(
      `${reader.name}: ${layer.digest} is ${layer.mediaType}, which is no layer that can be read`,
    );
  const digester = createDigester();
  async function* chunks(blob: AsyncIterable<Uint8Array>): AsyncGenerator<Uint8Array> {
    try {
      for await (const chunk of blob) {
        digester.update(chunk);
        const size = digester.size();
        const isBomb = compression === "gzip" && size > alwaysAllowedBytes && size > layer.size * limits.maxRatio;
        if (size > limits.maxBytes || isBomb) {
          throw infrastructureError(
            `${reader.name}: the layer ${layer.digest} expands to more than ${size} bytes from ${layer.size}; it is not read further`,
          );
        }
        yield chunk;
      }
    } catch (cause) {
      if (cause instanceof RefoundryError) throw cause;
      if (signal?.aborted) throw interrupted();
      throw infrastructureError(
        `${reader.name}: the layer ${layer.digest} cannot be decompressed: ${messageOf(cause)}`,
        { cause },
      );
    }
  }
  const blob = reader.openBlob(layer, signal);
  return { chunks: chunks(expand(blob, compression, layer)), diffId: () => digester.digest() };
}

async function* expand(
  blob: AsyncIterable<Uint8Array>,
  compression: Compression,
  layer: Descriptor,
): AsyncGenerator<Uint8Array> {
  const checked = startingAsSaid(blob, compression, layer);
  if (compression === "none") yield* checked;
  else if (compression === "gzip") yield* decompressWith(checked, createGunzip({ chunkSize: gzipChunkSize }));
  else
    for await (const frame of zstdFrames(checked, `the layer ${layer.digest}`))
      yield* decompressWith(frame, createZstdDecompress({ chunkSize: zstdChunkSize }));
}

/** Refuses content whose first bytes are of another compression than its media type says. */
async function* startingAsSaid(
  blob: AsyncIterable<Uint8Array>,
  compression: Compression,
  layer: Descriptor,
): AsyncGenerator<Uint8Array> {
  let start: Buffer | undefined = Buffer.alloc(0);
  for await (const chunk of blob) {
    if (start) {
      start = Buffer.concat([start, chunk.subarray(0, 4)]).subarray(0, 4);
      if (start.length === 4) {
        const found = compressionOf(start);
        if (found !== compression)
          throw infrastructureError(
            `the layer ${layer.digest} is said to be ${layer.mediaType}, and is ${found === "none" ? `not compressed with ${compression}` : `compressed with ${found}`}`,
          );
        start = undefined;
      }
    }
    yield chunk;
  }
}

function compressionOf(start: Buffer): Compression {
  if (start[0] === 0x1f && start[1] === 0x8b) return "gzip";
  return start.length === 4 && isZstdMagic(start.readUInt32LE()) ? "zstd" : "none";
}
