import { usageError } from "../../errors.ts";

interface TarInputCommon {
  /** No leading slash, no trailing one; UTF-8. */
  readonly path: string;
  /** Permission bits with setuid, setgid and sticky. */
  readonly mode: number;
  readonly uid: number;
  readonly gid: number;
  /** Whole seconds. */
  readonly mtime: number;
  /** Extended attributes by name, values raw. */
  readonly xattrs?: ReadonlyMap<string, Uint8Array>;
}

/** What {@link tarEntries} writes. A file's `size` is the length of its content in bytes. */
export type TarInput =
  | (TarInputCommon & {
      readonly type: "file";
      readonly size: number;
      readonly content: Uint8Array | AsyncIterable<Uint8Array>;
    })
  | (TarInputCommon & { readonly type: "directory" })
  | (TarInputCommon & { readonly type: "symlink" | "hardlink"; readonly linkName: string });

const block = 512;
const typeFlags = { file: "0", hardlink: "1", symlink: "2", directory: "5" } as const;

/**
 * Writes a tar archive (POSIX.1-2017, pax): USTAR headers, pax records only for what
 * USTAR cannot hold, no user or group names, two zero blocks at the end. The same
 * entries always give the same bytes. Throws when a file's content has another length
 * than its `size`.
 */
export async function* tarEntries(entries: Iterable<TarInput> | AsyncIterable<TarInput>): AsyncGenerator<Uint8Array> {
  for await (const entry of entries) {
    yield* writeHeaders(entry);
    if (entry.type !== "file") continue;
    let written = 0;
    for await (const chunk of entry.content instanceof Uint8Array ? [entry.content] : entry.content) {
      written += chunk.length;
      if (chunk.length > 0) yield chunk;
    }
    if (written !== entry.size)
      throw usageError(`${entry.path} has ${written} bytes, and ${entry.size} were announced`);
    if (written % block !== 0) yield new Uint8Array(block - (written % block));
  }
  yield new Uint8Array(2 * block);
}

function* writeHeaders(entry: TarInput): Generator<Uint8Array> {
  const path = entry.type === "directory" ? `${entry.path}/` : entry.path;
  const linkName = entry.type === "symlink" || entry.type === "hardlink" ? entry.linkName : "";
  const size = entry.type === "file" ? entry.size : 0;
  const split = splitPath(path);
  const records: [string, Uint8Array][] = [];
  const text = (key: string, value: string | number): void => void records.push([key, Buffer.from(String(value))]);
  if (!split) text("path", path);
  if (!fits(linkName, 100)) text("linkpath", linkName);
  if (size > maxOctal(12)) text("size", size);
  if (entry.uid > maxOctal(8)) text("uid", entry.uid);
  if (entry.gid > maxOctal(8)) text("gid", entry.gid);
  if (entry.mtime > maxOctal(12) || entry.mtime < 0) text("mtime", entry.mtime);
  for (const [name, value] of [...(entry.xattrs ?? [])].toSorted(([a], [b]) => (a < b ? -1 : 1)))
    records.push([`SCHILY.xattr.${name}`, value]);
  if (records.length > 0) {
    const data = Buffer.concat(records.map(paxRecord));
    yield header({
      name: "pax",
      prefix: "",
      linkName: "",
      mode: 0o644,
      uid: 0,
      gid: 0,
      size: data.length,
      mtime: 0,
      typeFlag: "x",
    });
    yield data;
    if (data.length % block !== 0) yield new Uint8Array(block - (data.length % block));
  }
  yield header({
    ...(split ?? { name: truncate(path), prefix: "" }),
    linkName: fits(linkName, 100) ? linkName : truncate(linkName),
    mode: entry.mode,
    uid: clamp(entry.uid, 8),
    gid: clamp(entry.gid, 8),
    size: clamp(size, 12),
    mtime: clamp(entry.mtime, 12),
    typeFlag: typeFlags[entry.type],
  });
}

interface HeaderFields {
  readonly name: string;
  readonly prefix: string;
  readonly linkName: string;
  readonly mode: number;
  readonly uid: number;
  readonly gid: number;
  readonly size: number;
  readonly mtime: number;
  readonly typeFlag: string;
}

function header(fields: HeaderFields): Uint8Array {
  const bytes = Buffer.alloc(block);
  bytes.write(fields.name, 0, 100);
  bytes.write(octal(fields.mode, 8), 100);
  bytes.write(octal(fields.uid, 8), 108);
  bytes.write(octal(fields.gid, 8), 116);
  bytes.write(octal(fields.size, 12), 124);
  bytes.write(octal(fields.mtime, 12), 136);
  bytes.write(" ".repeat(8), 148);
  bytes.write(fields.typeFlag, 156);
  bytes.write(fields.linkName, 157, 100);
  bytes.write("ustar\u000000", 257);
  bytes.write(octal(0, 8), 329);
  bytes.write(octal(0, 8), 337);
  bytes.write(fields.prefix, 345, 155);
  const sum = bytes.reduce((total, byte) => total + byte, 0);
  bytes.write(`${sum.toString(8).padStart(6, "0")}\0 `, 148);
  return bytes;
}

/** Name and prefix as USTAR splits a path, or nothing when it does not fit. */
function splitPath(path: string): { name: string; prefix: string } | undefined {
  if (fits(path, 100)) return { name: path, prefix: "" };
  if (!isAscii(path)) return undefined;
  for (let at = path.indexOf("/"); at !== -1; at = path.indexOf("/", at + 1)) {
    const [prefix, name] = [path.slice(0, at), path.slice(at + 1)];
    if (prefix !== "" && prefix.length <= 155 && name !== "" && name.length <= 100) return { name, prefix };
  }
  return undefined;
}

/** One pax record: its own length in decimal, a space, key=value, a newline. */
function paxRecord([key, value]: readonly [string, Uint8Array]): Uint8Array {
  const body = Buffer.concat([Buffer.from(` ${key}=`), value, Buffer.from("\n")]);
  let length = body.length;
  while (length !== body.length + String(length).length) length = body.length + String(length).length;
  return Buffer.concat([Buffer.from(String(length)), body]);
}

function fits(text: string, bytes: number): boolean {
  return text.length <= bytes && isAscii(text);
}

function isAscii(text: string): boolean {
  return /^[\x01-\x7f]*$/.test(text);
}

function truncate(text: string): string {
  return Buffer.from(text)
    .subarray(0, 100)
    .toString("latin1")
    .replace(/[^\x20-\x7e]/g, "_");
}

function maxOctal(width: number): number {
  return 8 ** (width - 1) - 1;
}

function clamp(value: number, width: number): number {
  return value >= 0 && value <= maxOctal(width) ? value : 0;
}

function octal(value: number, width: number): string {
  return `${value.toString(8).padStart(width - 1, "0")}\0`;
}
