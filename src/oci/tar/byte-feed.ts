import { infrastructureError } from "../../errors.ts";

/**
 * A walk over bytes that arrive in chunks: it yields nothing (`undefined`) when it needs
 * the next chunk, and goes on when it has been fed. Without a promise for each step, a
 * walk costs what its bytes cost.
 */
export type Fed<T> = Generator<undefined, T, void>;

/** Bytes given in chunks and taken in order, without copying more than needed. */
export interface ByteFeed {
  /** Gives the next chunk; only when everything before it was taken. */
  push(chunk: Uint8Array): void;
  /** Says that no more comes. */
  end(): void;
  /** Bytes taken until now. */
  position(): number;
  /** Exactly `count` bytes; throws when the bytes end before. `what` is for the message. */
  take(count: number, what: string): Fed<Buffer>;
  /** Exactly `count` bytes, or nothing when the bytes have ended; throws when they end between. */
  takeOrEnd(count: number): Fed<Buffer | undefined>;
  /** What is there at once of the next `most` bytes, at least one; throws when the bytes have ended. */
  takeSome(most: number, what: string): Fed<Uint8Array>;
  /** Takes everything to the end. */
  drain(): Fed<void>;
}

/** Makes a {@link ByteFeed}. `name` is what the bytes are, for messages. */
export function createByteFeed(name = "the tar archive"): ByteFeed {
  let rest: Uint8Array = new Uint8Array(0);
  let ended = false;
  let taken = 0;

  function cut(most: number): Uint8Array {
    const part = rest.subarray(0, most);
    rest = rest.subarray(part.length);
    taken += part.length;
    return part;
  }

  function* fill(): Fed<boolean> {
    while (rest.length === 0) {
      if (ended) return false;
      yield undefined;
    }
    return true;
  }

  function* takeSome(most: number, what: string): Fed<Uint8Array> {
    if (rest.length === 0 && !(yield* fill()))
      throw infrastructureError(`${name} is truncated: it ends within ${what}, ${most} bytes early`);
    return cut(most);
  }

  function* take(count: number, what: string): Fed<Buffer> {
    if (rest.length >= count) {
      const part = cut(count);
      return Buffer.from(part.buffer, part.byteOffset, part.length);
    }
    const parts: Uint8Array[] = [];
    for (let left = count; left > 0; ) {
      const part = yield* takeSome(left, what);
      left -= part.length;
      // the chunk that the part is of may be gone by the time that the next comes
      parts.push(Buffer.from(part));
    }
    return Buffer.concat(parts);
  }

  return {
    push(chunk) {
      rest = chunk;
    },
    end() {
      ended = true;
    },
    position: () => taken,
    take,
    *takeOrEnd(count) {
      return (yield* fill()) ? yield* take(count, "a header") : undefined;
    },
    takeSome,
    *drain() {
      for (;;) {
        taken += rest.length;
        rest = new Uint8Array(0);
        if (!(yield* fill())) return;
      }
    },
  };
}
