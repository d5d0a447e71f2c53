import { infrastructureError } from "../../errors.ts";

/** Bytes taken from a stream of chunks in order, without copying more than needed. */
export interface ByteSource {
  /** Exactly `count` bytes; throws when the stream ends before. `what` is for the message. */
  take(count: number, what: string): Promise<Buffer>;
  /** Exactly `count` bytes, or nothing when the stream has ended; throws when it ends between. */
  takeOrEnd(count: number): Promise<Buffer | undefined>;
  /** The next `count` bytes in pieces. */
  stream(count: number, what: string): AsyncGenerator<Uint8Array>;
  /** Reads to the end of the stream. */
  drain(): Promise<void>;
  /** Lets go of the stream; what was not read stays unread. */
  close(): Promise<void>;
}

/** Makes a {@link ByteSource} of chunks. `name` is what they are, for messages. */
export function createByteSource(chunks: AsyncIterable<Uint8Array>, name = "the tar archive"): ByteSource {
  const iterator = chunks[Symbol.asyncIterator]();
  let rest: Uint8Array = new Uint8Array(0);

  async function fill(): Promise<boolean> {
    while (rest.length === 0) {
      const next = await iterator.next();
      if (next.done) return false;
      rest = next.value;
    }
    return true;
  }

  function cut(most: number): Uint8Array {
    const part = rest.subarray(0, most);
    rest = rest.subarray(part.length);
    return part;
  }

  async function* stream(count: number, what: string): AsyncGenerator<Uint8Array> {
    for (let left = count; left > 0; ) {
      if (!(await fill()))
        throw infrastructureError(`${name} is truncated: it ends within ${what}, ${left} bytes early`);
      const part = cut(left);
      left -= part.length;
      yield part;
    }
  }

  async function take(count: number, what: string): Promise<Buffer> {
    if (rest.length >= count) {
      const part = cut(count);
      return Buffer.from(part.buffer, part.byteOffset, part.length);
    }
    return Buffer.concat(await Array.fromAsync(stream(count, what)));
  }

  return {
    stream,
    take,
    takeOrEnd: async (count) => ((await fill()) ? take(count, "a header") : undefined),
    async drain() {
      rest = new Uint8Array(0);
      while (!(await iterator.next()).done);
    },
    close: async () => void (await iterator.return?.()),
  };
}
