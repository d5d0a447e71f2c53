const magic = 0x184d2204;
const blockSizes: ReadonlyMap<number, number> = new Map([
  [4, 64 * 1024],
  [5, 256 * 1024],
  [6, 1024 * 1024],
  [7, 4 * 1024 * 1024],
]);

/** Whether the bytes begin as an LZ4 frame does. */
export function isLz4Frame(bytes: Buffer): boolean {
  return bytes.length >= 7 && bytes.readUInt32LE(0) === magic;
}

/**
 * What one LZ4 frame expands to (LZ4 Frame Format 1.6, LZ4 Block Format). Checksums are
 * passed over: whoever calls looks at the content itself. Nothing when the frame is damaged,
 * needs a dictionary, has bytes behind it, or expands to more than `limit` bytes.
 */
export function readLz4Frame(bytes: Buffer, limit: number): Buffer | undefined {
  const head = readHead(bytes);
  if (!head) return undefined;
  const output: Output = { bytes: Buffer.alloc(0), size: 0 };
  let at = head.end;
  for (;;) {
    if (at + 4 > bytes.length) return undefined;
    const word = bytes.readUInt32LE(at);
    at += 4;
    if (word === 0) break;
    const end = at + (word & 0x7fffffff);
    if (end - at > head.blockSize || end > bytes.length || output.size > limit) return undefined;
    const data = bytes.subarray(at, end);
    makeRoom(output, head.blockSize);
    const earliest = head.isLinked ? 0 : output.size;
    if (word >= 0x80000000) output.size += data.copy(output.bytes, output.size);
    else if (!expandBlock(data, output, earliest, output.size + head.blockSize)) return undefined;
    at = end + (head.hasBlockChecksums ? 4 : 0);
  }
  if (at + (head.hasContentChecksum ? 4 : 0) !== bytes.length || output.size > limit) return undefined;
  if (head.contentSize !== undefined && head.contentSize !== BigInt(output.size)) return undefined;
  return output.bytes.subarray(0, output.size);
}

/** What has been written; blocks may refer to what stands up to 64 KiB before them. */
interface Output {
  bytes: Buffer;
  size: number;
}

function makeRoom(output: Output, more: number): void {
  if (output.size + more <= output.bytes.length) return;
  const larger = Buffer.allocUnsafe(Math.max(output.size + more, output.bytes.length * 2));
  output.bytes.copy(larger, 0, 0, output.size);
  output.bytes = larger;
}

interface FrameHead {
  readonly end: number;
  readonly blockSize: number;
  readonly isLinked: boolean;
  readonly hasBlockChecksums: boolean;
  readonly hasContentChecksum: boolean;
  readonly contentSize: bigint | undefined;
}

function readHead(bytes: Buffer): FrameHead | undefined {
  if (!isLz4Frame(bytes)) return undefined;
  const flags = bytes[4] ?? 0;
  const descriptor = bytes[5] ?? 0;
  const blockSize = blockSizes.get(descriptor >> 4);
  const hasSize = (flags & 8) !== 0;
  const end = hasSize ? 15 : 7;
  // version 01; no reserved bit, no dictionary
  if (flags >> 6 !== 1 || (flags & 3) !== 0 || (descriptor & 15) !== 0) return undefined;
  if (blockSize === undefined || end > bytes.length) return undefined;
  return {
    end,
    blockSize,
    isLinked: (flags & 32) === 0,
    hasBlockChecksums: (flags & 16) !== 0,
    hasContentChecksum: (flags & 4) !== 0,
    contentSize: hasSize ? bytes.readBigUInt64LE(6) : undefined,
  };
}

/** Whether the block was whole; it may refer to nothing before `earliest`, and write nothing at `end` or behind. */
function expandBlock(data: Buffer, output: Output, earliest: number, end: number): boolean {
  const { bytes } = output;
  let to = output.size;
  let from = 0;
  const readLength = (nibble: number): number => {
    let length = nibble;
    for (let byte = nibble === 15 ? 255 : 0; byte === 255; from += 1) {
      byte = data[from] ?? 0;
      length += byte;
    }
    return length;
  };
  for (;;) {
    const token = data[from];
    if (token === undefined) return false;
    from += 1;
    const literals = readLength(token >> 4);
    if (from + literals > data.length || to + literals > end) return false;
    data.copy(bytes, to, from, from + literals);
    from += literals;
    to += literals;
    // the last sequence of a block has literals only
    if (from === data.length) break;
    if (from + 2 > data.length) return false;
    const distance = data.readUInt16LE(from);
    from += 2;
    const length = readLength(token & 15) + 4;
    if (distance === 0 || distance > to - earliest || to + length > end) return false;
    for (const last = to + length; to < last; to += 1) bytes[to] = bytes[to - distance] ?? 0;
  }
  output.size = to;
  return true;
}
