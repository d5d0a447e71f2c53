import { infrastructureError, usageError } from "../../errors.ts";
import { type Digest, digestOf, isDigest } from "../digest.ts";
import { readDocumentFrom } from "../layout.ts";
import { isRepositoryName, isTag } from "../reference.ts";
import { type ContentReader, type Descriptor, maxDocumentBytes, mediaTypes } from "../types.ts";
import { discard, headerOf, readBytes } from "./body.ts";
import { type Connection, type Exchange, send, translate } from "./exchange.ts";
import type { Target } from "./failures.ts";
import { readContent } from "./read.ts";
import { retried, type RetryPolicy } from "./retry.ts";
import { type Content, headBlob, putManifest, uploadBlob, type Writer } from "./write.ts";

/** One repository of a registry, read and written. */
export interface RegistryRepository extends ContentReader {
  /**
   * The manifest or index that a tag or digest names, with its bytes. Throws an
   * infrastructure error when it is missing or not what the digest says.
   */
  resolve(
    tagOrDigest: string,
    signal?: AbortSignal,
  ): Promise<{ readonly descriptor: Descriptor; readonly bytes: Uint8Array }>;
  /** What {@link resolve} says of it, or undefined where there is no such manifest. */
  find(tagOrDigest: string, signal?: AbortSignal): Promise<Descriptor | undefined>;
  /** Whether a tag or digest names a manifest or index. */
  hasManifest(tagOrDigest: string, signal?: AbortSignal): Promise<boolean>;
  /** Whether a blob of that digest and size is there. */
  hasBlob(content: Content, signal?: AbortSignal): Promise<boolean>;
  /**
   * Uploads a blob unless it is there. `open` makes the bytes afresh for each attempt;
   * `mountFrom` names another repository of this registry that may have it already.
   * Gives the bytes sent: 0 where the blob was there or could be mounted.
   */
  pushBlob(
    content: Content,
    open: () => AsyncIterable<Uint8Array>,
    options?: { readonly mountFrom?: string; readonly signal?: AbortSignal },
  ): Promise<number>;
  /**
   * Writes a manifest or index under a tag or its own digest, unless it is there. What it
   * names must have been pushed before.
   */
  pushManifest(bytes: Uint8Array, mediaType: string, tagOrDigest: string, signal?: AbortSignal): Promise<Descriptor>;
}

const manifestTypes: ReadonlySet<string> = new Set([
  mediaTypes.index,
  mediaTypes.manifest,
  mediaTypes.dockerIndex,
  mediaTypes.dockerManifest,
]);
const acceptManifests = [...manifestTypes].join(", ");

/** The repository of that name at a registry. Throws a usage error when the name is none. */
export function openRepository(connection: Connection, repository: string, policy: RetryPolicy): RegistryRepository {
  const { host, origin } = connection.endpoint;
  if (!isRepositoryName(repository)) throw usageError(`"${repository}" is not the name of a repository at ${host}`);
  const name = `${host}/${repository}`;
  const root = new URL(`${origin}/v2/${repository}/`);
  const pullScopes = [`repository:${repository}:pull`];

  function pull(path: string, what: string, signal: AbortSignal | undefined): Omit<Exchange, "method" | "accept"> {
    return {
      url: new URL(path, root),
      scopes: pullScopes,
      target: { host, repository, what },
      ...(signal && { signal }),
    };
  }

  function manifestRequest(tagOrDigest: string, signal: AbortSignal | undefined): Omit<Exchange, "method" | "accept"> {
    if (!isDigest(tagOrDigest) && !isTag(tagOrDigest))
      throw usageError(`"${tagOrDigest}" is neither a tag nor a sha256 digest`);
    return {
      ...pull(`manifests/${tagOrDigest}`, `manifest ${tagOrDigest}`, signal),
      headers: { accept: acceptManifests },
    };
  }

  function writer(signal: AbortSignal | undefined): Writer {
    return { connection, root, host, repository, policy, ...(signal && { signal }) };
  }

  function openBlob(descriptor: Descriptor, signal?: AbortSignal): AsyncGenerator<Uint8Array> {
    const { mediaType, digest } = descriptor;
    const exchange = manifestTypes.has(mediaType)
      ? manifestRequest(digest, signal)
      : pull(`blobs/${digest}`, `blob ${digest}`, signal);
    return readContent(connection, exchange, descriptor, policy);
  }

  async function getManifest(
    tagOrDigest: string,
    accept: readonly number[],
    signal: AbortSignal | undefined,
  ): Promise<{ readonly descriptor: Descriptor; readonly bytes: Uint8Array } | undefined> {
    const exchange = manifestRequest(tagOrDigest, signal);
    const work = async (): Promise<{ descriptor: Descriptor; bytes: Uint8Array } | undefined> => {
      const { status, headers, body } = await send(connection, { ...exchange, method: "GET", accept });
      if (status === 404) {
        await discard(body);
        return undefined;
      }
      const bytes = await readBytes(body, maxDocumentBytes).catch((error: unknown) => {
        throw translate(error, exchange.target, exchange.url, signal);
      });
      if (!bytes)
        throw infrastructureError(`${name}: the manifest ${tagOrDigest} has more than ${maxDocumentBytes} bytes`);
      const digest = digestOf(bytes);
      checkDigest(
        digest,
        isDigest(tagOrDigest) ? tagOrDigest : undefined,
        headerOf(headers, "docker-content-digest"),
        exchange.target,
      );
      const mediaType = mediaTypeOf(bytes, headerOf(headers, "content-type"), exchange.target);
      return { descriptor: { mediaType, digest, size: bytes.length }, bytes };
    };
    return retried(work, policy, signal);
  }

  return {
    name,
    openBlob,
    readDocument: (descriptor, signal) => readDocumentFrom(openBlob(descriptor, signal), descriptor, name),
    async resolve(tagOrDigest, signal) {
      const found = await getManifest(tagOrDigest, [200], signal);
      if (!found) throw infrastructureError(`${name} has no manifest ${tagOrDigest}`);
      return found;
    },
    find: async (tagOrDigest, signal) => (await getManifest(tagOrDigest, [200, 404], signal))?.descriptor,
    async hasManifest(tagOrDigest, signal) {
      const exchange = manifestRequest(tagOrDigest, signal);
      const work = async (): Promise<boolean> => {
        const { status, body } = await send(connection, { ...exchange, method: "HEAD", accept: [200, 404] });
        await discard(body);
        return status === 200;
      };
      return retried(work, policy, signal);
    },
    hasBlob: (content, signal) => retried(() => headBlob(writer(signal), content, pullScopes), policy, signal),
    pushBlob: async (content, open, { mountFrom, signal } = {}) => {
      if (mountFrom !== undefined && !isRepositoryName(mountFrom))
        throw usageError(`"${mountFrom}" is not the name of a repository at ${host}`);
      return uploadBlob(writer(signal), content, open, mountFrom === repository ? undefined : mountFrom);
    },
    pushManifest: async (bytes, mediaType, tagOrDigest, signal) =>
      putManifest(writer(signal), bytes, mediaType, tagOrDigest),
  };
}

function checkDigest(
  actual: Digest,
  asked: Digest | undefined,
  header: string | undefined,
  { host, repository, what }: Target,
): void {
  const where = `${what} of ${host}/${repository}`;
  if (asked !== undefined && asked !== actual)
    throw infrastructureError(`${where} has digest ${actual}: the content was changed or damaged`);
  // a registry may name another algorithm's digest, which says nothing of ours
  if (header?.startsWith("sha256:") && header !== actual) {
    throw infrastructureError(
      `${where} has digest ${actual}, and the registry says otherwise in Docker-Content-Digest: it was changed or damaged on the way`,
    );
  }
}

/**
 * The media type of a manifest: the one inside counts, as the digest covers it. Content
 * that says one thing inside and another outside is refused (image-spec, manifest.md).
 */
function mediaTypeOf(bytes: Uint8Array, header: string | undefined, { host, repository, what }: Target): string {
  const where = `${what} of ${host}/${repository}`;
  let parsed: unknown;
  try {
    parsed = JSON.parse(Buffer.from(bytes).toString("utf8"));
  } catch (cause) {
    throw infrastructureError(`${where} is not JSON`, { cause });
  }
  if (typeof parsed !== "object" || parsed === null || Array.isArray(parsed))
    throw infrastructureError(`${where} is not a JSON object`);
  const outside = header?.split(";", 1)[0]?.trim().toLowerCase() ?? "";
  const inside = "mediaType" in parsed ? parsed.mediaType : undefined;
  if ("schemaVersion" in parsed && parsed.schemaVersion === 1) {
    throw infrastructureError(`${where} is a Docker schema 1 manifest, which is not read`, {
      hint: "push the image again with a client of this decade",
    });
  }
  const mediaType = typeof inside === "string" ? inside : outside;
  if (!manifestTypes.has(mediaType))
    throw infrastructureError(
      `${where} is neither an image manifest nor an index (media type "${mediaType.slice(0, 100)}")`,
    );
  if (manifestTypes.has(outside) && outside !== mediaType)
    throw infrastructureError(`${where} was sent as ${outside} and says it is ${mediaType}`);
  const isIndex = mediaType === mediaTypes.index || mediaType === mediaTypes.dockerIndex;
  const ambiguous = isIndex ? "config" in parsed || "layers" in parsed : "manifests" in parsed;
  if (ambiguous) throw infrastructureError(`${where} mixes an index with a manifest`);
  return mediaType;
}
