import { infrastructureError } from "../../errors.ts";
import type { RawHeader } from "./header.ts";
import { losslessText } from "./text.ts";

/** Records of pax extended headers by key, values raw. */
export type PaxRecords = ReadonlyMap<string, Buffer>;

/** Header fields with pax records applied. */
export interface EffectiveFields {
  readonly name: Buffer;
  readonly linkName: Buffer;
  readonly size: number;
  readonly uid: bigint;
  readonly gid: bigint;
  readonly uname: string;
  readonly gname: string;
  readonly mtime: string;
  readonly xattrs: ReadonlyMap<string, Buffer>;
}

const equals = 0x3d;
const space = 0x20;

/** Reads records of the form `length key=value\n` (POSIX pax); throws when one is malformed. */
export function parsePax(data: Buffer): [string, Buffer][] {
  const records: [string, Buffer][] = [];
  for (let at = 0; at < data.length; ) {
    const gap = data.indexOf(space, at);
    const length = gap === -1 || gap - at > 10 ? Number.NaN : decimal(data.toString("latin1", at, gap));
    const end = at + length;
    const separator = data.indexOf(equals, gap + 1);
    if (
      !Number.isSafeInteger(length) ||
      length <= gap - at + 1 ||
      end > data.length ||
      data[end - 1] !== 0x0a ||
      separator === -1 ||
      separator >= end
    ) {
      throw infrastructureError("the tar archive is damaged: a pax record is malformed");
    }
    records.push([losslessText(data.subarray(gap + 1, separator)), Buffer.from(data.subarray(separator + 1, end - 1))]);
    at = end;
  }
  return records;
}

/** Decimal digits as a number; NaN for anything else. */
export function decimal(text: string): number {
  return /^\d+$/.test(text) ? Number(text) : Number.NaN;
}

/** Applies pax records to a header's fields; an empty value takes the header's. */
export function applyPax(raw: RawHeader, pax: PaxRecords): EffectiveFields {
  if (pax.size === 0) return { ...raw, xattrs: noXattrs };
  const text = (key: string): string | undefined => {
    const value = pax.get(key);
    return value && value.length > 0 ? value.toString("utf8") : undefined;
  };
  const whole = (key: string): bigint | undefined => {
    const value = text(key);
    if (value === undefined) return undefined;
    if (!/^-?\d{1,30}$/.test(value))
      throw infrastructureError(`the tar archive is damaged: pax ${key} is ${JSON.stringify(value.slice(0, 40))}`);
    return BigInt(value);
  };
  const size = whole("size");
  if (size !== undefined && (size < 0n || size > BigInt(Number.MAX_SAFE_INTEGER))) {
    throw infrastructureError(`the tar archive is damaged: an entry claims a size of ${size} bytes`);
  }
  const nonEmpty = (key: string): Buffer | undefined => (pax.get(key)?.length ? pax.get(key) : undefined);
  return {
    name: nonEmpty("path") ?? raw.name,
    linkName: nonEmpty("linkpath") ?? raw.linkName,
    size: size === undefined ? raw.size : Number(size),
    uid: whole("uid") ?? raw.uid,
    gid: whole("gid") ?? raw.gid,
    uname: text("uname") ?? raw.uname,
    gname: text("gname") ?? raw.gname,
    mtime: text("mtime") ?? raw.mtime,
    xattrs: xattrsOf(pax),
  };
}

const noXattrs: ReadonlyMap<string, Buffer> = new Map();
const schily = "SCHILY.xattr.";
const libarchive = "LIBARCHIVE.xattr.";

/** star's records are raw; libarchive writes its own beside them, names percent-encoded and values in base64. */
function xattrsOf(pax: PaxRecords): Map<string, Buffer> {
  const found = new Map<string, Buffer>();
  for (const [key, value] of pax) if (key.startsWith(schily)) found.set(key.slice(schily.length), value);
  for (const [key, value] of pax) {
    if (!key.startsWith(libarchive)) continue;
    const name = percentDecoded(key.slice(libarchive.length));
    // container runtimes read star's form alone, so what only libarchive's has is told apart
    if (!found.has(name)) found.set(`${libarchive}${name}`, Buffer.from(value.toString("latin1"), "base64"));
  }
  return found;
}

function percentDecoded(text: string): string {
  const bytes = Buffer.from(text).toString("latin1");
  const decoded = bytes.replace(/%([0-9a-fA-F]{2})/g, (_, hex: string) =>
    String.fromCharCode(Number.parseInt(hex, 16)),
  );
  return losslessText(Buffer.from(decoded, "latin1"));
}
