import pLimit from "p-limit";
import { canonicalJson } from "../json.ts";
import { type Digest, digestOf } from "../oci/digest.ts";
import { readManifest } from "../oci/manifest.ts";
import type { Repository } from "../oci/repository.ts";
import { type ContentReader, type Descriptor, type ImageManifest, mediaTypes } from "../oci/types.ts";
import { capsuleTag } from "./read-capsule.ts";
import { annotationNames, artifactTypes, type ComponentKind, type HeldSince } from "./types.ts";

/** Files that are one component: each layer says in its annotations what it is. */
export interface FilesComponent {
  readonly kind: Exclude<ComponentKind, "image">;
  readonly of: string;
  readonly layers: readonly Descriptor[];
}

/** An image that is a component as it is. */
export interface ImageComponent {
  readonly kind: "image";
  readonly of: string;
  readonly title: string;
  readonly manifest: Descriptor;
  /** What the release pins, where that is not the manifest's own digest. */
  readonly pinned?: Digest;
  readonly platform?: string;
}

/** What a capsule is to hold; all of it is in one place already. */
export interface CapsuleContent {
  readonly recipe: string;
  readonly version: string;
  readonly expectedIndex?: Digest;
  readonly components: readonly (FilesComponent | ImageComponent)[];
}

/** What writing a capsule did. */
export interface WrittenCapsule {
  readonly capsule: Descriptor;
  readonly tag: string;
  /** Bytes of all blobs that the capsule holds. */
  readonly bytes: number;
  readonly bytesSent: number;
  readonly blobs: number;
  readonly blobsSent: number;
}

const emptyConfig = {
  mediaType: "application/vnd.oci.empty.v1+json",
  digest: digestOf("{}"),
  size: 2,
} as const satisfies Descriptor;

/**
 * Puts a capsule into an escrow: blobs, then manifests, then the index, then its tag, so
 * that a tag never names what is not whole. Nothing is sent that is there, and the same
 * content gives the same digest: there is no time in it.
 */
export async function writeCapsule(
  content: CapsuleContent,
  from: ContentReader,
  to: Repository,
  signal?: AbortSignal,
): Promise<WrittenCapsule> {
  const blobs = new Map<Digest, Descriptor>();
  const manifests: { readonly bytes: Uint8Array; readonly child: Descriptor }[] = [];
  for (const component of content.components) {
    const { bytes, child, holds } =
      component.kind === "image" ? await imageChild(component, from, signal) : filesChild(component);
    manifests.push({ bytes, child });
    for (const blob of holds) blobs.set(blob.digest, blob);
  }
  const sent = await pushBlobs([...blobs.values()], from, to, signal);
  for (const { bytes, child } of manifests) await to.pushManifest(bytes, child.mediaType, child.digest, signal);
  const index = Buffer.from(
    canonicalJson({
      schemaVersion: 2,
      mediaType: mediaTypes.index,
      artifactType: artifactTypes.capsule,
      manifests: manifests.map(({ child }) => child),
      annotations: {
        [annotationNames.recipe]: content.recipe,
        [annotationNames.version]: content.version,
        ...(content.expectedIndex !== undefined && { [annotationNames.expectedIndex]: content.expectedIndex }),
      },
    }),
  );
  const capsule: Descriptor = { mediaType: mediaTypes.index, digest: digestOf(index), size: index.length };
  const tag = capsuleTag(content.recipe, content.version);
  if ((await to.find(tag, signal))?.digest !== capsule.digest)
    await to.pushManifest(index, mediaTypes.index, tag, signal);
  return {
    capsule,
    tag,
    bytes: [...blobs.values()].reduce((sum, { size }) => sum + size, 0),
    bytesSent: sent.reduce((sum, bytes) => sum + bytes, 0),
    blobs: blobs.size,
    blobsSent: sent.filter((bytes) => bytes > 0).length,
  };
}

/** Writes down since when a capsule is held, and where what is in it came from, unless that is known already. */
export async function markHeld(
  capsule: Descriptor,
  to: Repository,
  now: HeldSince,
  signal?: AbortSignal,
): Promise<void> {
  const options = { artifactType: artifactTypes.held, ...(signal && { signal }) };
  if ((await to.listReferrers(capsule.digest, options)).length > 0) return;
  const bytes = Buffer.from(canonicalJson(now));
  const layer: Descriptor = { mediaType: artifactTypes.held, digest: digestOf(bytes), size: bytes.length };
  const manifest: ImageManifest = {
    schemaVersion: 2,
    mediaType: mediaTypes.manifest,
    artifactType: artifactTypes.held,
    config: emptyConfig,
    layers: [layer],
    subject: capsule,
    annotations: { [annotationNames.created]: now.since },
  };
  const document = Buffer.from(canonicalJson(manifest));
  await to.pushBlob(emptyConfig, () => once(Buffer.from("{}")), signal ? { signal } : {});
  await to.pushBlob(layer, () => once(bytes), signal ? { signal } : {});
  await to.pushManifest(document, mediaTypes.manifest, digestOf(document), signal);
}

async function pushBlobs(
  blobs: readonly Descriptor[],
  from: ContentReader,
  to: Repository,
  signal?: AbortSignal,
): Promise<number[]> {
  const limit = pLimit(4);
  return Promise.all(
    blobs.map((blob) =>
      limit(() => {
        if (blob.digest === emptyConfig.digest)
          return to.pushBlob(blob, () => once(Buffer.from("{}")), signal ? { signal } : {});
        const open = (): AsyncIterable<Uint8Array> => from.openBlob(blob, signal);
        return to.pushBlob(blob, open, { isChecked: true, ...(signal && { signal }) });
      }),
    ),
  );
}

interface Child {
  readonly bytes: Uint8Array;
  readonly child: Descriptor;
  readonly holds: readonly Descriptor[];
}

function filesChild({ kind, of, layers }: FilesComponent): Child {
  const manifest: ImageManifest = {
    schemaVersion: 2,
    mediaType: mediaTypes.manifest,
    artifactType: artifactTypes[kind],
    config: emptyConfig,
    layers: [...layers],
  };
  const bytes = Buffer.from(canonicalJson(manifest));
  const annotations = { [annotationNames.component]: kind, [annotationNames.of]: of };
  const child = { mediaType: mediaTypes.manifest, digest: digestOf(bytes), size: bytes.length, annotations };
  return { bytes, child, holds: [emptyConfig, ...layers] };
}

async function imageChild(
  { of, title, manifest, pinned, platform }: ImageComponent,
  from: ContentReader,
  signal?: AbortSignal,
): Promise<Child> {
  const { config, layers } = await readManifest(from, manifest, signal);
  const { mediaType, digest, size } = manifest;
  const annotations = {
    [annotationNames.component]: "image",
    [annotationNames.of]: of,
    [annotationNames.title]: title,
    ...(pinned !== undefined && pinned !== digest && { [annotationNames.pinned]: pinned }),
    ...(platform !== undefined && { [annotationNames.platform]: platform }),
  };
  const bytes = await from.readDocument(manifest, signal);
  return { bytes, child: { mediaType, digest, size, annotations }, holds: [config, ...layers] };
}

async function* once(bytes: Uint8Array): AsyncGenerator<Uint8Array> {
  yield bytes;
}
