import { Readable } from "node:stream";

/** Content to send, made afresh for each attempt. */
export interface Source {
  /** The content without its first bytes, which are read and checked all the same. */
  from(offset: number): Readable;
  /** What sending it gives; where the content itself failed, that failure and not what became of sending it. */
  blamed<T>(sending: Promise<T>): Promise<T>;
}

/** A source of the bytes that `open` gives. */
export function createSource(open: () => AsyncIterable<Uint8Array>): Source {
  // our own content's failure must not be hidden by what the registry says of half a body
  const failed: { cause?: unknown } = {};
  async function* read(offset: number): AsyncGenerator<Uint8Array> {
    let toSkip = offset;
    try {
      for await (const chunk of open()) {
        const rest = chunk.subarray(Math.min(toSkip, chunk.length));
        toSkip -= chunk.length - rest.length;
        if (rest.length > 0) yield rest;
      }
    } catch (error) {
      failed.cause = error;
      throw error;
    }
  }
  return {
    from: (offset) => Readable.from(read(offset), { highWaterMark: 2 }),
    async blamed(sending) {
      try {
        return await sending;
      } catch (error) {
        throw failed.cause ?? error;
      }
    },
  };
}
