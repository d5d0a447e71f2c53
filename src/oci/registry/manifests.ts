import { infrastructureError, usageError } from "../../errors.ts";
import { type Digest, digestOf, isDigest } from "../digest.ts";
import { isTag } from "../reference.ts";
import { type Descriptor, maxDocumentBytes, mediaTypes } from "../types.ts";
import { type Access, nameOf, pullRequest, type Request } from "./access.ts";
import { discard, headerOf, readBytes } from "./body.ts";
import { send, translate } from "./exchange.ts";
import type { Target } from "./failures.ts";
import { retried } from "./retry.ts";

/** A manifest or index as it was read. */
export interface ReadManifest {
  readonly descriptor: Descriptor;
  readonly bytes: Uint8Array;
}

const manifestTypes: ReadonlySet<string> = new Set([
  mediaTypes.index,
  mediaTypes.manifest,
  mediaTypes.dockerIndex,
  mediaTypes.dockerManifest,
]);
const acceptManifests = [...manifestTypes].join(", ");

/** Whether content of that media type is kept among the manifests of a registry, not its blobs. */
export function isManifestType(mediaType: string): boolean {
  return manifestTypes.has(mediaType);
}

/** The request for a manifest or index. Throws a usage error for what is neither a tag nor a digest. */
export function manifestRequest(access: Access, tagOrDigest: string): Request {
  if (!isDigest(tagOrDigest) && !isTag(tagOrDigest))
    throw usageError(`"${tagOrDigest}" is neither a tag nor a sha256 digest`);
  return {
    ...pullRequest(access, `manifests/${tagOrDigest}`, `manifest ${tagOrDigest}`),
    headers: { accept: acceptManifests },
  };
}

/** Whether a tag or digest names a manifest or index (distribution-spec, end-3). */
export async function headManifest(access: Access, tagOrDigest: string): Promise<boolean> {
  const request = manifestRequest(access, tagOrDigest);
  const work = async (): Promise<boolean> => {
    const { status, body } = await send(access.connection, { ...request, method: "HEAD", accept: [200, 404] });
    await discard(body);
    return status === 200;
  };
  return retried(work, access.policy, access.signal);
}

/**
 * The digest that a tag names, by HEAD; by reading the manifest where the registry does
 * not say it (distribution-spec, end-3). Undefined where there is none.
 */
export async function headDigest(access: Access, tagOrDigest: string): Promise<Digest | undefined> {
  const request = manifestRequest(access, tagOrDigest);
  const work = async (): Promise<string | undefined> => {
    const answer = await send(access.connection, { ...request, method: "HEAD", accept: [200, 404] });
    await discard(answer.body);
    return answer.status === 404 ? undefined : (headerOf(answer.headers, "docker-content-digest") ?? "");
  };
  const said = await retried(work, access.policy, access.signal);
  if (said === undefined || isDigest(said)) return said;
  return (await getManifest(access, tagOrDigest))?.descriptor.digest;
}

/**
 * The manifest or index that a tag or digest names (distribution-spec, end-3), undefined
 * where there is none. Throws an infrastructure error when it is not what a digest or a header says.
 */
export async function getManifest(access: Access, tagOrDigest: string): Promise<ReadManifest | undefined> {
  return readManifest(access, tagOrDigest, [200, 404]);
}

/** Like {@link getManifest}, and throws an infrastructure error where there is none. */
export async function requireManifest(access: Access, tagOrDigest: string): Promise<ReadManifest> {
  const found = await readManifest(access, tagOrDigest, [200]);
  if (!found) throw infrastructureError(`${nameOf(access)} has no manifest ${tagOrDigest}`);
  return found;
}

async function readManifest(
  access: Access,
  tagOrDigest: string,
  accept: readonly number[],
): Promise<ReadManifest | undefined> {
  const { connection, policy, signal } = access;
  const request = manifestRequest(access, tagOrDigest);
  const { target, url } = request;
  const work = async (): Promise<ReadManifest | undefined> => {
    const { status, headers, body } = await send(connection, { ...request, method: "GET", accept });
    if (status === 404) {
      await discard(body);
      return undefined;
    }
    const bytes = await readBytes(body, maxDocumentBytes).catch((error: unknown) => {
      throw translate(error, target, url, signal);
    });
    if (!bytes)
      throw infrastructureError(
        `${nameOf(access)}: the manifest ${tagOrDigest} has more than ${maxDocumentBytes} bytes`,
      );
    const digest = digestOf(bytes);
    const asked = isDigest(tagOrDigest) ? tagOrDigest : undefined;
    checkDigest(digest, asked, headerOf(headers, "docker-content-digest"), target);
    const mediaType = mediaTypeOf(bytes, headerOf(headers, "content-type"), target);
    return { descriptor: { mediaType, digest, size: bytes.length }, bytes };
  };
  return retried(work, policy, signal);
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
