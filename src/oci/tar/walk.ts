import { infrastructureError } from "../../errors.ts";
import { type ByteFeed, createByteFeed, type Fed } from "./byte-feed.ts";
import { isZeroBlock, parseHeader, type RawHeader } from "./header.ts";
import { applyPax, type PaxRecords, parsePax } from "./pax.ts";
import { expandSparse, readOldGnuSparse, sparseOf, type StoredContent } from "./sparse.ts";
import { losslessText } from "./text.ts";

/** What kind of thing an entry is. */
export type TarEntryType = "file" | "hardlink" | "symlink" | "character-device" | "block-device" | "directory" | "fifo";

/** What an archive says of one entry. */
export interface TarHeader {
  /** The name's bytes as written. */
  readonly rawPath: Buffer;
  /** The name as text, one text for each byte string ({@link losslessText}). */
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
  /** The records that hold for the entry, global ones included. */
  readonly pax: PaxRecords;
  /** The global records alone: GNU tar applies them, and Go's archive/tar does not. */
  readonly globalPax: PaxRecords;
  readonly dialect: "v7" | "ustar" | "pax" | "gnu";
  /** Where in the archive the stored content begins, and its bytes there; holes of a sparse file are not stored. */
  readonly stored: { readonly offset: number; readonly size: number; readonly isSparse: boolean };
}

/** Bounds on what an archive can make a reader hold. */
const tarLimits = {
  metadataBytes: 1024 * 1024,
  globalRecords: 100,
  nameBytes: 64 * 1024,
  entries: 5_000_000,
  // holes of sparse files cost the writer nothing and the reader time
  sparseBytes: 64 * 1024 ** 3,
} as const;

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

/** A step of a walk: an entry's header, a piece of the content of the entry before, or nothing when bytes are needed. */
export type TarStep = TarHeader | Uint8Array | undefined;

/** A walk over an archive whose bytes are fed to it. */
export interface TarWalk {
  readonly feed: ByteFeed;
  readonly steps: Generator<TarStep, void, void>;
}

/**
 * Walks a tar archive in any of its dialects (v7, POSIX ustar and pax, GNU), entry by
 * entry, without loss: every name, id, attribute and byte as written. Walks to the end
 * of the bytes, what follows the archive included. Throws an infrastructure error for an
 * archive that is truncated, damaged, read one way by GNU tar and another by container
 * runtimes, or that goes beyond {@link tarLimits}.
 */
export function walkTar(): TarWalk {
  const feed = createByteFeed();
  return { feed, steps: walk(feed) };
}

function* walk(feed: ByteFeed): Generator<TarStep, void, void> {
  const globals = new Map<string, Buffer>();
  let sparseBytes = 0;
  for (let count = 0; ; count += 1) {
    if (count > tarLimits.entries)
      throw infrastructureError(`a tar archive has more than ${tarLimits.entries} entries`);
    const pending = yield* readHeader(feed, globals);
    if (!pending) break;
    const { header, sparse } = pending;
    sparseBytes += sparse?.realSize ?? 0;
    if (sparseBytes > tarLimits.sparseBytes)
      throw infrastructureError(
        `a tar archive has sparse files of more than ${tarLimits.sparseBytes} bytes: ${header.path}`,
      );
    yield header;
    yield* contentOf(pending, feed);
  }
  yield* feed.drain();
}

interface PendingEntry {
  readonly header: TarHeader;
  readonly sparse: ReturnType<typeof sparseOf>;
}

function* contentOf({ header, sparse }: PendingEntry, feed: ByteFeed): Generator<Uint8Array | undefined, void, void> {
  const { size } = header.stored;
  let left = size;
  const stored: StoredContent = {
    *next(most) {
      if (left === 0) return undefined;
      const part = yield* feed.takeSome(Math.min(most, left), header.path);
      left -= part.length;
      return part;
    },
  };
  if (sparse) yield* expandSparse(sparse, stored, header.path);
  // what a sparse map does not speak of is skipped
  for (let part = yield* stored.next(size); part; part = yield* stored.next(size)) if (!sparse) yield part;
  if (size % block !== 0) yield* feed.take(block - (size % block), header.path);
}

function* readHeader(feed: ByteFeed, globals: Map<string, Buffer>): Fed<PendingEntry | undefined> {
  let local: Map<string, Buffer> | undefined;
  let longName: Buffer | undefined;
  let longLink: Buffer | undefined;
  for (;;) {
    const bytes = yield* feed.takeOrEnd(block);
    if (!bytes || isZeroBlock(bytes)) {
      if (local || longName || longLink)
        throw infrastructureError("a tar archive ends after an extended header, before the entry it is for");
      const second = bytes && (yield* feed.takeOrEnd(block));
      if (second && !isZeroBlock(second))
        throw infrastructureError("the tar archive is damaged: it goes on after one block of zeros, and two end it");
      return undefined;
    }
    const raw = parseHeader(bytes);
    if (raw.typeFlag === "g") {
      addPaxRecords(globals, yield* readMetadata(feed, raw.size));
      if (globals.size > tarLimits.globalRecords)
        throw infrastructureError(`a tar archive has more than ${tarLimits.globalRecords} global pax records`);
    } else if (raw.typeFlag === "x" || raw.typeFlag === "X") {
      if (local) throw disputed("two pax headers", raw);
      local = new Map();
      addPaxRecords(local, yield* readMetadata(feed, raw.size));
    } else if (raw.typeFlag === "L") longName = untilZero(yield* readMetadata(feed, raw.size));
    else if (raw.typeFlag === "K") longLink = untilZero(yield* readMetadata(feed, raw.size));
    else {
      if ((longName && local?.has("path")) || (longLink && local?.has("linkpath")))
        throw disputed("a GNU long name and a pax path", raw);
      return yield* finishEntry(
        { ...raw, name: longName ?? raw.name, linkName: longLink ?? raw.linkName },
        { local: local ?? none, globals: globals.size > 0 ? new Map(globals) : none, hasPax: local !== undefined },
        feed,
      );
    }
  }
}

const none: PaxRecords = new Map();

function disputed(what: string, raw: RawHeader): Error {
  return infrastructureError(
    `a tar archive has ${what} for one entry, which readers disagree about: ${nameOf(raw.name)}`,
  );
}

function addPaxRecords(records: Map<string, Buffer>, data: Buffer): void {
  for (const [key, value] of parsePax(data)) addPaxRecord(records, key, value);
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

function* finishEntry(
  raw: RawHeader,
  extended: { readonly local: PaxRecords; readonly globals: PaxRecords; readonly hasPax: boolean },
  feed: ByteFeed,
): Fed<PendingEntry> {
  const declared = types[raw.typeFlag];
  if (declared === undefined)
    throw infrastructureError(
      `a tar archive has an entry of unknown type ${JSON.stringify(raw.typeFlag)}: ${nameOf(raw.name)}`,
    );
  const { local, globals } = extended;
  const pax = globals.size === 0 ? local : new Map([...globals, ...local]);
  const fields = applyPax(raw, pax);
  const oldSparse = raw.typeFlag === "S" ? yield* readOldGnuSparse(raw, feed) : undefined;
  const sparse = oldSparse ?? sparseOf(pax);
  const rawPath = sparse?.name ?? fields.name;
  // before POSIX a directory was a file whose name ends in a slash
  const type = raw.typeFlag === "\0" && rawPath.at(-1) === 0x2f ? "directory" : declared;
  const isFile = type === "file";
  const header: TarHeader = {
    rawPath,
    path: nameOf(rawPath),
    type,
    mode: raw.mode,
    uid: fields.uid,
    gid: fields.gid,
    uname: fields.uname,
    gname: fields.gname,
    size: isFile ? (sparse?.realSize ?? fields.size) : 0,
    mtime: fields.mtime,
    linkName: nameOf(fields.linkName),
    deviceMajor: raw.deviceMajor,
    deviceMinor: raw.deviceMinor,
    xattrs: fields.xattrs,
    pax,
    globalPax: globals,
    dialect: extended.hasPax ? "pax" : raw.dialect,
    // nothing but a file has content, whatever size it claims: so say Go's archive/tar and, of links, GNU tar
    stored: { offset: feed.position(), size: isFile ? fields.size : 0, isSparse: isFile && sparse !== undefined },
  };
  return { header, sparse: isFile ? sparse : undefined };
}

function* readMetadata(feed: ByteFeed, size: number): Fed<Buffer> {
  if (size > tarLimits.metadataBytes)
    throw infrastructureError(
      `a tar archive has an extended header of ${size} bytes; at most ${tarLimits.metadataBytes} are read`,
    );
  const data = yield* feed.take(size, "an extended header");
  if (size % block !== 0) yield* feed.take(block - (size % block), "an extended header");
  return data;
}

function untilZero(bytes: Buffer): Buffer | undefined {
  const end = bytes.indexOf(0);
  const name = Buffer.from(end === -1 ? bytes : bytes.subarray(0, end));
  return name.length > 0 ? name : undefined;
}

function nameOf(bytes: Buffer): string {
  if (bytes.length > tarLimits.nameBytes)
    throw infrastructureError(
      `a tar archive has a name of ${bytes.length} bytes; at most ${tarLimits.nameBytes} are read`,
    );
  return losslessText(bytes);
}
