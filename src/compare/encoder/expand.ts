import { RefoundryError } from "../../errors.ts";
import { isZlibError } from "./through.ts";
import type { Expansion } from "./trial.ts";

type Chunks = AsyncIterable<Uint8Array>;

/**
 * The content of a blob. It stops at damage and when the budget of bytes, which several
 * expansions share, is spent; a failure of the blob's own stream is thrown.
 */
export function expandBlob(
  blob: Chunks,
  decompress: (blob: Chunks) => AsyncGenerator<Uint8Array>,
  budget: { left: number },
): Expansion {
  let state: ReturnType<Expansion["end"]> = "open";
  let hasFailed = false;
  async function* watched(): AsyncGenerator<Uint8Array> {
    try {
      yield* blob;
    } catch (error) {
      hasFailed = true;
      throw error;
    }
  }
  async function* chunks(): AsyncGenerator<Uint8Array> {
    try {
      for await (const chunk of decompress(watched())) {
        budget.left -= chunk.length;
        if (budget.left < 0) {
          state = "too-large";
          return;
        }
        yield chunk;
      }
      state = "ended";
    } catch (error) {
      if (hasFailed || !(isZlibError(error) || error instanceof RefoundryError)) throw error;
      state = "damaged";
    }
  }
  return { chunks: chunks(), end: () => state };
}
