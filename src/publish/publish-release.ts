import pLimit from "p-limit";
import { mismatch } from "../errors.ts";
import { type Digest, digestOf } from "../oci/digest.ts";
import type { Repository } from "../oci/repository.ts";
import { type ContentReader, type Descriptor, mediaTypes } from "../oci/types.ts";
import { listReleaseContent } from "./release-content.ts";

/** A release as it goes out: the index's bytes and what it names. */
export interface ReleaseImages {
  readonly index: Uint8Array;
  readonly manifests: readonly Descriptor[];
}

/** What publishing did. */
export interface Published {
  readonly index: Descriptor;
  readonly bytesWritten: number;
}

/**
 * Whether a tag may come to name an index: it does already, it is new, or it may move.
 * Throws a mismatch error where it names another: a release's tag does not move.
 */
export async function requireTagFree(
  to: Repository,
  tag: string,
  index: Digest,
  signal?: AbortSignal,
): Promise<"new" | "there"> {
  const tagged = await to.find(tag, signal);
  if (tagged?.digest === index) return "there";
  if (!tagged) return "new";
  throw mismatch(
    `${to.name}:${tag} is ${tagged.digest} already, and this release is ${index}: a release's tag does not move`,
    {
      code: "tag-taken",
      hint: "push to another name, list the tag under tags.floating in the recipe, or find out which input changed: refoundry plan",
    },
  );
}

/**
 * Puts a release's images into a repository: blobs, then manifests, then the index under
 * its own digest. Nothing is sent that is there. No tag names it yet: that is for
 * {@link tagRelease}, when all that belongs to it is there.
 */
export async function publishImages(
  release: ReleaseImages,
  from: ContentReader,
  to: Repository,
  options: { readonly mountFrom?: string; readonly signal?: AbortSignal } = {},
): Promise<Published> {
  const { signal } = options;
  const digest = digestOf(release.index);
  const index: Descriptor = { mediaType: mediaTypes.index, digest, size: release.index.length };
  // an index is written after all that it names
  if (await isWhole(release, digest, to, signal)) return { index, bytesWritten: 0 };
  const { blobs, manifests } = await listReleaseContent(release.manifests, from, signal);
  const limit = pLimit(4);
  const sent = await Promise.all(
    blobs.map((blob) =>
      limit(() => to.pushBlob(blob, () => from.openBlob(blob, signal), { ...options, isChecked: true })),
    ),
  );
  for (const manifest of manifests)
    await to.pushManifest(await from.readDocument(manifest, signal), manifest.mediaType, manifest.digest, signal);
  await to.pushManifest(release.index, mediaTypes.index, digest, signal);
  const documents = manifests.reduce((sum, manifest) => sum + manifest.size, release.index.length);
  return { index, bytesWritten: sent.reduce((sum, bytes) => sum + bytes, documents) };
}

async function isWhole(release: ReleaseImages, index: Digest, to: Repository, signal?: AbortSignal): Promise<boolean> {
  if (!(await to.hasManifest(index, signal))) return false;
  const found = await Promise.all(release.manifests.map(({ digest }) => to.hasManifest(digest, signal)));
  return found.every(Boolean);
}

/** Lets a tag name the index. Gives whether it did not before. */
export async function tagRelease(
  index: Uint8Array,
  to: Repository,
  tag: string,
  signal?: AbortSignal,
): Promise<boolean> {
  const before = await to.find(tag, signal);
  if (before?.digest === digestOf(index)) return false;
  await to.pushManifest(index, mediaTypes.index, tag, signal);
  return true;
}
