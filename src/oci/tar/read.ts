import { infrastructureError } from "../../errors.ts";
import { createByteSource, type ByteSource } from "./byte-source.ts";
import { isZeroBlock, parseHeader, type RawHeader } from "./header.ts";
import { applyPax, type PaxRecords, parsePax } from "./pax.ts";
import { expandSparse, readOldGnuSparse, sparseOf } from "./sparse.ts";

/** What kind of thing an entry is. */
export type TarEntryType = "file" | "hardlink" | "symlink" | "character-device" | "block-device" | "directory" | "fifo";

/** One entry of a tar archive, as the archive has it. */
export interface TarEntry {
  /** The name's bytes as written. */
  readonly rawPath: Buffer;
  /** The name as text; bytes that are not UTF-8 are written `\xNN`, and a backslash then `\\`. */
  readonly path: string;
  readonly type: TarEntryType;
  /** As written: permission bits, and type bits where the writer put them. */
  readonly mode: number;
  readonly uid: bigint;
  readonly gid: bigint;
  readonly uname: string;
  readonly gname: string;
  /** Length of the content in bytes, holes of a sparse file included. */
  readonly size: number;
  /** Seconds since 1970 in decimal, with a fraction where pax has one. */
  readonly mtime: string;
  readonly linkName: string;
  readonly deviceMajor: number;
  readonly deviceMinor: number;
  /** Extended attributes by name, values raw. */
  readonly xattrs: ReadonlyMap<string, Buffer>;
  readonly pax: PaxRecords;
  readonly dialect: "v7" | "ustar" | "pax" | "gnu";
  /** The content; what is not read before the next entry is asked for is skipped. */
  readonly content: AsyncIterable<Uint8Array>;
}

/** Bounds on what an archive can make a reader hold. */
const tarLimits = { metadataBytes: 1024 * 1024, entries: 5_000_000 } as const;

const block = 512;
const types: Readonly<Record<string, TarEntryType>> = {
  "0": "file",
  "\0": "file",
  "7": "file",
  S: "file",
  "1": "hardlink",
  "2": "symlink",
  "3": "character-device",
  "4": "block-device",
  "5": "directory",
  "6": "fifo",
};

/**
 * Walks a tar archive in any of its dialects (v7, POSIX ustar and pax, GNU), entry by
 * entry, without loss: every name, id, attribute and byte as written. Reads the stream
 * to its end, what follows the archive included. Throws an infrastructure error for an
 * archive that is truncated, damaged, or goes beyond {@link tarLimits}.
 */
export async function* readTar(chunks: AsyncIterable<Uint8Array>): AsyncGenerator<TarEntry> {
  const source = createByteSource(chunks);
  const globals = new Map<string, Buffer>();
  for (let count = 0; ; count += 1) {
    if (count > tarLimits.entries)
      throw infrastructureError(`a tar archive has more than ${tarLimits.entries} entries`);
    const header = await readHeader(source, globals);
    if (!header) break;
    let finished = false;
    const content = contentOf(header, source, () => {
      finished = true;
    });
    yield { ...header.entry, content };
    if (!finished) for await (const _ of content);
  }
  await source.drain();
}

interface PendingEntry {
  readonly entry: Omit<TarEntry, "content">;
  readonly stored: number;
  readonly sparse: ReturnType<typeof sparseOf>;
}

async function readHeader(source: ByteSource, globals: Map<string, Buffer>): Promise<PendingEntry | undefined> {
  const local = new Map<string, Buffer>();
  let longName: Buffer | undefined;
  let longLink: Buffer | undefined;
  let hasPax = false;
  for (;;) {
    const bytes = await source.takeOrEnd(block);
    if (!bytes || isZeroBlock(bytes)) {
      if (local.size > 0 || longName || longLink)
        throw infrastructureError("a tar archive ends after an extended header, before the entry it is for");
      return undefined;
    }
    const raw = parseHeader(bytes);
    if (raw.typeFlag === "x" || raw.typeFlag === "g" || raw.typeFlag === "X") {
      const target = raw.typeFlag === "g" ? globals : local;
      hasPax = true;
      for (const [key, value] of parsePax(await readMetadata(source, raw.size))) addPaxRecord(target, key, value);
    } else if (raw.typeFlag === "L") longName = untilZero(await readMetadata(source, raw.size));
    else if (raw.typeFlag === "K") longLink = untilZero(await readMetadata(source, raw.size));
    else return finishEntry(raw, new Map([...globals, ...local]), { longName, longLink, hasPax }, source);
  }
}

/** GNU's sparse format 0.0 repeats two keys for each region; they become the list that format 0.1 has. */
function addPaxRecord(records: Map<string, Buffer>, key: string, value: Buffer): void {
  if (key !== "GNU.sparse.offset" && key !== "GNU.sparse.numbytes") {
    records.set(key, value);
    return;
  }
  const before = records.get("GNU.sparse.map");
  records.set("GNU.sparse.map", before ? Buffer.concat([before, Buffer.from(","), value]) : value);
}

async function finishEntry(
  raw: RawHeader,
  pax: Map<string, Buffer>,
  extras: { readonly longName: Buffer | undefined; readonly longLink: Buffer | undefined; readonly hasPax: boolean },
  source: ByteSource,
): Promise<PendingEntry> {
  const type = types[raw.typeFlag];
  if (type === undefined)
    throw infrastructureError(
      `a tar archive has an entry of unknown type ${JSON.stringify(raw.typeFlag)}: ${textOf(raw.name)}`,
    );
  const fields = applyPax(
    { ...raw, name: extras.longName ?? raw.name, linkName: extras.longLink ?? raw.linkName },
    pax,
  );
  const oldSparse = raw.typeFlag === "S" ? await readOldGnuSparse(raw, source) : undefined;
  const stored = type === "file" || raw.typeFlag === "5" || type === "hardlink" ? fields.size : 0;
  const sparse = oldSparse ?? sparseOf(pax);
  const size = type === "file" ? (sparse?.realSize ?? fields.size) : 0;
  const rawPath = sparse?.name ?? fields.name;
  // before POSIX a directory was a file whose name ends in a slash
  const isOldDirectory = raw.typeFlag === "\0" && rawPath.at(-1) === 0x2f;
  return {
    entry: {
      rawPath,
      path: textOf(rawPath),
      type: isOldDirectory ? "directory" : type,
      mode: raw.mode,
      uid: fields.uid,
      gid: fields.gid,
      uname: fields.uname,
      gname: fields.gname,
      size: isOldDirectory ? 0 : size,
      mtime: fields.mtime,
      linkName: textOf(fields.linkName),
      deviceMajor: raw.deviceMajor,
      deviceMinor: raw.deviceMinor,
      xattrs: fields.xattrs,
      pax,
      dialect: extras.hasPax ? "pax" : raw.dialect,
    },
    stored,
    sparse,
  };
}

function contentOf(
  { entry, stored, sparse }: PendingEntry,
  source: ByteSource,
  onEnd: () => void,
): AsyncIterable<Uint8Array> {
  async function* plain(): AsyncGenerator<Uint8Array> {
    yield* source.stream(stored, entry.path);
    if (stored % block !== 0) await source.take(block - (stored % block), entry.path);
  }
  async function* all(): AsyncGenerator<Uint8Array> {
    if (sparse) yield* expandSparse(sparse, plain(), entry.path);
    else if (entry.type === "file") yield* plain();
    else for await (const _ of plain());
    onEnd();
  }
  const generator = all();
  // left half-way, the rest is still there to be skipped: a plain iterator, without return()
  return { [Symbol.asyncIterator]: () => ({ next: () => generator.next() }) };
}

async function readMetadata(source: ByteSource, size: number): Promise<Buffer> {
  if (size > tarLimits.metadataBytes)
    throw infrastructureError(
      `a tar archive has an extended header of ${size} bytes; at most ${tarLimits.metadataBytes} are read`,
    );
  const data = await source.take(size, "an extended header");
  if (size % block !== 0) await source.take(block - (size % block), "an extended header");
  return data;
}

function untilZero(bytes: Buffer): Buffer {
  const end = bytes.indexOf(0);
  return end === -1 ? bytes : bytes.subarray(0, end);
}

const decoder = new TextDecoder("utf-8", { fatal: true, ignoreBOM: true });

/** Bytes as text without loss: UTF-8 where it is, else `\xNN` for what is not ASCII. */
function textOf(bytes: Buffer): string {
  try {
    return decoder.decode(bytes);
  } catch {
    return [...bytes]
      .map((byte) => (byte >= 0x80 ? `\\x${byte.toString(16)}` : byte === 0x5c ? "\\\\" : String.fromCharCode(byte)))
      .join("");
  }
}
