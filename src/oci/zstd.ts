import { infrastructureError } from "../errors.ts";
import { type ByteSource, createByteSource } from "./tar/byte-source.ts";

const frameMagic = 0xfd2fb528;
const dictionaryIdBytes = [0, 1, 2, 4] as const;

/** Whether a stream's first four bytes, little-endian, begin a zstd frame or a skippable one. */
export function isZstdMagic(number: number): boolean {
  return number === frameMagic || isSkippable(number);
}

function isSkippable(number: number): boolean {
  return number >>> 4 === 0x184d2a5;
}

/**
 * The frames of a zstd stream (RFC 8878, section 3), each as the bytes that a
 * decompressor takes; skippable frames are left out. A frame has to be read to its end
 * before the next is asked for. Node's own decompressor stops after the first frame, and
 * layers of many frames are common (zstd:chunked, pzstd). Throws when the stream is
 * truncated or something else than frames stands in it. `name` is for messages.
 */
export async function* zstdFrames(
  chunks: AsyncIterable<Uint8Array>,
  name: string,
): AsyncGenerator<AsyncIterable<Uint8Array>> {
  const source = createByteSource(chunks, name);
  try {
    for (;;) {
      const magic = await source.takeOrEnd(4);
      if (!magic) return;
      const number = magic.readUInt32LE();
      if (number === frameMagic) {
        yield oneFrame(source, magic);
      } else if (isSkippable(number)) {
        const size = (await source.take(4, "a skippable frame")).readUInt32LE();
        for await (const _ of source.stream(size, "a skippable frame"));
      } else {
        throw infrastructureError(`${name} has bytes that are no zstd frame`);
      }
    }
  } finally {
    await source.close();
  }
}

async function* oneFrame(source: ByteSource, magic: Uint8Array): AsyncGenerator<Uint8Array> {
  const what = "a zstd frame";
  const descriptor = await source.take(1, what);
  const flags = descriptor[0] ?? 0;
  const isSingleSegment = (flags & 0x20) !== 0;
  const sizeFlag = flags >> 6;
  const contentSizeBytes = sizeFlag === 0 ? Number(isSingleSegment) : 2 ** sizeFlag;
  const headerBytes = Number(!isSingleSegment) + (dictionaryIdBytes[flags & 3] ?? 0) + contentSizeBytes;
  yield Buffer.concat([magic, descriptor, await source.take(headerBytes, what)]);
  for (let isLast = false; !isLast; ) {
    const blockHeader = await source.take(3, what);
    const bits = blockHeader.readUIntLE(0, 3);
    isLast = (bits & 1) === 1;
    // a run-length block holds the one byte that is repeated
    const blockBytes = ((bits >> 1) & 3) === 1 ? 1 : bits >> 3;
    yield blockHeader;
    yield* source.stream(blockBytes, what);
  }
  if ((flags & 4) !== 0) yield await source.take(4, what);
}
