import { Readable } from "node:stream";
import { infrastructureError, usageError } from "../../errors.ts";
import { type Digest, digestOf, verified } from "../digest.ts";
import { isTag } from "../reference.ts";
import { type Descriptor, maxDocumentBytes } from "../types.ts";
import { discard, headerOf } from "./body.ts";
import { type Answer, type Connection, type Exchange, resolveLocation, send } from "./exchange.ts";
import type { Target } from "./failures.ts";
import { retried, type RetryPolicy } from "./retry.ts";

/** Where writing goes: a repository's API root (`.../v2/NAME/`) and what its requests share. */
export interface Writer {
  readonly connection: Connection;
  readonly root: URL;
  readonly host: string;
  readonly repository: string;
  readonly policy: RetryPolicy;
  readonly signal?: AbortSignal;
}

/** Content as far as its identity goes. */
export type Content = Pick<Descriptor, "digest" | "size">;

// a registry may hash and move what it was sent before it answers
const commitSeconds = 300;

/** Scopes for writing to a repository. */
function writeScopes(repository: string): string[] {
  return [`repository:${repository}:pull,push`];
}

/** Whether the repository has a blob of that digest and size (distribution-spec, end-2). */
export async function headBlob(
  writer: Omit<Writer, "policy">,
  content: Content,
  scopes: readonly string[],
): Promise<boolean> {
  const { status, headers, body } = await send(writer.connection, {
    ...common(writer, `blob ${content.digest}`),
    method: "HEAD",
    url: new URL(`blobs/${content.digest}`, writer.root),
    scopes,
    accept: [200, 404],
  });
  await discard(body);
  const length = headerOf(headers, "content-length");
  return status === 200 && (length === undefined || Number(length) === content.size);
}

/**
 * Uploads a blob in one PUT (distribution-spec, end-4b and end-6), unless it is there
 * already or can be mounted from another repository (end-11). `open` is called for each
 * attempt, and its bytes are checked against the descriptor as they go. Gives the bytes sent.
 */
export async function uploadBlob(
  writer: Writer,
  content: Content,
  open: () => AsyncIterable<Uint8Array>,
  mountFrom: string | undefined,
): Promise<number> {
  return retried(
    async () => {
      if (await headBlob(writer, content, writeScopes(writer.repository))) return 0;
      const session = await startUpload(writer, content, mountFrom);
      if (session === "mounted") return 0;
      await putBlob(writer, content, open, session);
      return content.size;
    },
    writer.policy,
    writer.signal,
  );
}

async function startUpload(
  writer: Writer,
  { digest }: Content,
  mountFrom: string | undefined,
): Promise<URL | "mounted"> {
  const exchange = { ...common(writer, `blob ${digest}`), method: "POST" as const, headers: { "content-length": "0" } };
  const plain = new URL("blobs/uploads/", writer.root);
  const scopes = writeScopes(writer.repository);
  let answer: Answer | undefined;
  if (mountFrom !== undefined) {
    const url = new URL(`?${new URLSearchParams({ mount: digest, from: mountFrom }).toString()}`, plain);
    const accept = [201, 202, 400, 401, 403, 404, 405];
    answer = await send(writer.connection, {
      ...exchange,
      url,
      scopes: [...scopes, `repository:${mountFrom}:pull`],
      accept,
    });
    if (answer.status === 201) {
      await discard(answer.body);
      checkDigest(answer, digest, exchange.target);
      return "mounted";
    }
    // what cannot be mounted, for whatever reason, can be uploaded
    if (answer.status !== 202) {
      await discard(answer.body);
      answer = undefined;
    }
  }
  answer ??= await send(writer.connection, { ...exchange, url: plain, scopes, accept: [202] });
  await discard(answer.body);
  const session = resolveLocation(headerOf(answer.headers, "location"), plain, exchange.target);
  // the location may have a query of its own, which must be kept as it is
  session.search = `${session.search === "" ? "?" : `${session.search}&`}digest=${encodeURIComponent(digest)}`;
  return session;
}

async function putBlob(
  writer: Writer,
  content: Content,
  open: () => AsyncIterable<Uint8Array>,
  session: URL,
): Promise<void> {
  const exchange = common(writer, `blob ${content.digest}`);
  // our own content's failure must not be hidden by what the registry says of half a body
  const source: { failure?: unknown } = {};
  async function* checked(): AsyncGenerator<Uint8Array> {
    try {
      yield* verified(open(), content, `blob for ${writer.host}/${writer.repository}`);
    } catch (error) {
      source.failure = error;
      throw error;
    }
  }
  try {
    const answer = await send(writer.connection, {
      ...exchange,
      method: "PUT",
      url: session,
      scopes: writeScopes(writer.repository),
      accept: [201],
      headers: { "content-type": "application/octet-stream", "content-length": String(content.size) },
      body: () => Readable.from(checked(), { highWaterMark: 2 }),
      headersSeconds: commitSeconds,
    });
    await discard(answer.body);
    checkDigest(answer, content.digest, exchange.target);
  } catch (error) {
    throw source.failure ?? error;
  }
}

/**
 * Writes a manifest or index under a tag or its digest (distribution-spec, end-7), unless
 * it is there already. Throws when the registry made something else of it.
 */
export async function putManifest(
  writer: Writer,
  bytes: Uint8Array,
  mediaType: string,
  tagOrDigest: string,
): Promise<Descriptor> {
  const digest = digestOf(bytes);
  const descriptor: Descriptor = { mediaType, digest, size: bytes.length };
  if (tagOrDigest !== digest && !isTag(tagOrDigest)) {
    throw usageError(`a manifest is written under a tag or its own digest, not "${tagOrDigest}"`, {
      hint: `its digest is ${digest}`,
    });
  }
  if (bytes.length > maxDocumentBytes)
    throw usageError(`the manifest ${digest} has ${bytes.length} bytes; registries take at most ${maxDocumentBytes}`);
  const request = {
    ...common(writer, `manifest ${tagOrDigest}`),
    url: new URL(`manifests/${tagOrDigest}`, writer.root),
    scopes: writeScopes(writer.repository),
  };
  const work = async (): Promise<Descriptor> => {
    const there = await send(writer.connection, {
      ...request,
      method: "HEAD",
      accept: [200, 404],
      headers: { accept: mediaType },
    });
    await discard(there.body);
    if (there.status === 200 && headerOf(there.headers, "docker-content-digest") === digest) return descriptor;
    const answer = await send(writer.connection, {
      ...request,
      method: "PUT",
      accept: [201],
      headers: { "content-type": mediaType },
      body: () => bytes,
      headersSeconds: commitSeconds,
    });
    await discard(answer.body);
    checkDigest(answer, digest, request.target);
    return descriptor;
  };
  return retried(work, writer.policy, writer.signal);
}

/** Docker-Content-Digest, where a registry sends it, must be what was sent. */
function checkDigest({ headers }: Answer, digest: Digest, target: Target): void {
  const returned = headerOf(headers, "docker-content-digest");
  if (returned === undefined || returned === digest) return;
  throw infrastructureError(
    `the registry ${target.host} stored the ${target.what} of ${target.repository} under another digest than ${digest}`,
  );
}

function common(writer: Omit<Writer, "policy">, what: string): Pick<Exchange, "target" | "signal"> {
  const { host, repository, signal } = writer;
  return { target: { host, repository, what }, ...(signal && { signal }) };
}
