import { interrupted } from "../../errors.ts";
import { isZlibError } from "./through.ts";

type Chunks = AsyncIterable<Uint8Array>;

/** The content of a compressed blob, and how far it could be read. */
export interface Expansion {
  readonly chunks: Chunks;
  /** Call after the end. `open`: who read it stopped before. */
  end(): "open" | "ended" | "damaged" | "too-large";
}

/** An encoder that is to be tried; what its header says is settled. */
export interface Candidate {
  encode(content: Chunks): Chunks;
}

/** A blob and how to expand it; both can be opened many times. */
export interface Trial {
  readonly open: () => Chunks;
  readonly expand: (blob: Chunks) => Expansion;
  readonly signal?: AbortSignal;
}

/** The start of a blob and of its content, in memory. */
export interface TrialStart {
  readonly blob: Buffer;
  readonly content: readonly Uint8Array[];
  readonly end: ReturnType<Expansion["end"]>;
}

/** Reads the blob until it has given `bytes` of content. */
export async function readStart({ open, expand }: Trial, bytes: number): Promise<TrialStart> {
  const blob: Buffer[] = [];
  let isOpen = true;
  async function* kept(): AsyncGenerator<Uint8Array> {
    for await (const chunk of open()) {
      if (isOpen) blob.push(Buffer.from(chunk));
      yield chunk;
    }
  }
  const expansion = expand(kept());
  const content: Uint8Array[] = [];
  let size = 0;
  for await (const chunk of expansion.chunks) {
    content.push(chunk);
    size += chunk.length;
    if (size >= bytes) break;
  }
  isOpen = false;
  return { blob: Buffer.concat(blob), content, end: expansion.end() };
}

// An encoder holds back the block that it is filling. No block is longer: GNU gzip's, the
// largest, are of 32768 symbols, each of 31 bits at most on average.
const slackBytes = 192 * 1024;

/**
 * Whether an encoder may still be the one, by the start alone. When the content goes on
 * behind the start, the encoder ends too early, and its last block proves nothing.
 */
export async function fitsStart(candidate: Candidate, start: TrialStart, signal?: AbortSignal): Promise<boolean> {
  const slack = start.end === "ended" ? 0 : slackBytes;
  let position = 0;
  let equal = 0;
  try {
    for await (const chunk of candidate.encode(fromMemory(start.content))) {
      if (signal?.aborted) throw interrupted();
      if (equal === position) equal += equalBytes(chunk, start.blob.subarray(position));
      position += chunk.length;
      if (position - equal > slack) return false;
    }
  } catch (error) {
    // an encoder that was told the whole size complains of less content; what it gave counts
    if (!isZlibError(error)) throw error;
    return start.end !== "ended";
  }
  return true;
}

/**
 * - `exact`: the encoder gives the whole blob, each of its bytes and none besides
 * - `shorter`: the blob begins with what it gives, and more follows
 */
export type Outcome = "exact" | "shorter" | "other" | "damaged" | "too-large";

/** Encodes the whole content and compares it with the blob, as far as the two are the same. */
export async function compareWhole(candidate: Candidate, { open, expand, signal }: Trial): Promise<Outcome> {
  const expansion = expand(open());
  const expected = createExpected(open());
  try {
    for await (const chunk of candidate.encode(expansion.chunks)) {
      if (signal?.aborted) throw interrupted();
      if (!(await expected.isNext(chunk))) return failureOf(expansion) ?? "other";
    }
    return failureOf(expansion) ?? ((await expected.isAtEnd()) ? "exact" : "shorter");
  } catch (error) {
    if (!isZlibError(error)) throw error;
    return failureOf(expansion) ?? "other";
  } finally {
    await expected.close();
  }
}

function failureOf(expansion: Expansion): "damaged" | "too-large" | undefined {
  const end = expansion.end();
  return end === "damaged" || end === "too-large" ? end : undefined;
}

interface Expected {
  isNext(bytes: Uint8Array): Promise<boolean>;
  isAtEnd(): Promise<boolean>;
  close(): Promise<void>;
}

function createExpected(chunks: Chunks): Expected {
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
  return {
    async isNext(bytes) {
      for (let at = 0; at < bytes.length; ) {
        if (!(await fill())) return false;
        const length = Math.min(rest.length, bytes.length - at);
        if (Buffer.compare(bytes.subarray(at, at + length), rest.subarray(0, length)) !== 0) return false;
        rest = rest.subarray(length);
        at += length;
      }
      return true;
    },
    isAtEnd: async () => !(await fill()),
    close: async () => void (await iterator.return?.()),
  };
}

function equalBytes(bytes: Uint8Array, expected: Uint8Array): number {
  const length = Math.min(bytes.length, expected.length);
  if (Buffer.compare(bytes.subarray(0, length), expected.subarray(0, length)) === 0) return length;
  return bytes.findIndex((byte, at) => byte !== expected[at]);
}

async function* fromMemory(chunks: readonly Uint8Array[]): AsyncGenerator<Uint8Array> {
  yield* chunks;
}
