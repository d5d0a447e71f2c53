import { canonicalForm, type ContentClass, type NormaliseContext } from "../class.ts";

const magics: ReadonlySet<string> = new Set(["070701", "070702"]);
const headerBytes = 110;
const maxEntries = 200_000;
const trailer = "TRAILER!!!";

interface CpioEntry {
  readonly name: string;
  readonly inode: string;
  /** Mode, owner, group, number of links and device as written. */
  readonly attributes: string;
  readonly links: number;
  readonly content: Buffer;
}

/** Archives of initial RAM disks and of packages. */
export const cpioContainer: ContentClass = {
  name: "cpio-container",
  version: 1,
  meaning: "a cpio archive with other times, inode numbers or devices that it was made on",
  normalises:
    "entries of the new ASCII format are compared in their order by name, mode, owner, number of links, device node and content; which names are one file is kept",
  safety: "unpackers give the same files; anything behind the trailer but zeros makes it another file",
  applies: ({ bytes }) => magics.has(bytes.toString("latin1", 0, 6)),
  async normalise({ bytes }, context) {
    const parts: (Buffer | string)[] = [];
    const inodes = new Map<string, number>();
    let at = 0;
    for (let count = 0; ; count += 1) {
      const read = readEntry(bytes, at);
      if (!read || count > maxEntries) return undefined;
      at = read.next;
      if (read.entry.name === trailer) break;
      parts.push(await describe(read.entry, inodes, context));
    }
    return bytes.subarray(at).every((byte) => byte === 0) ? canonicalForm("cpio", parts) : undefined;
  },
};

async function describe(entry: CpioEntry, inodes: Map<string, number>, context: NormaliseContext): Promise<Buffer> {
  // of a file with several names it counts which they are, not by which number they are known
  const group = entry.links > 1 ? (inodes.get(entry.inode) ?? inodes.size) : -1;
  if (entry.links > 1) inodes.set(entry.inode, group);
  context.spend(entry.content.length);
  const content = await context.member(entry.name, entry.content);
  return canonicalForm("entry", [entry.name, entry.attributes, String(group), content]);
}

function readEntry(bytes: Buffer, at: number): { readonly entry: CpioEntry; readonly next: number } | undefined {
  const header = bytes.toString("latin1", at, at + headerBytes);
  if (!magics.has(header.slice(0, 6)) || !/^[0-9a-fA-F]{104}$/.test(header.slice(6))) return undefined;
  const field = (index: number): string => header.slice(6 + index * 8, 14 + index * 8).toLowerCase();
  const number = (index: number): number => Number.parseInt(field(index), 16);
  const [size, nameSize] = [number(6), number(11)];
  const nameEnd = at + headerBytes + nameSize;
  const start = aligned(nameEnd);
  const end = start + size;
  if (nameSize < 1 || end > bytes.length || bytes[nameEnd - 1] !== 0) return undefined;
  const entry: CpioEntry = {
    name: bytes.toString("latin1", at + headerBytes, nameEnd - 1),
    inode: `${field(0)} ${field(7)} ${field(8)}`,
    attributes: [1, 2, 3, 4, 9, 10].map(field).join(" "),
    links: number(4),
    content: bytes.subarray(start, end),
  };
  const isPadded = [bytes.subarray(nameEnd, start), bytes.subarray(end, aligned(end))].every((gap) =>
    gap.every((byte) => byte === 0),
  );
  return isPadded ? { entry, next: Math.min(bytes.length, aligned(end)) } : undefined;
}

function aligned(offset: number): number {
  return Math.ceil(offset / 4) * 4;
}
