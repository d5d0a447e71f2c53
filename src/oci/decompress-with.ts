import { Readable, type Transform } from "node:stream";

/**
 * What a decompressor of Node makes of a stream. The stream is read to its end, also where
 * the decompressor is content before: a digest counts to the end. Whoever stops reading,
 * or a stream that fails, takes both down. Throws what either throws.
 */
export async function* decompressWith(
  chunks: AsyncIterable<Uint8Array>,
  decompressor: Transform,
): AsyncGenerator<Uint8Array> {
  const source = Readable.from(chunks, { objectMode: false });
  try {
    // once the decompressor has ended nobody waits for its errors; the source's own come from the loop below
    decompressor.on("error", () => {});
    source.on("error", (error) => decompressor.destroy(error));
    source.pipe(decompressor);
    yield* decompressor as AsyncIterable<Uint8Array>;
    source.unpipe(decompressor);
    if (!source.readableEnded) for await (const _ of source);
  } finally {
    source.destroy();
    decompressor.destroy();
  }
}
