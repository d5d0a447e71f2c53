import { type Digest, hexOf } from "../oci/digest.ts";
import type { Repository } from "../oci/repository.ts";
import { type ContentReader, type Descriptor, type ImageManifest, mediaTypes } from "../oci/types.ts";
import { annotationNames, artifactTypes, type Capsule, type EscrowReader, type HeldContent } from "./types.ts";

/** The tag under which the artifact with a commit's bundle is found without its capsule. */
export function commitTag(commit: string): string {
  return `commit-${commit}`;
}

/** The tag under which the artifact with a pinned index is found without its capsule. */
export function documentTag(digest: Digest): string {
  return `index-${hexOf(digest)}`;
}

/** Whether a tag of an escrow is one of {@link commitTag} and {@link documentTag}, and so names no capsule. */
export function isLookupTag(tag: string): boolean {
  return /^(commit-[0-9a-f]{40}|index-[0-9a-f]{64})$/.test(tag);
}

/** An escrow for those who fetch; with a capsule, what that names is looked at first. */
export function escrowReader(escrow: Repository, capsule?: Capsule): EscrowReader {
  const held = (capsule?.components ?? []).flatMap(({ contents }) => contents);
  return {
    name: escrow.name,
    async openFile({ digest, size }, signal) {
      if (!(await escrow.hasBlob({ digest, size }, signal))) return undefined;
      return escrow.openBlob({ mediaType: "application/octet-stream", digest, size }, signal);
    },
    async openBundle(commit, signal) {
      const known = held.find((content) => content.commit === commit)?.descriptor;
      const bundle = known ?? (await findBundle(escrow, commit, signal));
      return bundle && escrow.openBlob(bundle, signal);
    },
    async findImage(digest, signal) {
      const known = held.find((content) => content.kind === "image" && content.descriptor.digest === digest);
      if (known) return { descriptor: plain(known.descriptor), reader: escrow };
      const document = held.find((content) => content.kind === "index" && content.descriptor.digest === digest);
      const inCapsule = document && readDocument(escrow, document.descriptor);
      if (inCapsule) return inCapsule;
      const found = await escrow.find(digest, signal);
      if (found) return { descriptor: found, reader: escrow };
      const layer = await findLayer(escrow, documentTag(digest), artifactTypes.document, signal);
      return layer?.digest === digest ? readDocument(escrow, layer) : undefined;
    },
  };
}

/** The bundle of a commit, wherever in the escrow; undefined where there is none. */
export async function findBundle(
  escrow: Repository,
  commit: string,
  signal?: AbortSignal,
): Promise<HeldContent["descriptor"] | undefined> {
  const layer = await findLayer(escrow, commitTag(commit), artifactTypes.source, signal);
  return layer?.annotations?.[annotationNames.commit] === commit ? layer : undefined;
}

/** The first layer of an artifact under a tag. */
async function findLayer(
  escrow: Repository,
  tag: string,
  artifactType: string,
  signal?: AbortSignal,
): Promise<Descriptor | undefined> {
  const descriptor = await escrow.find(tag, signal);
  if (descriptor?.mediaType !== mediaTypes.manifest) return undefined;
  const bytes = await escrow.readDocument(descriptor, signal);
  const manifest = JSON.parse(Buffer.from(bytes).toString("utf8")) as Partial<ImageManifest>;
  return manifest.artifactType === artifactType ? manifest.layers?.[0] : undefined;
}

/** A pinned index that is kept as a blob, since a registry takes no index whose children it lacks. */
function readDocument(
  escrow: Repository,
  layer: Descriptor,
): { readonly descriptor: Descriptor; readonly reader: ContentReader } | undefined {
  const mediaType = layer.annotations?.[annotationNames.mediaType];
  if (mediaType === undefined) return undefined;
  const asBlob = (descriptor: Descriptor): Descriptor =>
    descriptor.digest === layer.digest ? { ...descriptor, mediaType: layer.mediaType } : descriptor;
  return {
    descriptor: { mediaType, digest: layer.digest, size: layer.size },
    reader: {
      name: escrow.name,
      openBlob: (descriptor, signal) => escrow.openBlob(asBlob(descriptor), signal),
      readDocument: (descriptor, signal) => escrow.readDocument(asBlob(descriptor), signal),
    },
  };
}

function plain({ mediaType, digest, size }: Descriptor): Descriptor {
  return { mediaType, digest, size };
}
