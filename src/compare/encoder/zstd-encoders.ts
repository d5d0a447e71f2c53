import { constants, createZstdCompress, type ZstdOptions } from "node:zlib";
import type { EncoderIdentity } from "./types.ts";
import type { ZstdFrame } from "./zstd-frame.ts";

type Chunks = AsyncIterable<Uint8Array>;

/** An encoder of one zstd frame with the window, size and checksum of another. */
export interface ZstdEncoder extends EncoderIdentity {
  encode(chunks: AsyncIterable<Uint8Array>, frame: ZstdFrame): AsyncIterable<Uint8Array>;
}

// the default first; 20 and more need to be asked for, and much memory
const levels = [3, 1, 2, 4, 5, 6, 7, 8, 9, 10, 11, 12, 13, 14, 15, 16, 17, 18, 19];

/**
 * libzstd at levels 1 to 19, as it is in Node, compressing in the caller's own thread. Its
 * worker threads, which make other bytes, are left out: Node's stream ends early when they
 * take less input than it offers.
 */
export const zstdEncoders: readonly ZstdEncoder[] = levels.map((level) => ({
  name: `zstd level ${level}`,
  family: "zstd",
  version: process.versions.zstd ?? "unknown",
  level,
  encode: (chunks, frame) => compressFrame(chunks, optionsFor(level, frame)),
}));

function optionsFor(level: number, { windowLog, contentSize, checksum }: ZstdFrame): ZstdOptions {
  return {
    params: {
      [constants.ZSTD_c_compressionLevel]: level,
      [constants.ZSTD_c_checksumFlag]: Number(checksum),
      [constants.ZSTD_c_contentSizeFlag]: Number(contentSize !== undefined),
      ...(windowLog !== undefined && { [constants.ZSTD_c_windowLog]: windowLog }),
    },
    ...(contentSize !== undefined && { pledgedSrcSize: contentSize }),
  };
}

/**
 * One frame. Each chunk is taken before the next is given, and the end is told apart: a
 * chunk that waits together with the end would get a second, empty frame from Node. So
 * content of whole blocks (128 KiB) ends in an empty block, as where the size is unknown.
 */
async function* compressFrame(chunks: Chunks, options: ZstdOptions): AsyncGenerator<Uint8Array> {
  const compressor = createZstdCompress(options);
  const written = (piece: Uint8Array): Promise<void> =>
    new Promise((resolve, reject) => {
      compressor.write(piece, (error) => (error ? reject(error) : resolve()));
    });
  async function feed(): Promise<void> {
    for await (const chunk of chunks) await written(chunk);
    compressor.end();
  }
  let failure: { readonly error: unknown } | undefined;
  const fed = feed().catch((error: unknown) => {
    failure ??= { error };
    compressor.destroy();
  });
  try {
    yield* compressor as AsyncIterable<Uint8Array>;
  } catch (error) {
    throw failure ? failure.error : error;
  } finally {
    compressor.destroy();
    await fed;
  }
}
