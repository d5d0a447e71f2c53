import { usageError } from "../../errors.ts";
import { verified } from "../digest.ts";
import { readDocumentFrom } from "../layout.ts";
import { isRepositoryName } from "../reference.ts";
import type { Repository } from "../repository.ts";
import type { Descriptor } from "../types.ts";
import { type Access, pullRequest } from "./access.ts";
import type { Connection } from "./exchange.ts";
import {
  getManifest,
  headDigest,
  headManifest,
  isManifestType,
  manifestRequest,
  requireManifest,
} from "./manifests.ts";
import { readContent } from "./read.ts";
import { readReferrers } from "./referrers.ts";
import { retried, type RetryPolicy } from "./retry.ts";
import { listTags } from "./tags.ts";
import { headBlob, uploadBlob } from "./upload.ts";
import { putManifest } from "./write.ts";

/** The repository of that name at a registry. Throws a usage error when the name is none. */
export function openRepository(connection: Connection, repository: string, policy: RetryPolicy): Repository {
  const { host, origin } = connection.endpoint;
  if (!isRepositoryName(repository)) throw usageError(`"${repository}" is not the name of a repository at ${host}`);
  const name = `${host}/${repository}`;
  const root = new URL(`${origin}/v2/${repository}/`);

  function access(signal: AbortSignal | undefined): Access {
    return { connection, root, host, repository, policy, ...(signal && { signal }) };
  }

  function openBlob(descriptor: Descriptor, signal?: AbortSignal): AsyncGenerator<Uint8Array> {
    const { mediaType, digest } = descriptor;
    const request = isManifestType(mediaType)
      ? manifestRequest(access(signal), digest)
      : pullRequest(access(signal), `blobs/${digest}`, `blob ${digest}`);
    return readContent(connection, request, descriptor, policy);
  }

  return {
    name,
    openBlob,
    readDocument: (descriptor, signal) => readDocumentFrom(openBlob(descriptor, signal), descriptor, name),
    resolve: async (tagOrDigest, signal) => requireManifest(access(signal), tagOrDigest),
    find: async (tagOrDigest, signal) => (await getManifest(access(signal), tagOrDigest))?.descriptor,
    head: async (tagOrDigest, signal) => {
      const digest = await headDigest(access(signal), tagOrDigest);
      return digest && { digest };
    },
    hasManifest: async (tagOrDigest, signal) => headManifest(access(signal), tagOrDigest),
    hasBlob: (content, signal) => retried(() => headBlob(access(signal), content, pullRequest), policy, signal),
    pushBlob: async (content, open, { mountFrom, isChecked = false, signal } = {}) => {
      if (mountFrom !== undefined && !isRepositoryName(mountFrom))
        throw usageError(`"${mountFrom}" is not the name of a repository at ${host}`);
      const checked = isChecked ? open : () => verified(open(), content, `blob for ${name}`);
      return uploadBlob(access(signal), content, checked, mountFrom === repository ? undefined : mountFrom);
    },
    pushManifest: async (bytes, mediaType, tagOrDigest, signal) =>
      putManifest(access(signal), bytes, mediaType, tagOrDigest),
    listReferrers: async (subject, { artifactType, signal } = {}) => [
      ...(await readReferrers(access(signal), subject, artifactType)).referrers,
    ],
    listTags: async (signal) => listTags(access(signal)),
  };
}
