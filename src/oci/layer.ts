import { Readable } from "node:stream";
import { createGunzip, createZstdDecompress } from "node:zlib";
import { infrastructureError, messageOf, RefoundryError } from "../errors.ts";
import { createDigester, type Digest } from "./digest.ts";
import { type ContentReader, type Descriptor, mediaTypes } from "./types.ts";

/** A layer's uncompressed tar, and its diffID once that was read to the end. */
export interface OpenLayer {
  readonly chunks: AsyncIterable<Uint8Array>;
  /** sha256 of the uncompressed bytes; call after the end. */
  diffId(): Digest;
}

/** What a layer may expand to. */
export interface ExpansionLimits {
  readonly maxBytes: number;
  /** Uncompressed to compressed; deflate cannot do more than 1032 to 1. */
  readonly maxRatio: number;
}

const defaultLimits: ExpansionLimits = { maxBytes: 64 * 1024 ** 3, maxRatio: 1100 };
const alwaysAllowedBytes = 64 * 1024 ** 2;

const compressions: Readonly<Record<string, "none" | "gzip" | "zstd">> = {
  [mediaTypes.layer]: "none",
  [mediaTypes.layerGzip]: "gzip",
  [mediaTypes.layerZstd]: "zstd",
  [mediaTypes.dockerLayer]: "none",
  [mediaTypes.dockerLayerGzip]: "gzip",
  "application/vnd.docker.image.rootfs.diff.tar.zstd": "zstd",
};

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
  const compression = compressions[layer.mediaType];
  if (compression === undefined)
    throw infrastructureError(
      `${reader.name}: ${layer.digest} is ${layer.mediaType}, which is no layer that can be read`,
    );
  const digester = createDigester();
  async function* chunks(): AsyncGenerator<Uint8Array> {
    const blob = reader.openBlob(layer, signal);
    try {
      for await (const chunk of expand(blob, compression ?? "none", layer)) {
        digester.update(chunk);
        const size = digester.size();
        if (size > limits.maxBytes || (size > alwaysAllowedBytes && size > layer.size * limits.maxRatio)) {
          throw infrastructureError(
            `${reader.name}: the layer ${layer.digest} expands to more than ${size} bytes from ${layer.size}; it is not read further`,
          );
        }
        yield chunk;
      }
    } catch (cause) {
      if (cause instanceof RefoundryError) throw cause;
      throw infrastructureError(
        `${reader.name}: the layer ${layer.digest} cannot be decompressed: ${messageOf(cause)}`,
        { cause },
      );
    }
  }
  return { chunks: chunks(), diffId: () => digester.digest() };
}

async function* expand(
  blob: AsyncIterable<Uint8Array>,
  compression: "none" | "gzip" | "zstd",
  layer: Descriptor,
): AsyncGenerator<Uint8Array> {
  if (compression === "none") {
    yield* blob;
    return;
  }
  const decompressor =
    compression === "gzip"
      ? createGunzip({ chunkSize: 1024 * 1024 })
      : createZstdDecompress({ chunkSize: 1024 * 1024 });
  const source = Readable.from(startingWithMagic(blob, compression, layer), { objectMode: false });
  source.on("error", (error) => decompressor.destroy(error));
  source.pipe(decompressor);
  yield* decompressor as AsyncIterable<Uint8Array>;
  // a decompressor may end before its input does: the blob's digest counts to the end
  if (!source.readableEnded) for await (const _ of source);
}

const magics = { gzip: [0x1f, 0x8b], zstd: [0x28, 0xb5, 0x2f, 0xfd] } as const;

async function* startingWithMagic(
  blob: AsyncIterable<Uint8Array>,
  compression: "gzip" | "zstd",
  layer: Descriptor,
): AsyncGenerator<Uint8Array> {
  let seen = false;
  for await (const chunk of blob) {
    if (!seen && chunk.length > 0) {
      seen = true;
      if (!magics[compression].slice(0, chunk.length).every((byte, at) => chunk[at] === byte)) {
        throw infrastructureError(
          `the layer ${layer.digest} is said to be ${layer.mediaType}, and is not compressed with ${compression}`,
        );
      }
    }
    yield chunk;
  }
}
