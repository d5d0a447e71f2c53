import { infrastructureError } from "../../errors.ts";
import type { ByteFeed, Fed } from "./byte-feed.ts";
import { numeric, type RawHeader } from "./header.ts";
import { decimal, type PaxRecords } from "./pax.ts";

/** Where the data of a sparse file lies, in bytes of the whole file. */
export interface SparseMap {
  readonly regions: readonly { readonly offset: number; readonly length: number }[] | "in-content";
  readonly realSize: number;
  readonly name: Buffer | undefined;
}

const maxRegions = 100_000;
const block = 512;

/** GNU's old form: four regions in the header, more in blocks that follow it. */
export function* readOldGnuSparse(raw: RawHeader, source: ByteFeed): Fed<SparseMap> {
  const regions = readRegions(raw.bytes, 386, 4);
  let more = raw.bytes[482] === 1;
  while (more) {
    const extension = yield* source.take(block, "a sparse map");
    regions.push(...readRegions(extension, 0, 21));
    if (regions.length > maxRegions) throw tooMany();
    more = extension[504] === 1;
  }
  return checked({ regions, realSize: Number(numeric(raw.bytes, 483, 12, "size")), name: undefined });
}

function readRegions(bytes: Buffer, start: number, count: number): { offset: number; length: number }[] {
  const regions: { offset: number; length: number }[] = [];
  for (let index = 0; index < count; index += 1) {
    const at = start + index * 24;
    if (bytes[at] === 0) break;
    regions.push({
      offset: Number(numeric(bytes, at, 12, "offset")),
      length: Number(numeric(bytes, at + 12, 12, "length")),
    });
  }
  return regions;
}

/** The map that pax records give (GNU formats 0.0 and 0.1), or the announcement of one in the content (1.0). */
export function sparseOf(pax: PaxRecords): SparseMap | undefined {
  const text = (key: string): string | undefined => pax.get(`GNU.sparse.${key}`)?.toString("latin1");
  const name = pax.get("GNU.sparse.name");
  if (text("major") === "1" && text("minor") === "0") {
    return checked({ regions: "in-content", realSize: decimal(text("realsize") ?? ""), name });
  }
  const map = text("map");
  const size = text("size") ?? text("realsize");
  if (map === undefined || size === undefined) return undefined;
  const numbers = map === "" ? [] : map.split(",").map(decimal);
  return checked({ regions: pairs(numbers), realSize: decimal(size), name });
}

function pairs(numbers: readonly number[]): { offset: number; length: number }[] {
  if (numbers.length % 2 !== 0) throw infrastructureError("the tar archive is damaged: a sparse map has half a region");
  if (numbers.length > 2 * maxRegions) throw tooMany();
  return Array.from({ length: numbers.length / 2 }, (_, index) => ({
    offset: numbers[2 * index] ?? 0,
    length: numbers[2 * index + 1] ?? 0,
  }));
}

/** The stored bytes of a sparse file, taken in order. */
export interface StoredContent {
  /** What is there at once of the next `most` bytes; nothing when all were taken. */
  next(most: number): Fed<Uint8Array | undefined>;
}

/** Gives a sparse file's content with its holes filled with zeros; `undefined` when it needs more bytes. */
export function* expandSparse(
  map: SparseMap,
  stored: StoredContent,
  path: string,
): Generator<Uint8Array | undefined, void, void> {
  function* next(most: number): Fed<Uint8Array> {
    const part = yield* stored.next(most);
    if (part) return part;
    throw infrastructureError(`the tar archive is damaged: the sparse file ${path} has less data than its map says`);
  }
  const regions = map.regions === "in-content" ? (yield* readInContentMap(next)).regions : map.regions;
  let at = 0;
  for (const { offset, length } of regions) {
    if (offset < at || offset + length > map.realSize)
      throw infrastructureError(`the tar archive is damaged: the sparse map of ${path} is out of order`);
    yield* zeros(offset - at);
    for (let left = length; left > 0; ) {
      const part = yield* next(left);
      left -= part.length;
      yield part;
    }
    at = offset + length;
  }
  yield* zeros(map.realSize - at);
}

/** Format 1.0: decimal lines at the start of the content, padded to a block. */
function* readInContentMap(
  next: (most: number) => Fed<Uint8Array>,
): Fed<{ regions: { offset: number; length: number }[] }> {
  let read = 0;
  function* line(): Fed<number> {
    let text = "";
    for (;;) {
      const [byte = 0] = yield* next(1);
      read += 1;
      if (byte === 0x0a) break;
      text += String.fromCharCode(byte);
      if (text.length > 20) throw infrastructureError("the tar archive is damaged: a sparse map has an endless number");
    }
    if (!/^\d+$/.test(text))
      throw infrastructureError("the tar archive is damaged: a sparse map has no number where one belongs");
    return Number(text);
  }
  const count = yield* line();
  if (count > maxRegions) throw tooMany();
  const numbers: number[] = [];
  for (let index = 0; index < 2 * count; index += 1) numbers.push(yield* line());
  while (read % block !== 0) read += (yield* next(block - (read % block))).length;
  return { regions: pairs(numbers) };
}

const hole = new Uint8Array(64 * 1024);

function* zeros(count: number): Generator<Uint8Array> {
  for (let left = count; left > 0; left -= hole.length) yield hole.subarray(0, Math.min(left, hole.length));
}

function checked(map: SparseMap): SparseMap {
  const sizes = map.regions === "in-content" ? [] : map.regions.flatMap(({ offset, length }) => [offset, length]);
  if ([map.realSize, ...sizes].every((size) => Number.isSafeInteger(size) && size >= 0)) return map;
  throw infrastructureError("the tar archive is damaged: a sparse map has impossible sizes");
}

function tooMany(): Error {
  return infrastructureError(`the tar archive has a sparse map of more than ${maxRegions} regions`);
}
