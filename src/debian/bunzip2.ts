import { usageError } from "../errors.ts";

/**
 * Decompresses bzip2 data, which orig archives of some source packages are: one stream or
 * several after another, with every block's checksum checked. Throws a usage error where the
 * data are damaged or cut off. Format: https://github.com/dsnet/compress/blob/master/doc/bzip2-format.pdf
 */
export async function* bunzip2(chunks: AsyncIterable<Uint8Array>): AsyncGenerator<Uint8Array> {
  const bits = bitsOf(Buffer.concat(await Array.fromAsync(chunks)));
  do {
    if (bits.take(24) !== 0x425a68) throw damaged("it does not begin as bzip2 does");
    const level = bits.take(8) - 0x30;
    if (level < 1 || level > 9) throw damaged("its block size is none that there is");
    let combined = 0;
    for (;;) {
      const magic = [bits.take(24), bits.take(24)];
      if (magic[0] === 0x177245 && magic[1] === 0x385090) break;
      if (magic[0] !== 0x314159 || magic[1] !== 0x265359) throw damaged("a block does not begin as one");
      const checksum = bits.take(32);
      const block = readBlock(bits, level * 100_000);
      if (crcOf(block) !== checksum) throw damaged("a block's checksum does not match");
      combined = ((((combined << 1) | (combined >>> 31)) >>> 0) ^ checksum) >>> 0;
      yield block;
    }
    if (bits.take(32) !== combined) throw damaged("its checksum does not match");
    bits.align();
  } while (bits.left());
}

function damaged(why: string): Error {
  return usageError(`bzip2 data are damaged: ${why}`);
}

interface Bits {
  /** The next bits as a number, up to 32 of them. */
  take(count: number): number;
  align(): void;
  left(): boolean;
}

function bitsOf(data: Uint8Array): Bits {
  let position = 0;
  let held = 0;
  let have = 0;
  const take = (count: number): number => {
    if (count > 16) return take(count - 16) * 0x10000 + take(16);
    while (have < count) {
      const byte = data[position++];
      if (byte === undefined) throw damaged("it ends too early");
      held = ((held << 8) | byte) & 0xffffff;
      have += 8;
    }
    have -= count;
    return (held >>> have) & ((1 << count) - 1);
  };
  return {
    take,
    align() {
      have -= have % 8;
    },
    left: () => position < data.length || have >= 8,
  };
}

/** Reads one block up to its end, and undoes all of its steps. */
function readBlock(bits: Bits, limit: number): Uint8Array {
  if (bits.take(1) !== 0) throw damaged("a block is randomised, as no program has written it since 1997");
  const origin = bits.take(24);
  const { last, length, counts } = readMoved(bits, limit);
  if (origin >= length) throw damaged("a block's first byte lies outside");
  // the inverse of the Burrows-Wheeler transform: where the byte after each one is
  let sum = 0;
  const starts = counts.map((count) => (sum += count) - count);
  for (let index = 0; index < length; index += 1) {
    const byte = (last[index] ?? 0) & 0xff;
    const at = starts[byte] ?? 0;
    starts[byte] = at + 1;
    last[at] = (last[at] ?? 0) | (index << 8);
  }
  return withoutRuns(last, length, (last[origin] ?? 0) >>> 8);
}

/** Four equal bytes are followed by a count of how many more there are. */
function withoutRuns(last: Uint32Array, length: number, first: number): Uint8Array {
  let out = Buffer.allocUnsafe(length * 2);
  let written = 0;
  let at = first;
  let before = -1;
  let run = 0;
  for (let index = 0; index < length; index += 1) {
    const entry = last[at] ?? 0;
    const byte = entry & 0xff;
    at = entry >>> 8;
    if (written + 256 > out.length) out = Buffer.concat([out], out.length * 2 + 256);
    if (run === 4) {
      out.fill(before, written, written + byte);
      written += byte;
      run = 0;
      before = -1;
      continue;
    }
    run = byte === before ? run + 1 : 1;
    before = byte;
    out[written++] = byte;
  }
  return out.subarray(0, written);
}

/** Huffman codes, runs of zeros, and positions in a list that moves to the front. */
function readMoved(
  bits: Bits,
  limit: number,
): { readonly last: Uint32Array; readonly length: number; readonly counts: number[] } {
  const front = readAlphabet(bits);
  const end = front.length + 1;
  const { tables, selectors } = readTables(bits, end + 1);
  const last = new Uint32Array(limit);
  const counts = Array.from({ length: 256 }, () => 0);
  let length = 0;
  let run = 0;
  let weight = 1;
  const put = (byte: number, count: number): void => {
    if (length + count > limit) throw damaged("a block is longer than it may be");
    last.fill(byte, length, length + count);
    counts[byte] = (counts[byte] ?? 0) + count;
    length += count;
  };
  for (let group = 0; ; group += 1) {
    const table = tables[selectors[group] ?? -1];
    if (!table) throw damaged("a block has too few codes");
    for (let inGroup = 0; inGroup < 50; inGroup += 1) {
      const symbol = readSymbol(bits, table);
      if (symbol <= 1) {
        run += weight << symbol;
        weight <<= 1;
        if (run > limit) throw damaged("a run is longer than a block may be");
        continue;
      }
      if (run > 0) put(front[0] ?? 0, run);
      run = 0;
      weight = 1;
      if (symbol === end) return { last, length, counts };
      const [byte = 0] = front.splice(symbol - 1, 1);
      front.unshift(byte);
      put(byte, 1);
    }
  }
}

/** The bytes that a block has, in order. */
function readAlphabet(bits: Bits): number[] {
  const groups = bits.take(16);
  const found: number[] = [];
  for (let high = 0; high < 16; high += 1) {
    if (((groups >>> (15 - high)) & 1) === 0) continue;
    const used = bits.take(16);
    for (let low = 0; low < 16; low += 1) if (((used >>> (15 - low)) & 1) === 1) found.push(high * 16 + low);
  }
  if (found.length === 0) throw damaged("a block has no bytes");
  return found;
}

/** A canonical Huffman code: by length, the first code, and where its symbols begin. */
interface Table {
  readonly first: readonly number[];
  readonly count: readonly number[];
  readonly symbols: readonly number[];
}

function readTables(bits: Bits, symbols: number): { readonly tables: Table[]; readonly selectors: number[] } {
  const tableCount = bits.take(3);
  const selectorCount = bits.take(15);
  if (tableCount < 2 || tableCount > 6 || selectorCount === 0) throw damaged("a block's codes are wrong");
  const order = Array.from({ length: tableCount }, (_, index) => index);
  const selectors: number[] = [];
  for (let index = 0; index < selectorCount; index += 1) {
    let position = 0;
    while (bits.take(1) === 1) if (++position >= tableCount) throw damaged("a block's choice of codes is wrong");
    const [chosen = 0] = order.splice(position, 1);
    order.unshift(chosen);
    selectors.push(chosen);
  }
  return { tables: order.map(() => readTable(bits, symbols)), selectors };
}

const longest = 20;

function readTable(bits: Bits, symbols: number): Table {
  let length = bits.take(5);
  const lengths: number[] = [];
  for (let symbol = 0; symbol < symbols; symbol += 1) {
    while (bits.take(1) === 1) length += bits.take(1) === 1 ? -1 : 1;
    if (length < 1 || length > longest) throw damaged("a code has a length that none may have");
    lengths.push(length);
  }
  const count = Array.from({ length: longest + 1 }, (_, size) => lengths.filter((each) => each === size).length);
  let code = 0;
  const first = count.map((_, size) => (code = (code + (count[size - 1] ?? 0)) << 1));
  const ordered = lengths
    .map((size, symbol) => ({ size, symbol }))
    .toSorted((a, b) => a.size - b.size || a.symbol - b.symbol);
  return { first, count, symbols: ordered.map(({ symbol }) => symbol) };
}

function readSymbol(bits: Bits, { first, count, symbols }: Table): number {
  let code = 0;
  let before = 0;
  for (let size = 1; size <= longest; size += 1) {
    code = (code << 1) | bits.take(1);
    const inside = code - (first[size] ?? 0);
    const here = count[size] ?? 0;
    if (inside >= 0 && inside < here) return symbols[before + inside] ?? 0;
    before += here;
  }
  throw damaged("a code is none of its table");
}

const crcTable = Uint32Array.from({ length: 256 }, (_, byte) => {
  let crc = byte << 24;
  for (let bit = 0; bit < 8; bit += 1) crc = crc & 0x8000_0000 ? (crc << 1) ^ 0x04c1_1db7 : crc << 1;
  return crc;
});

function crcOf(bytes: Uint8Array): number {
  let crc = 0xffff_ffff;
  for (const byte of bytes) crc = (crc << 8) ^ (crcTable[((crc >>> 24) ^ byte) & 0xff] ?? 0);
  return ~crc >>> 0;
}
