import { randomUUID } from "node:crypto";
import { constants } from "node:fs";
import { type FileHandle, open, rm } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { errorCode, infrastructureError, interrupted, messageOf, usageError } from "../../errors.ts";
import { compressionOf, decompressed, magicBytes } from "./compression.ts";

/** A file that is read by position. */
export interface PositionalFile {
  /** Bytes in the file. */
  readonly size: number;
  /** `length` bytes from `offset` in pieces. Throws when the file ends before. */
  read(offset: number, length: number, signal?: AbortSignal): AsyncGenerator<Uint8Array>;
  close(): Promise<void>;
}

/** What an archive may expand to; the same bound as for a layer. */
const maxExpandedBytes = 64 * 1024 ** 3;

const readBytes = 1024 * 1024;

/**
 * Opens an archive's file for reading by position. One that is compressed with gzip or
 * zstd is decompressed into a temporary file, which has no name any more once it is
 * open, so that nothing is left whatever ends the program. Throws a usage error when
 * there is no such file, or it is no regular file, or compressed otherwise.
 */
export async function openArchiveFile(
  path: string,
  options: { readonly signal?: AbortSignal | undefined; readonly maxBytes?: number } = {},
): Promise<PositionalFile> {
  const plain = await openRegular(path);
  try {
    const start = Buffer.concat(await Array.fromAsync(plain.read(0, Math.min(magicBytes, plain.size))));
    const compression = compressionOf(start);
    if (compression === "none") return plain;
    if (compression === "xz" || compression === "bzip2")
      throw usageError(`${path} is compressed with ${compression}, which is not read here`, {
        hint: `unpack it first: ${compression} -dk ${path}`,
      });
    const { maxBytes = maxExpandedBytes, signal } = options;
    const bounds = { maxBytes, name: path };
    const expanded = await keepTemporarily(decompressed(plain.read(0, plain.size, signal), compression, bounds), path);
    await plain.close();
    return expanded;
  } catch (error) {
    await plain.close();
    throw error;
  }
}

async function openRegular(path: string): Promise<PositionalFile> {
  let handle: FileHandle;
  try {
    // a named pipe would wait for a writer
    handle = await open(path, constants.O_RDONLY | constants.O_NONBLOCK);
  } catch (cause) {
    throw unopened(path, cause);
  }
  try {
    const found = await handle.stat();
    if (found.isDirectory())
      throw usageError(`${path} is a folder, not an archive`, { hint: `if it is an OCI layout, write oci:${path}` });
    if (!found.isFile()) throw usageError(`${path} is no regular file, and an archive is read in any order`);
    return positional(handle, found.size, path);
  } catch (error) {
    await handle.close();
    throw error;
  }
}

function unopened(path: string, cause: unknown): Error {
  const code = errorCode(cause);
  if (code === "ENOENT" || code === "ENOTDIR")
    return usageError(`there is no file ${path}`, {
      cause,
      hint: "what follows the last colon of oci-archive:FILE:TAG, and the first of docker-archive:FILE:NAME, is no part of the path",
    });
  return usageError(`${path} cannot be opened: ${messageOf(cause)}`, { cause });
}

function positional(handle: FileHandle, size: number, path: string): PositionalFile {
  let closing: Promise<void> | undefined;
  return {
    size,
    async *read(offset, length, signal) {
      for (let at = offset, left = length; left > 0; ) {
        if (signal?.aborted) throw interrupted();
        const { bytesRead, buffer } = await readAt(handle, at, Math.min(left, readBytes), path);
        if (bytesRead === 0) throw infrastructureError(`${path} is truncated: it ends ${left} bytes early`);
        at += bytesRead;
        left -= bytesRead;
        yield buffer.subarray(0, bytesRead);
      }
    },
    close: () => (closing ??= handle.close()),
  };
}

async function readAt(
  handle: FileHandle,
  at: number,
  length: number,
  path: string,
): Promise<{ readonly bytesRead: number; readonly buffer: Buffer }> {
  try {
    // readers may keep what they are given, so each piece has its own memory
    return await handle.read(Buffer.allocUnsafeSlow(length), 0, length, at);
  } catch (cause) {
    throw infrastructureError(`${path} cannot be read: ${messageOf(cause)}`, { cause });
  }
}

async function keepTemporarily(chunks: AsyncIterable<Uint8Array>, from: string): Promise<PositionalFile> {
  const path = join(tmpdir(), `refoundry-${randomUUID()}.tar`);
  let handle: FileHandle | undefined;
  try {
    handle = await open(path, "wx+", 0o600);
    await rm(path);
    let size = 0;
    for await (const chunk of chunks) {
      for (let done = 0; done < chunk.length; )
        done += (await handle.write(chunk, done, chunk.length - done)).bytesWritten;
      size += chunk.length;
    }
    return positional(handle, size, `${from}, decompressed,`);
  } catch (cause) {
    await handle?.close();
    if (errorCode(cause) === undefined) throw cause;
    throw infrastructureError(`${from} cannot be decompressed into ${tmpdir()}: ${messageOf(cause)}`, {
      cause,
      hint: "free some space there, or name another folder with TMPDIR, or decompress the archive yourself",
    });
  }
}
