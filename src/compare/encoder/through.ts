import { Readable, type Transform } from "node:stream";

/**
 * What a transform of node:zlib makes of a stream. A failure of the stream itself is
 * thrown as it was; anything else that is thrown is the transform's.
 */
export async function* through(chunks: AsyncIterable<Uint8Array>, transform: Transform): AsyncGenerator<Uint8Array> {
  let failure: { readonly error: unknown } | undefined;
  async function* watched(): AsyncGenerator<Uint8Array> {
    try {
      yield* chunks;
    } catch (error) {
      failure = { error };
      throw error;
    }
  }
  const source = Readable.from(watched(), { objectMode: false });
  try {
    // a decompressor that has ended takes no more, and nobody waits for its errors then
    transform.on("error", () => {});
    source.on("error", (error) => transform.destroy(error));
    source.pipe(transform);
    yield* transform as AsyncIterable<Uint8Array>;
  } catch (error) {
    throw failure ? failure.error : error;
  } finally {
    source.destroy();
    transform.destroy();
  }
}

/** Whether it was node:zlib that failed: damaged content, or another size than was told. */
export function isZlibError(error: unknown): boolean {
  return error instanceof Error && "code" in error && typeof error.code === "string" && /^(Z|ZSTD)_/.test(error.code);
}
