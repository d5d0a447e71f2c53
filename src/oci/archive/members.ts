import { infrastructureError } from "../../errors.ts";
import { type TarHeader, walkTar } from "../tar/walk.ts";

/** Where a member's bytes stand in the archive's file. */
export interface ArchiveMember {
  /** As the archive has it, without `./` before it. */
  readonly name: string;
  /** Bytes from the start of the file. */
  readonly offset: number;
  readonly size: number;
}

/** The members of an archive by name. */
export interface ArchiveMembers {
  /**
   * The file of a name, links inside the archive followed. Nothing when there is none.
   * Throws an infrastructure error when links go round, and when the file is stored in
   * pieces (sparse) or is none.
   */
  find(name: string): ArchiveMember | undefined;
}

type Entry =
  | { readonly kind: "file"; readonly member: ArchiveMember; readonly isSparse: boolean }
  | { readonly kind: "link"; readonly target: string | undefined }
  | { readonly kind: "other"; readonly type: string };

const limits = { members: 100_000, nameLength: 1024, links: 32 } as const;

/**
 * Walks an image's archive once and notes where each member stands; nothing of their
 * content is kept. Throws an infrastructure error for an archive that is damaged,
 * truncated or too large a list, gives a name twice or has names that leave it.
 */
export async function readMembers(chunks: AsyncIterable<Uint8Array>, archive: string): Promise<ArchiveMembers> {
  const entries = new Map<string, Entry>();
  for await (const header of headers(chunks)) {
    // folders say nothing here, and some writers give them again and again
    if (header.type === "directory") continue;
    const name = nameInside(header.path, archive);
    if (entries.has(name)) throw infrastructureError(`${archive} has ${name} twice, and readers disagree which counts`);
    if (entries.size >= limits.members)
      throw infrastructureError(`${archive} has more than ${limits.members} members, which no image needs`);
    entries.set(name, entryOf(header, name));
  }
  return { find: (name) => follow(entries, name, archive) };
}

async function* headers(chunks: AsyncIterable<Uint8Array>): AsyncGenerator<TarHeader> {
  const { feed, steps } = walkTar();
  for await (const chunk of chunks) {
    feed.push(chunk);
    yield* untilHungry();
  }
  feed.end();
  yield* untilHungry();

  function* untilHungry(): Generator<TarHeader> {
    for (;;) {
      const step = steps.next();
      if (step.done || step.value === undefined) return;
      if (!(step.value instanceof Uint8Array)) yield step.value;
    }
  }
}

function entryOf(header: TarHeader, name: string): Entry {
  const { type, linkName, stored } = header;
  if (type === "file")
    return {
      kind: "file",
      member: { name, offset: stored.offset, size: stored.size },
      isSparse: stored.isSparse,
    };
  if (type === "hardlink") return { kind: "link", target: resolved("", linkName) };
  if (type === "symlink") return { kind: "link", target: resolved(name, linkName) };
  return { kind: "other", type };
}

function nameInside(path: string, archive: string): string {
  const shown = JSON.stringify(path.slice(0, 100));
  if (path.length > limits.nameLength)
    throw infrastructureError(`${archive} has a name of ${path.length} characters: ${shown}...`);
  if (path.startsWith("/") || path.split("/").includes(".."))
    throw infrastructureError(`${archive} has a member that stands outside of it: ${shown}`);
  return withoutDots(path);
}

function withoutDots(path: string): string {
  return path
    .split("/")
    .filter((part) => part !== "" && part !== ".")
    .join("/");
}

/** What a link means inside the archive: from the link's folder, or nothing when it leads out. */
function resolved(from: string, target: string): string | undefined {
  if (target.startsWith("/") || target.length > limits.nameLength) return undefined;
  const parts = from.split("/").slice(0, -1);
  for (const part of withoutDots(target).split("/")) {
    if (part !== "..") parts.push(part);
    else if (parts.pop() === undefined) return undefined;
  }
  return parts.join("/");
}

function follow(entries: ReadonlyMap<string, Entry>, name: string, archive: string): ArchiveMember | undefined {
  let at = name;
  for (let links = 0; links <= limits.links; links += 1) {
    const entry = entries.get(at);
    if (!entry) return undefined;
    if (entry.kind === "other") throw infrastructureError(`${archive}: ${name} is a ${entry.type}, not a file`);
    if (entry.kind === "file") {
      if (!entry.isSparse) return entry.member;
      throw infrastructureError(`${archive}: ${name} is stored as a sparse file, which is not read from an archive`, {
        hint: "write the archive again without --sparse",
      });
    }
    if (entry.target === undefined) throw infrastructureError(`${archive}: ${name} is a link that leads out of it`);
    at = entry.target;
  }
  throw infrastructureError(`${archive}: ${name} leads to more than ${limits.links} links, one behind the other`);
}
