import pLimit from "p-limit";
import { infrastructureError, interrupted } from "../errors.ts";
import type { Digest } from "../oci/digest.ts";
import type { Reference } from "../oci/reference.ts";
import type { Repository } from "../oci/repository.ts";
import type { Descriptor } from "../oci/types.ts";
import { copyReferrers } from "./copy-referrers.ts";
import { copySignatureTags } from "./copy-signature-tags.ts";
import type { Copying, CopyLimits, CopyResult, CopyTreeOptions } from "./copy-types.ts";
import { isIndexType, isManifestOrIndex, namedContent } from "./tree-document.ts";

/** Generous for every image that is known; what is beyond is a mistake or an attack. */
const defaultCopyLimits: CopyLimits = {
  indexDepth: 8,
  referrerDepth: 8,
  manifests: 5000,
  manifestBytes: 256 * 1024 * 1024,
};

const concurrency = 4;

/**
 * Copies an image or index and all below it from one repository to another, byte for byte
 * and by digest: all platforms, nested indexes, attestations, and what refers to any of
 * them. Blobs go four at a time and as streams, what is named before what names it, the tag
 * last; so what is stopped in the middle goes on where it was, and nobody sees a half of
 * it under its tag. What is there is not read again from the source; below an index that
 * is there each child is still asked for.
 * Throws an infrastructure error when content is missing, damaged or beyond the limits.
 */
export async function copyTree(
  from: Repository,
  descriptor: Descriptor,
  to: Repository,
  options: CopyTreeOptions = {},
): Promise<CopyResult> {
  const { tag, mountFrom, trust = "manifest", onProgress: tell = () => {} } = options;
  const limits: CopyLimits = { ...defaultCopyLimits, ...options.limits };
  const stop = new AbortController();
  const signal = options.signal ? AbortSignal.any([options.signal, stop.signal]) : stop.signal;
  const counts = { blobs: 0, bytesCopied: 0, bytesThere: 0, foreignLayers: 0 };
  const seen = new Map<Digest, Descriptor>();
  const contents = new Map<string, Promise<void>>();
  const blobLimit = pLimit(concurrency);
  // held for one request each, never while others are waited for: trees share children at any depth
  const requestLimit = pLimit(concurrency);
  let manifestBytes = 0;
  let failure: { readonly error: unknown } | undefined;

  /** The first failure stops the rest, which are waited for: nothing goes on behind the caller's back. */
  async function guarded(work: () => Promise<void>): Promise<void> {
    try {
      if (!failure) await work();
    } catch (error) {
      failure ??= { error };
      stop.abort();
    }
  }

  function once(key: string, work: () => Promise<void>): Promise<void> {
    const running = contents.get(key) ?? guarded(work);
    contents.set(key, running);
    return running;
  }

  function admit(manifest: Descriptor, depth: number): void {
    const whole = `${from.name}@${descriptor.digest}`;
    if (depth > limits.indexDepth)
      throw infrastructureError(
        `${whole} has indexes in indexes, more than ${limits.indexDepth} deep: ${manifest.digest} is not read`,
      );
    seen.set(manifest.digest, manifest);
    manifestBytes += manifest.size;
    if (seen.size > limits.manifests)
      throw infrastructureError(
        `${whole} has more than ${limits.manifests} manifests and referrers: the rest is not copied`,
      );
    if (manifestBytes > limits.manifestBytes)
      throw infrastructureError(
        `${whole} has manifests and referrers of more than ${limits.manifestBytes} bytes: the rest is not copied`,
      );
  }

  async function copyBlob(blob: Descriptor): Promise<void> {
    counts.blobs += 1;
    async function* open(): AsyncGenerator<Uint8Array> {
      tell({ type: "blob", blob, outcome: "copying" });
      for await (const chunk of from.openBlob(blob, signal)) {
        tell({ type: "bytes", bytes: chunk.length });
        yield chunk;
      }
    }
    const sent = await to.pushBlob(blob, open, {
      isChecked: true,
      signal,
      ...(mountFrom !== undefined && { mountFrom }),
    });
    counts.bytesCopied += sent;
    counts.bytesThere += blob.size - sent;
    tell({ type: "blob", blob, outcome: sent > 0 ? "copied" : "there" });
  }

  async function copyBelow(manifest: Descriptor, bytes: Uint8Array, depth: number): Promise<void> {
    const { manifests, blobs, foreign } = namedContent(manifest, bytes, from.name);
    for (const layer of foreign) {
      counts.foreignLayers += 1;
      const message = `${from.name}@${manifest.digest}: the layer ${layer.digest} is not for passing on (${layer.mediaType}) and is not copied`;
      tell({ type: "notice", message });
    }
    await Promise.all([
      ...blobs.map((blob) => once(`${blob.digest} ${blob.size}`, () => blobLimit(() => copyBlob(blob)))),
      ...manifests.map((child) => copyManifest(child, depth + 1)),
    ]);
    // the failure is thrown at the end; what names the failed content must not be written
    if (failure) throw failure.error;
  }

  /** `known` says what the caller knows already: whether it is there, and its bytes. */
  function copyManifest(
    manifest: Descriptor,
    depth: number,
    known: { readonly isThere?: boolean; readonly again?: boolean; readonly bytes?: Uint8Array | undefined } = {},
  ): Promise<void> {
    return once(manifest.digest, async () => {
      admit(manifest, depth);
      const isThere = known.isThere ?? (await requestLimit(() => to.hasManifest(manifest.digest, signal)));
      const looksBelow = !isThere || trust === "blobs" || (trust === "manifest" && isIndexType(manifest));
      const writes = !isThere || known.again === true;
      if (looksBelow || writes) {
        const bytes = known.bytes ?? (await requestLimit(() => (isThere ? to : from).readDocument(manifest, signal)));
        if (looksBelow) await copyBelow(manifest, bytes, depth);
        if (writes) await requestLimit(() => to.pushManifest(bytes, manifest.mediaType, manifest.digest, signal));
      }
      counts[isThere ? "bytesThere" : "bytesCopied"] += manifest.size;
      tell({ type: "manifest", manifest, outcome: isThere ? "there" : "copied" });
    });
  }

  if (!isManifestOrIndex(descriptor))
    throw infrastructureError(
      `${from.name}@${descriptor.digest} is neither an image nor an index (media type "${descriptor.mediaType}")`,
    );
  if (options.signal?.aborted) throw interrupted();
  let inTree = 0;
  await guarded(async () => {
    const isTagged = tag !== undefined && (await to.find(tag, signal))?.digest === descriptor.digest;
    await copyManifest(descriptor, 0, { bytes: options.document, ...(isTagged && { isThere: true }) });
    inTree = seen.size;
    const copying: Copying = {
      from,
      to,
      signal,
      limits,
      seen,
      tell,
      guarded,
      copyContent: (referrer, again = false) => copyManifest(referrer, 0, { again }),
    };
    if (!failure && options.signatureTags === true) await copySignatureTags(descriptor, copying);
    if (!failure && options.referrers !== false) await copyReferrers(copying);
    if (failure || tag === undefined || isTagged) return;
    const bytes = options.document ?? (await to.readDocument(descriptor, signal));
    await to.pushManifest(bytes, descriptor.mediaType, tag, signal);
  });
  if (options.signal?.aborted) throw interrupted();
  if (failure) throw failure.error;
  const { mediaType, digest, size } = descriptor;
  return { descriptor: { mediaType, digest, size }, ...counts, manifests: inTree, referrers: seen.size - inTree };
}

/** The `mountFrom` of a copy: the source's repository, where both are in one registry, which has no need of the bytes then. */
export function mountSource(from: Reference, to: Reference): { readonly mountFrom?: string } {
  const isOne = from.kind === "registry" && to.kind === "registry" && from.host === to.host;
  return isOne ? { mountFrom: from.repository } : {};
}
