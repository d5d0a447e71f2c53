import { infrastructureError, RefoundryError, usageError } from "../../errors.ts";
import { type Digest, verified } from "../digest.ts";
import { readDocumentFrom } from "../layout.ts";
import { parseHeader } from "../tar/header.ts";
import { type ContentReader, type Json, maxDocumentBytes } from "../types.ts";
import { openArchiveFile, type PositionalFile } from "./archive-file.ts";
import { type ArchiveMember, type ArchiveMembers, readMembers } from "./members.ts";

/** An image's archive, open; its members are read where they stand and never unpacked. */
export interface ImageArchive extends ArchiveMembers {
  /** With its transport, for messages: `oci-archive:a.tar`. */
  readonly name: string;
  /** A member's bytes in pieces. */
  stream(member: ArchiveMember, signal?: AbortSignal): AsyncGenerator<Uint8Array>;
  /** A small member whole; throws when it is larger than {@link maxDocumentBytes}. */
  readSmall(member: ArchiveMember, signal?: AbortSignal): Promise<Buffer>;
  /** Closes the file; nothing can be read any more. */
  close(): Promise<void>;
}

const headerBytes = 512;

/**
 * Opens the tar archive of an image, compressed with gzip or zstd or not. Throws a usage
 * error when there is no such file or it is no tar archive, and an infrastructure error
 * when it is damaged.
 */
export async function openArchive(transport: string, path: string, signal?: AbortSignal): Promise<ImageArchive> {
  const file = await openArchiveFile(path, { signal });
  const name = `${transport}:${path}`;
  try {
    await requireTar(file, path);
    const members = await readMembers(file.read(0, file.size, signal), name).catch((error: unknown) => {
      throw named(error, name);
    });
    return archiveOf(file, members, name);
  } catch (error) {
    await file.close();
    throw error;
  }
}

function archiveOf(file: PositionalFile, members: ArchiveMembers, name: string): ImageArchive {
  const stream: ImageArchive["stream"] = (member, signal) => file.read(member.offset, member.size, signal);
  return {
    name,
    find: members.find,
    stream,
    async readSmall(member, signal) {
      if (member.size > maxDocumentBytes)
        throw infrastructureError(
          `${name}: ${member.name} has ${member.size} bytes; more than ${maxDocumentBytes} are not read`,
        );
      return Buffer.concat(await Array.fromAsync(stream(member, signal)));
    },
    close: () => file.close(),
  };
}

async function requireTar(file: PositionalFile, path: string): Promise<void> {
  const start = Buffer.concat(await Array.fromAsync(file.read(0, Math.min(headerBytes, file.size))));
  const isTar = start.length === headerBytes && (start.every((byte) => byte === 0) || isHeader(start));
  if (!isTar)
    throw usageError(`${path} is not a tar archive`, {
      hint: "name what skopeo copy, crane pull or docker save wrote",
    });
}

function isHeader(start: Buffer): boolean {
  try {
    parseHeader(start);
    return true;
  } catch {
    return false;
  }
}

/** The walk does not know which archive it walks. */
function named(error: unknown, name: string): unknown {
  if (!(error instanceof RefoundryError) || error.message.startsWith(name)) return error;
  if (error.kind === "interrupted") return error;
  return infrastructureError(`${name}: ${error.message}`, { cause: error });
}

/** Reads blobs out of an archive, each checked against its descriptor. `locate` gives the bytes of a digest's blob. */
export function readerOf(
  archive: ImageArchive,
  locate: (digest: Digest, signal?: AbortSignal) => AsyncIterable<Uint8Array> | undefined,
): ContentReader {
  const openBlob: ContentReader["openBlob"] = async function* (descriptor, signal) {
    const chunks = locate(descriptor.digest, signal);
    if (!chunks)
      throw infrastructureError(`${archive.name} lacks blob ${descriptor.digest}`, {
        // as a layout's folder says it
        cause: Object.assign(new Error("there is no such member"), { code: "ENOENT" }),
      });
    yield* verified(chunks, descriptor, `blob in ${archive.name}`);
  };
  return {
    name: archive.name,
    openBlob,
    readDocument: (descriptor, signal) => readDocumentFrom(openBlob(descriptor, signal), descriptor, archive.name),
  };
}

/**
 * Parses a document that names an archive's content. Throws an infrastructure error when
 * it is no JSON, or has keys that differ only in case, which Go's readers take for one
 * field. Keys of annotations are data and may.
 */
export function parseListing(bytes: Buffer, what: string): Json {
  let parsed: Json;
  try {
    parsed = JSON.parse(bytes.toString("utf8")) as Json;
  } catch (cause) {
    throw infrastructureError(`${what} is not JSON`, { cause });
  }
  const open: Json[] = [parsed];
  for (let value = open.pop(); value !== undefined; value = open.pop()) {
    if (value === null || typeof value !== "object") continue;
    const fields: [string, Json][] = Object.entries(value);
    const folded = new Set(fields.map(([key]) => key.toUpperCase().toLowerCase()));
    if (folded.size !== fields.length)
      throw infrastructureError(`${what} has keys that differ only in case, and readers disagree about them`);
    for (const [key, item] of fields) if (key !== "annotations") open.push(item);
  }
  return parsed;
}
