import { randomUUID } from "node:crypto";
import { createReadStream } from "node:fs";
import { mkdir, open, readFile, rename, rm, stat } from "node:fs/promises";
import { join } from "node:path";
import { errorCode, infrastructureError, usageError } from "../errors.ts";
import { processIdentity } from "../process/identity.ts";
import { createDigester, type Digest, digestOf, hexOf, verified } from "./digest.ts";
import { type ContentReader, type Descriptor, type ImageIndex, maxDocumentBytes, mediaTypes } from "./types.ts";

/** An OCI image layout on disk (image-spec, image-layout.md), read and written. */
export interface OciLayout extends ContentReader {
  /** The layout's folder. */
  readonly path: string;
  /** Where a blob is or would be. */
  blobPath(digest: Digest): string;
  /** Whether a blob of that size is there; its content is checked when it is read. */
  has(content: { readonly digest: Digest; readonly size: number }): Promise<boolean>;
  /** Writes a document or small blob; one that is there already is left alone. */
  writeBytes(bytes: Uint8Array | string, mediaType: string): Promise<Descriptor>;
  /**
   * Writes a stream. When `expected` is given, content that is not as expected is not
   * kept. Nothing appears under its digest before it is whole and on disk.
   */
  writeStream(
    chunks: AsyncIterable<Uint8Array>,
    expected?: { readonly digest: Digest; readonly size?: number },
  ): Promise<{ readonly digest: Digest; readonly size: number }>;
  /** The layout's `index.json`. */
  readIndex(): Promise<ImageIndex>;
  /** Replaces `index.json` in one step. */
  writeIndex(index: ImageIndex): Promise<void>;
}

const layoutMarker = '{"imageLayoutVersion":"1.0.0"}';
const readChunkBytes = 1024 * 1024;

/** Opens a layout that exists. Throws a usage error when the folder is not one. */
export async function openLayout(path: string): Promise<OciLayout> {
  try {
    const marker: unknown = JSON.parse(await readFile(join(path, "oci-layout"), "utf8"));
    if (typeof marker !== "object" || marker === null || !("imageLayoutVersion" in marker)) throw new SyntaxError();
  } catch (cause) {
    const reason = errorCode(cause) === "ENOENT" ? "it has no oci-layout file" : "its oci-layout file cannot be read";
    throw usageError(`${path} is not an OCI layout: ${reason}`, { cause });
  }
  return layoutAt(path);
}

/** Opens a layout, making an empty one where there is none. */
export async function ensureLayout(path: string): Promise<OciLayout> {
  await mkdir(join(path, "blobs", "sha256"), { recursive: true });
  await writeIfAbsent(join(path, "oci-layout"), layoutMarker);
  const empty: ImageIndex = { schemaVersion: 2, mediaType: mediaTypes.index, manifests: [] };
  await writeIfAbsent(join(path, "index.json"), JSON.stringify(empty));
  return layoutAt(path);
}

function layoutAt(path: string): OciLayout {
  const name = `oci:${path}`;
  const blobPath = (digest: Digest): string => join(path, "blobs", "sha256", hexOf(digest));

  async function* openBlob(descriptor: Descriptor, signal?: AbortSignal): AsyncGenerator<Uint8Array> {
    const file = createReadStream(blobPath(descriptor.digest), {
      highWaterMark: readChunkBytes,
      ...(signal && { signal }),
    });
    try {
      yield* verified(file, descriptor, `blob in ${name}`);
    } catch (cause) {
      if (errorCode(cause) === "ENOENT")
        throw infrastructureError(`${name} lacks blob ${descriptor.digest}`, { cause });
      throw cause;
    } finally {
      file.destroy();
    }
  }

  async function has(content: { readonly digest: Digest; readonly size: number }): Promise<boolean> {
    const found = await stat(blobPath(content.digest)).catch(() => undefined);
    return found?.isFile() === true && found.size === content.size;
  }

  async function writeStream(
    chunks: AsyncIterable<Uint8Array>,
    expected?: { readonly digest: Digest; readonly size?: number },
  ): Promise<{ digest: Digest; size: number }> {
    const digester = createDigester();
    let size = 0;
    const checked = expected ? verified(chunks, expected, "content") : chunks;
    const temporary = await writeTemporary(path, async function* () {
      for await (const chunk of checked) {
        size += chunk.length;
        // what is expected is hashed by its check, and once is enough
        if (!expected) digester.update(chunk);
        yield chunk;
      }
    });
    const digest = expected?.digest ?? digester.digest();
    await rename(temporary, blobPath(digest));
    return { digest, size };
  }

  return {
    path,
    name,
    blobPath,
    has,
    openBlob,
    writeStream,
    async readDocument(descriptor, signal) {
      return readDocumentFrom(openBlob(descriptor, signal), descriptor, name);
    },
    async writeBytes(bytes, mediaType) {
      const content = typeof bytes === "string" ? Buffer.from(bytes) : bytes;
      const digest = digestOf(content);
      const descriptor: Descriptor = { mediaType, digest, size: content.length };
      if (!(await has(descriptor))) await writeStream(only(content), descriptor);
      return descriptor;
    },
    async readIndex() {
      const text = await readFile(join(path, "index.json"), "utf8");
      const index = JSON.parse(text) as ImageIndex;
      if (!Array.isArray(index.manifests)) throw usageError(`${path}/index.json is not an image index`);
      return index;
    },
    async writeIndex(index) {
      const temporary = await writeTemporary(path, () => only(Buffer.from(JSON.stringify(index))));
      await rename(temporary, join(path, "index.json"));
    },
  };
}

/** Gathers a document's bytes; refuses one larger than {@link maxDocumentBytes}. */
export async function readDocumentFrom(
  chunks: AsyncIterable<Uint8Array>,
  descriptor: Descriptor,
  from: string,
): Promise<Uint8Array> {
  if (descriptor.size > maxDocumentBytes) {
    throw infrastructureError(
      `${from}: the document ${descriptor.digest} claims ${descriptor.size} bytes; more than ${maxDocumentBytes} are not read`,
    );
  }
  return Buffer.concat(await Array.fromAsync(chunks));
}

async function* only(bytes: Uint8Array): AsyncGenerator<Uint8Array> {
  yield bytes;
}

/** Writes chunks to a new file beside the blobs, flushed to disk; removes it when that fails. */
async function writeTemporary(layoutPath: string, chunks: () => AsyncIterable<Uint8Array>): Promise<string> {
  const ingest = join(layoutPath, "ingest");
  await mkdir(ingest, { recursive: true });
  const temporary = join(ingest, `${await processIdentity()}-${randomUUID()}`);
  try {
    const file = await open(temporary, "wx");
    try {
      for await (const chunk of chunks()) await writeAll(file, chunk);
      await file.datasync();
    } finally {
      await file.close();
    }
    return temporary;
  } catch (cause) {
    await rm(temporary, { force: true });
    if (errorCode(cause) === "ENOSPC") {
      throw infrastructureError(`no space left on the disk that holds ${layoutPath}`, {
        cause,
        hint: "free some space, or move the store with REFOUNDRY_STORE=/another/folder",
      });
    }
    throw cause;
  }
}

async function writeAll(
  file: { write(bytes: Uint8Array): Promise<{ bytesWritten: number }> },
  bytes: Uint8Array,
): Promise<void> {
  let rest = bytes;
  while (rest.length > 0) {
    const { bytesWritten } = await file.write(rest);
    rest = rest.subarray(bytesWritten);
  }
}

async function writeIfAbsent(path: string, text: string): Promise<void> {
  const file = await open(path, "wx").catch((error: unknown) => {
    if (errorCode(error) === "EEXIST") return undefined;
    throw error;
  });
  if (!file) return;
  try {
    await file.writeFile(text);
  } finally {
    await file.close();
  }
}
