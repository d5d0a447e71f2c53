import { type TarHeader, type TarStep, walkTar } from "./walk.ts";

/** One entry of a tar archive, as the archive has it. */
export interface TarEntry extends TarHeader {
  /** The content; what is not read before the next entry is asked for is skipped. */
  readonly content: AsyncIterable<Uint8Array>;
}

/**
 * Reads a tar archive entry by entry, as {@link walkTar} walks it. Reads the stream to
 * its end, what follows the archive included. Throws as the walk does.
 */
export async function* readTar(chunks: AsyncIterable<Uint8Array>): AsyncGenerator<TarEntry> {
  const iterator = chunks[Symbol.asyncIterator]();
  const { feed, steps } = walkTar();
  const nextStep = async (): Promise<Exclude<TarStep, undefined> | undefined> => {
    for (;;) {
      const step = steps.next();
      if (step.done) return undefined;
      if (step.value) return step.value;
      const chunk = await iterator.next();
      if (chunk.done) feed.end();
      else feed.push(chunk.value);
    }
  };
  try {
    let step = await nextStep();
    while (step) {
      if (step instanceof Uint8Array) {
        // content that nobody read
        step = await nextStep();
        continue;
      }
      const rest: { following?: Exclude<TarStep, undefined> | undefined; isRead: boolean } = { isRead: false };
      const next = async (): Promise<IteratorResult<Uint8Array>> => {
        if (!rest.isRead) {
          const piece = await nextStep();
          if (piece instanceof Uint8Array) return { done: false, value: piece };
          rest.following = piece;
          rest.isRead = true;
        }
        return { done: true, value: undefined };
      };
      // left half-way, the rest is still there to be skipped: a plain iterator, without return()
      yield { ...step, content: { [Symbol.asyncIterator]: () => ({ next }) } };
      while (!rest.isRead) await next();
      step = rest.following;
    }
  } finally {
    await iterator.return?.();
  }
}

export type { TarEntryType } from "./walk.ts";
