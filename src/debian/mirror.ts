import { EnvHttpProxyAgent, request } from "undici";
import pRetry, { AbortError } from "p-retry";
import { infrastructureError, interrupted, messageOf, RefoundryError } from "../errors.ts";
import type { Digest } from "../oci/digest.ts";
import type { OciLayout } from "../oci/layout.ts";
import type { SnapshotArchive } from "./snapshot.ts";

/** A file on a Debian mirror: `path` is below the mirror's root. */
export interface PinnedFile {
  readonly path: string;
  /** Bytes. */
  readonly size: number;
  /** 64 hex digits. */
  readonly sha256: string;
}

/** Where pinned files of a Debian archive come from: the store first, then a mirror, then a snapshot archive. */
export interface Mirror {
  /**
   * Puts the file into the store as a blob, its size and digest checked. Throws an
   * infrastructure error that names a file the mirror no longer has, or has otherwise.
   * `origin` is `store`, `mirror`, or the name of the archive.
   */
  fetchFile(file: PinnedFile, signal?: AbortSignal): Promise<{ readonly digest: Digest; readonly origin: string }>;
  /** A small index or control file that nothing pins yet, at most `limit` bytes. */
  fetchUnpinned(path: string, limit: number, signal?: AbortSignal): Promise<Uint8Array>;
  /** Whether the mirror has a file, by asking for its headers. Throws an infrastructure error where it cannot be asked. */
  hasFile(path: string, signal?: AbortSignal): Promise<boolean>;
  /** The mirror's root address. */
  rootUrl(): Promise<string>;
  close(): Promise<void>;
}

const timeouts = { headersTimeout: 60_000, bodyTimeout: 60_000 };

/**
 * Opens a mirror over the store's blobs. `findRoot` is asked only when a file is not in the
 * store; the archive, where there is one, for what the mirror has not, or has otherwise.
 * `onFetched` is told of every file that was not in the store.
 */
export function openMirror(
  blobs: OciLayout,
  findRoot: () => Promise<string>,
  options: {
    readonly archive?: SnapshotArchive;
    readonly onFetched?: (digest: Digest, origin: string, path: string) => Promise<void>;
  } = {},
): Mirror {
  const { archive, onFetched } = options;
  const dispatcher = new EnvHttpProxyAgent({ connections: 8 });
  let root: Promise<string> | undefined;
  const rootUrl = (): Promise<string> => (root ??= findRoot());

  const urlOf = async (path: string): Promise<string> =>
    `${await rootUrl()}/${path.split("/").map(encodeSegment).join("/")}`;

  async function open(path: string, signal?: AbortSignal): Promise<AsyncIterable<Uint8Array>> {
    const url = await urlOf(path);
    const response = await request(url, { dispatcher, ...timeouts, ...(signal && { signal }) });
    if (response.statusCode === 200) return response.body;
    await response.body.dump();
    const message = `the Debian mirror answered ${response.statusCode} for ${path}`;
    if (response.statusCode === 404 || response.statusCode === 410) {
      throw new AbortError(
        infrastructureError(`the Debian mirror no longer has ${path}`, {
          hint: "set REFOUNDRY_DEBIAN_SNAPSHOT to a snapshot archive, REFOUNDRY_DEBIAN_MIRROR to a mirror that keeps old packages, or make a new lock",
        }),
      );
    }
    const error = infrastructureError(message);
    throw response.statusCode === 429 || response.statusCode >= 500 ? error : new AbortError(error);
  }

  async function retried<T>(path: string, work: () => Promise<T>, signal?: AbortSignal): Promise<T> {
    try {
      return await pRetry(work, { retries: 3, minTimeout: 300, ...(signal && { signal }) });
    } catch (cause) {
      if (signal?.aborted) throw interrupted();
      if (cause instanceof RefoundryError) throw cause;
      throw infrastructureError(`${path} could not be fetched from the Debian mirror: ${reasonOf(cause)}`, { cause });
    }
  }

  return {
    rootUrl,
    async fetchFile(file, signal) {
      const digest: Digest = `sha256:${file.sha256}`;
      const expected = { digest, size: file.size };
      if (await blobs.has(expected)) return { digest, origin: "store" };
      const fetched = async (origin: string): Promise<{ readonly digest: Digest; readonly origin: string }> => {
        await onFetched?.(digest, origin, file.path);
        return { digest, origin };
      };
      try {
        await retried(
          file.path,
          async () => blobs.writeStream(named(await open(file.path, signal), file.path), expected),
          signal,
        );
        return await fetched("mirror");
      } catch (error) {
        if (!archive || !(error instanceof RefoundryError) || error.kind === "interrupted") throw error;
        const chunks = await archive.open(file, signal);
        if (!chunks) throw error;
        await blobs.writeStream(named(chunks, file.path, archive.name), expected);
        return fetched(archive.name);
      }
    },
    async fetchUnpinned(path, limit, signal) {
      return retried(
        path,
        async () => {
          const chunks: Uint8Array[] = [];
          let size = 0;
          for await (const chunk of await open(path, signal)) {
            size += chunk.length;
            if (size > limit)
              throw new AbortError(infrastructureError(`${path} on the Debian mirror is larger than ${limit} bytes`));
            chunks.push(chunk);
          }
          return Buffer.concat(chunks);
        },
        signal,
      );
    },
    async hasFile(path, signal) {
      const url = await urlOf(path);
      return retried(
        path,
        async () => {
          const method = "HEAD";
          const { statusCode, body } = await request(url, {
            dispatcher,
            method,
            // by default the connection is closed after HEAD
            reset: false,
            ...timeouts,
            ...(signal && { signal }),
          });
          await body.dump();
          if (statusCode === 200) return true;
          if (statusCode === 404 || statusCode === 410) return false;
          throw infrastructureError(`the Debian mirror answered ${statusCode} for ${path}`);
        },
        signal,
      );
    },
    close: () => dispatcher.destroy(),
  };
}

/** Keeps the file's name in errors of its transfer. */
async function* named(
  chunks: AsyncIterable<Uint8Array>,
  path: string,
  from = "the Debian mirror",
): AsyncGenerator<Uint8Array> {
  try {
    yield* chunks;
  } catch (cause) {
    throw infrastructureError(`the transfer of ${path} from ${from} broke off: ${messageOf(cause)}`, {
      cause,
    });
  }
}

/** Paths in a lock are as the archive writes them; `%` is already encoding there. */
function encodeSegment(segment: string): string {
  return encodeURIComponent(segment).replaceAll("%25", "%").replaceAll("%2B", "%2b").replaceAll("%3A", ":");
}

function reasonOf(error: unknown): string {
  const code = error instanceof Error && "code" in error ? ` (${String(error.code)})` : "";
  return messageOf(error) + code;
}
