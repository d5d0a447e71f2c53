import { createWriteStream } from "node:fs";
import { mkdir } from "node:fs/promises";
import { dirname, join } from "node:path";
import { pipeline } from "node:stream/promises";
import { setTimeout as sleep } from "node:timers/promises";
import { createGunzip } from "node:zlib";
import { EnvHttpProxyAgent, interceptors, request } from "undici";
import { infrastructureError, interrupted, messageOf, RefoundryError } from "../errors.ts";
import type { Emit } from "../events.ts";
import { fetchFromObjects } from "../git/commit-bundle.ts";
import type { BareRepository } from "../git/repository.ts";
import { decompressWith } from "../oci/decompress-with.ts";
import { readTar } from "../oci/tar/read.ts";

/** How a commit is asked for. */
export interface VaultRequest {
  /** The site's root address; its API is below `/api/1/`. */
  readonly root: string;
  readonly commit: string;
  readonly repository: BareRepository;
  /** An empty folder. */
  readonly folder: string;
  readonly emit: Emit;
  readonly signal?: AbortSignal;
}

const timeouts = { headersTimeout: 60_000, bodyTimeout: 120_000 };
/** A large history is put together for hours; whoever waits longer asks again. */
const longestWaitSeconds = 4 * 3600;
const longestPauseSeconds = 30;
const largestAnswer = 1024 * 1024;
const largestArchive = 32 * 1024 ** 3;
const mostObjects = 5_000_000;
/** Loose objects and packs; a repository's configuration, hooks and indexes are not taken. */
const objectPath = /(?:^|\/)objects\/([0-9a-f]{2}\/[0-9a-f]{38}|pack\/pack-[0-9a-f]{40}\.pack)$/;

/**
 * Brings a commit into a repository out of Software Heritage, by its identifier
 * `swh:1:rev:COMMIT`: asks the vault to put a bare repository together, waits for it, and
 * takes the objects out of it. git checks that each is what its id says. Throws an
 * infrastructure error when the archive has it not, or cannot be asked.
 */
export async function fetchFromSoftwareHeritage(vault: VaultRequest): Promise<void> {
  const { root, commit, repository, folder, signal } = vault;
  const agent = new EnvHttpProxyAgent({ connections: 2 });
  const dispatcher = agent.compose(interceptors.redirect({ maxRedirections: 3 }));
  const get = async (url: string, method: "GET" | "POST") => {
    const { statusCode, body } = await request(url, { method, dispatcher, ...timeouts, ...(signal && { signal }) });
    if (statusCode === 200) return body;
    await body.dump();
    if (statusCode === 404) throw infrastructureError(`Software Heritage has no swh:1:rev:${commit}`);
    throw infrastructureError(`Software Heritage answered ${statusCode} for ${new URL(url).pathname}`);
  };
  try {
    const place = `${root}/api/1/vault/git-bare/swh:1:rev:${commit}/`;
    const archive = await waitForArchive(place, get, vault);
    const chunks = await get(archive, "GET");
    const options = { folder, ...(signal && { signal }) };
    await fetchFromObjects(repository, commit, options, (path) => unpackObjects(chunks, path));
  } catch (cause) {
    if (signal?.aborted) throw interrupted();
    if (cause instanceof RefoundryError) throw cause;
    throw infrastructureError(`Software Heritage cannot be asked: ${messageOf(cause)}`, { cause });
  } finally {
    await agent.destroy();
  }
}

/** Asks for a bundle to be made, and gives its address once it is. */
async function waitForArchive(
  place: string,
  get: (url: string, method: "GET" | "POST") => Promise<AsyncIterable<Uint8Array>>,
  { commit, emit, signal }: VaultRequest,
): Promise<string> {
  const startedAt = performance.now();
  for (let pause = 1; ; pause = Math.min(pause * 1.5, longestPauseSeconds)) {
    const {
      status,
      fetch_url: address,
      progress_message: progress,
    } = await readAnswer(await get(place, pause === 1 ? "POST" : "GET"));
    if (status === "done") {
      const url = URL.parse(typeof address === "string" ? address : "raw/", place);
      // the address comes from the answer: it is asked nowhere else
      if (url?.origin === new URL(place).origin) return url.href;
      throw infrastructureError(`Software Heritage keeps swh:1:rev:${commit} somewhere else: ${String(address)}`);
    }
    if (status !== "new" && status !== "pending")
      throw infrastructureError(`Software Heritage could not put swh:1:rev:${commit} together: ${String(progress)}`);
    if ((performance.now() - startedAt) / 1000 > longestWaitSeconds)
      throw infrastructureError(`Software Heritage is still putting swh:1:rev:${commit} together; ask again later`);
    const doing = `Software Heritage is putting ${commit.slice(0, 12)} together: ${String(progress ?? status)}`;
    emit({ type: "stage-progress", stage: "source", doing: doing.slice(0, 200) });
    await sleep(pause * 1000, undefined, signal && { signal });
  }
}

async function readAnswer(body: AsyncIterable<Uint8Array>): Promise<Readonly<Record<string, unknown>>> {
  const chunks: Uint8Array[] = [];
  let size = 0;
  for await (const chunk of body) {
    size += chunk.length;
    if (size > largestAnswer) throw infrastructureError("Software Heritage answered with more than an answer");
    chunks.push(chunk);
  }
  const parsed: unknown = JSON.parse(Buffer.concat(chunks).toString("utf8"));
  if (typeof parsed === "object" && parsed !== null) return parsed as Readonly<Record<string, unknown>>;
  throw infrastructureError("Software Heritage gave no JSON object");
}

/** Writes the objects of a bare repository's tar, compressed or not, below a repository's folder. */
async function unpackObjects(chunks: AsyncIterable<Uint8Array>, path: string): Promise<void> {
  let bytes = 0;
  let objects = 0;
  for await (const entry of readTar(await decompressed(chunks))) {
    const [, name] = objectPath.exec(entry.path) ?? [];
    if (entry.type !== "file" || name === undefined) continue;
    bytes += entry.size;
    objects += 1;
    if (bytes > largestArchive || objects > mostObjects)
      throw infrastructureError("Software Heritage's archive is larger than any source");
    const file = join(path, "objects", name);
    await mkdir(dirname(file), { recursive: true });
    await pipeline(entry.content, createWriteStream(file, { flags: "wx" }));
  }
}

async function decompressed(chunks: AsyncIterable<Uint8Array>): Promise<AsyncIterable<Uint8Array>> {
  const iterator = chunks[Symbol.asyncIterator]();
  const first = await iterator.next();
  async function* whole(): AsyncGenerator<Uint8Array> {
    if (first.done) return;
    yield first.value;
    yield* { [Symbol.asyncIterator]: () => iterator };
  }
  const isGzip = !first.done && first.value[0] === 0x1f && first.value[1] === 0x8b;
  return isGzip ? decompressWith(whole(), createGunzip()) : whole();
}
