import { readIndex } from "../oci/manifest.ts";
import { infrastructureError, mismatch, usageError } from "../errors.ts";
import type { Mirror } from "../debian/mirror.ts";
import type { Emit } from "../events.ts";
import { copyImage, isIndex } from "../oci/copy-image.ts";
import { openReference } from "../oci/open-reference.ts";
import { parsePlatform, type PlatformName, platformName } from "../oci/platform.ts";
import { parseReference } from "../oci/reference.ts";
import type { RegistryClient } from "../oci/registry/client.ts";
import type { ContentReader, Descriptor } from "../oci/types.ts";
import type { Recipe, Release } from "../recipe/schema.ts";
import type { Store } from "../store/store.ts";
import { assembleDebianUpstream } from "./assemble-debian.ts";

/** Upstream's image as it was pinned, held in the store. */
export interface ObtainedUpstream {
  /** Manifest descriptors by platform, with upstream's own platform objects. */
  readonly manifests: ReadonlyMap<PlatformName, Descriptor>;
  readonly origin: string;
}

interface UpstreamContext {
  readonly store: Store;
  readonly mirror: Mirror;
  readonly registry: RegistryClient;
  readonly emit: Emit;
  readonly signal?: AbortSignal;
  /** Brings into the store what an escrow has of it. */
  readonly restore?: () => Promise<void>;
  /** The images that an upstream made from packages lies on. */
  readonly below?: () => Promise<ReadonlyMap<PlatformName, Descriptor>>;
}

/**
 * Gives upstream's image at the digest that the release pins, for the platforms to
 * reproduce: from the store, its registry or layout, or put together from Debian's
 * packages. Throws a mismatch error when a manifest is not the pinned one.
 */
export async function obtainUpstream(
  upstream: Recipe["upstream"],
  pin: Release["upstream"],
  context: UpstreamContext,
): Promise<ObtainedUpstream> {
  const { store, signal } = context;
  const descriptor: Descriptor = { mediaType: pin.mediaType, digest: pin.digest, size: pin.size };
  const inStore = (): ReturnType<typeof fromReader> => fromReader(store.blobs, descriptor, pin, context);
  const found = await inStore().catch(() => undefined);
  if (found) return { manifests: found, origin: "store" };
  await context.restore?.();
  const restored = await inStore().catch(() => undefined);
  if (restored) return { manifests: restored, origin: "escrow" };
  if ("debian" in upstream) {
    if (!pin.debian)
      throw usageError("the release pins no packages for its upstream", { hint: "refoundry pin writes them" });
    const assembled = await assembleDebianUpstream(upstream.debian, pin.debian, {
      blobs: store.blobs,
      mirror: context.mirror,
      ...(upstream.debian.on !== undefined && context.below && { below: await context.below() }),
      ...(signal && { signal }),
    });
    if (assembled.digest !== pin.digest) {
      throw mismatch(
        `upstream, put together from its Debian packages, has digest ${assembled.digest}, and the release pins ${pin.digest}`,
      );
    }
    return {
      manifests: await fromReader(store.blobs, assembled, pin, context),
      origin: "packages that Debian published",
    };
  }
  if ("none" in upstream) return { manifests: new Map(), origin: "none" };
  const from = await openReference(parseReference(upstream.image), context.registry);
  try {
    return { manifests: await fromReader(from, descriptor, pin, context), origin: from.name };
  } finally {
    await from.close?.();
  }
}

/** Reads, checks and copies what is pinned; from the store itself it only checks. */
async function fromReader(
  from: ContentReader,
  descriptor: Descriptor,
  pin: Release["upstream"],
  context: UpstreamContext,
): Promise<Map<PlatformName, Descriptor>> {
  const { store, emit, signal } = context;
  const children = await listChildren(from, descriptor, Object.keys(pin.manifests) as PlatformName[], signal);
  if (from !== store.blobs)
    await store.blobs.writeBytes(await from.readDocument(descriptor, signal), descriptor.mediaType);
  const manifests = new Map<PlatformName, Descriptor>();
  for (const [platform, digest] of Object.entries(pin.manifests) as [PlatformName, Descriptor["digest"]][]) {
    const child = children.get(platform);
    if (!child) throw mismatch(`upstream ${descriptor.digest} has no image for ${platform}, and the release pins one`);
    if (child.digest !== digest)
      throw mismatch(`upstream's manifest for ${platform} is ${child.digest}, and the release pins ${digest}`);
    const copied = await copyImage(from, child, store.blobs, {
      platform,
      ...(signal && { signal }),
      onBlob: (blob) => {
        if (from === store.blobs) throw infrastructureError(`the store lacks ${blob.digest}`);
        emit({ type: "stage-progress", stage: "upstream", doing: `pulling ${blob.digest.slice(0, 19)}` });
      },
    });
    manifests.set(platform, { ...copied, platform: child.platform ?? parsePlatform(platform) });
  }
  return manifests;
}

/** Platform manifests of an index by platform name, or the one manifest for the one platform asked for. */
export async function listChildren(
  from: ContentReader,
  descriptor: Descriptor,
  wanted: readonly PlatformName[],
  signal?: AbortSignal,
): Promise<Map<PlatformName, Descriptor>> {
  if (!isIndex(descriptor)) {
    const [only] = wanted;
    return new Map(only === undefined ? [] : [[only, descriptor]]);
  }
  const index = await readIndex(from, descriptor, signal);
  const children = new Map<PlatformName, Descriptor>();
  for (const child of index.manifests) {
    if (!child.platform || child.platform.os === "unknown") continue;
    const name = platformName(child.platform);
    if (!children.has(name)) children.set(name, child);
  }
  return children;
}
