import { readFile, stat, utimes } from "node:fs/promises";
import { join } from "node:path";
import { infrastructureError, usageError } from "../errors.ts";
import { withLock } from "../process/lock.ts";
import { type Digest, digestOf, isDigest } from "./digest.ts";
import { ensureLayout, type OciLayout } from "./layout.ts";
import { isTag } from "./reference.ts";
import { isReferrerTag, referrerDescriptor, subjectOf } from "./referrers.ts";
import type { Repository } from "./repository.ts";
import { type Descriptor, type ImageIndex, maxDocumentBytes, mediaTypes } from "./types.ts";

const refName = "org.opencontainers.image.ref.name";

/**
 * An OCI layout that serves as a repository: tags are entries of `index.json` with
 * `org.opencontainers.image.ref.name`, referrers are entries without (as oras reads and
 * writes them). Makes an empty layout where there is none.
 */
export async function openLayoutRepository(path: string): Promise<Repository> {
  return layoutRepository(await ensureLayout(path));
}

function layoutRepository(layout: OciLayout): Repository {
  const { name } = layout;

  async function findDescriptor(tagOrDigest: string): Promise<Descriptor | undefined> {
    if (!isDigest(tagOrDigest)) {
      if (!isTag(tagOrDigest)) throw usageError(`"${tagOrDigest}" is neither a tag nor a sha256 digest`);
      const { manifests } = await layout.readIndex();
      const entry = manifests.find((candidate) => candidate.annotations?.[refName] === tagOrDigest);
      return entry && { mediaType: entry.mediaType, digest: entry.digest, size: entry.size };
    }
    const found = await stat(layout.blobPath(tagOrDigest)).catch(() => undefined);
    if (!found?.isFile() || found.size > maxDocumentBytes) return undefined;
    const bytes = await readFile(layout.blobPath(tagOrDigest));
    const mediaType = digestOf(bytes) === tagOrDigest ? manifestTypeOf(bytes) : undefined;
    return mediaType === undefined ? undefined : { mediaType, digest: tagOrDigest, size: bytes.length };
  }

  async function find(tagOrDigest: string): Promise<Descriptor | undefined> {
    const descriptor = await findDescriptor(tagOrDigest);
    return descriptor && (await layout.has(descriptor)) ? descriptor : undefined;
  }

  /** Who sweeps the layout sees by its time that somebody is about to name a blob. */
  async function touch(digest: Digest): Promise<void> {
    const now = new Date();
    await utimes(layout.blobPath(digest), now, now).catch(() => undefined);
  }

  async function updateIndex(change: (manifests: readonly Descriptor[]) => readonly Descriptor[]): Promise<void> {
    await withLock(join(layout.path, "ingest", "index.lock"), async () => {
      const before = await layout.readIndex();
      const manifests = change(before.manifests);
      const after: ImageIndex = { schemaVersion: 2, mediaType: mediaTypes.index, manifests };
      if (JSON.stringify(before) !== JSON.stringify(after)) await layout.writeIndex(after);
    });
  }

  return {
    name,
    openBlob: layout.openBlob,
    readDocument: layout.readDocument,
    find,
    async resolve(tagOrDigest, signal) {
      const descriptor = await find(tagOrDigest);
      if (!descriptor) throw infrastructureError(`${name} has no manifest ${tagOrDigest}`);
      return { descriptor, bytes: await layout.readDocument(descriptor, signal) };
    },
    hasManifest: async (tagOrDigest) => (await find(tagOrDigest)) !== undefined,
    hasBlob: (content) => layout.has(content),
    async pushBlob(content, open) {
      if (await layout.has(content)) {
        await touch(content.digest);
        return 0;
      }
      await layout.writeStream(open(), content);
      return content.size;
    },
    async pushManifest(bytes, mediaType, tagOrDigest) {
      const digest = digestOf(bytes);
      if (tagOrDigest !== digest && !isTag(tagOrDigest))
        throw usageError(`a manifest is written under a tag or its own digest, not "${tagOrDigest}"`, {
          hint: `its digest is ${digest}`,
        });
      const descriptor = await layout.writeBytes(bytes, mediaType);
      await touch(digest);
      const subject = subjectOf(bytes);
      if (isTag(tagOrDigest)) {
        const tagged: Descriptor = { ...descriptor, annotations: { [refName]: tagOrDigest } };
        await updateIndex((entries) => [
          ...entries.filter((entry) => entry.annotations?.[refName] !== tagOrDigest),
          tagged,
        ]);
      } else if (subject) {
        // its annotations stay out: one of them could pass for a tag
        const { annotations: _, ...referrer } = referrerDescriptor(bytes, descriptor);
        await updateIndex((entries) =>
          entries.some((entry) => entry.digest === digest) ? entries : [...entries, referrer],
        );
      }
      return descriptor;
    },
    async listReferrers(subject, { artifactType, signal } = {}) {
      const { manifests } = await layout.readIndex();
      const found = new Map<Digest, Descriptor>();
      for (const entry of manifests) {
        if (!isDigest(entry.digest) || !(entry.size <= maxDocumentBytes) || !(await layout.has(entry))) continue;
        const bytes = await layout.readDocument(entry, signal);
        if (subjectOf(bytes)?.digest !== subject) continue;
        const { mediaType, digest, size } = entry;
        const referrer = referrerDescriptor(bytes, { mediaType, digest, size });
        if (artifactType === undefined || referrer.artifactType === artifactType) found.set(digest, referrer);
      }
      return [...found.values()].toSorted((a, b) => (a.digest < b.digest ? -1 : 1));
    },
    async listTags() {
      const { manifests } = await layout.readIndex();
      const tags = manifests.flatMap((entry) => entry.annotations?.[refName] ?? []);
      return [...new Set(tags)].filter((tag) => !isReferrerTag(tag)).toSorted();
    },
  };
}

/** The media type that a manifest or index says it has; nothing for what is neither. */
function manifestTypeOf(bytes: Uint8Array): string | undefined {
  try {
    const parsed: unknown = JSON.parse(Buffer.from(bytes).toString("utf8"));
    if (typeof parsed !== "object" || parsed === null) return undefined;
    if ("mediaType" in parsed && typeof parsed.mediaType === "string") return parsed.mediaType;
    // image-spec lets a manifest go without its media type
    if ("manifests" in parsed) return mediaTypes.index;
    return "config" in parsed && "layers" in parsed ? mediaTypes.manifest : undefined;
  } catch {
    return undefined;
  }
}
