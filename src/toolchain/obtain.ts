import { hasImage } from "../oci/manifest.ts";
import { mismatch, usageError } from "../errors.ts";
import type { Digest } from "../oci/digest.ts";
import { copyImage } from "../oci/copy-image.ts";
import type { RegistryClient } from "../oci/registry/client.ts";
import { parseReference } from "../oci/reference.ts";
import type { Descriptor } from "../oci/types.ts";
import type { Toolchain, ToolchainLock } from "../recipe/schema.ts";
import { withLock } from "../process/lock.ts";
import type { Store } from "../store/store.ts";
import { type BootstrapContext, bootstrapToolchain } from "./bootstrap.ts";

/** A toolchain image that is in the store whole. */
export interface ObtainedToolchain {
  readonly image: Descriptor;
  readonly origin: "store" | "its packages" | "its registry";
}

/** Which toolchain image is wanted. */
export interface WantedToolchain {
  readonly toolchain: Toolchain;
  readonly digest: Digest;
  readonly lock?: ToolchainLock;
  /** Make it again although the store has it. */
  readonly again?: boolean;
}

/**
 * Gives a toolchain image by digest: from the store, from the registry that it is
 * pinned in, or made from its lock. Throws a mismatch error when what was made has
 * another digest than the lock says.
 */
export async function obtainToolchain(
  wanted: WantedToolchain,
  context: Omit<BootstrapContext, "blobs"> & { readonly store: Store; readonly registry: RegistryClient },
): Promise<ObtainedToolchain> {
  const { store, signal } = context;
  const found = wanted.again ? undefined : await imageInStore(wanted.digest, store);
  if (found) return { image: found, origin: "store" };
  // two rebuilds that start together make it once
  const lockPath = store.lockPath(`toolchain-${wanted.toolchain.toolchain}`);
  return withLock(lockPath, async () => obtainAlone(wanted, context), { ...(signal && { signal }) });
}

async function obtainAlone(
  wanted: WantedToolchain,
  context: Omit<BootstrapContext, "blobs"> & { readonly store: Store; readonly registry: RegistryClient },
): Promise<ObtainedToolchain> {
  const { store, signal, emit } = context;
  const { toolchain, lock, digest } = wanted;
  const found = wanted.again ? undefined : await imageInStore(digest, store);
  if (found) return { image: found, origin: "store" };
  if ("image" in toolchain) {
    const reference = parseReference(toolchain.image);
    if (reference.kind !== "registry")
      throw usageError(`the toolchain ${toolchain.toolchain} names no registry: ${toolchain.image}`);
    const from = context.registry.repository(reference);
    const { descriptor } = await from.resolve(digest, signal);
    const image = await copyImage(from, descriptor, store.blobs, {
      platform: toolchain.platform,
      ...(signal && { signal }),
      onBlob: (blob) =>
        emit({
          type: "stage-progress",
          stage: "toolchain",
          doing: `pulling ${blob.digest.slice(0, 19)} (${Math.ceil(blob.size / 1e6)} MB)`,
        }),
    });
    await rememberImage(digest, image, store);
    return { image, origin: "its registry" };
  }
  if ("recipe" in toolchain)
    throw usageError(`the toolchain ${toolchain.toolchain} is the recipe ${toolchain.recipe}, and is built as one`);
  if (!lock)
    throw usageError(`the toolchain ${toolchain.toolchain} has no lock`, {
      hint: `refoundry toolchain lock ${toolchain.toolchain}`,
    });
  const image = await bootstrapToolchain(lock, { ...context, blobs: store.blobs });
  if (image.digest !== digest) {
    throw mismatch(
      `the toolchain ${toolchain.toolchain} made from its lock has digest ${image.digest}, and the lock says ${digest}`,
      {
        hint: "mmdebstrap, apt or dpkg of this machine may be too new for this lock; refoundry toolchain lock writes a new one",
      },
    );
  }
  await rememberImage(digest, image, store);
  return { image, origin: "its packages" };
}

/** Records under which digest an image was asked for (an index, perhaps) and which manifest serves it. */
async function rememberImage(asked: Digest, image: Descriptor, store: Store): Promise<void> {
  await store.writeRecord("toolchains", asked, { mediaType: image.mediaType, digest: image.digest, size: image.size });
}

async function imageInStore(asked: Digest, store: Store): Promise<Descriptor | undefined> {
  const image = await store.readRecord<Descriptor>("toolchains", asked);
  return image && (await hasImage(store.blobs, image)) ? image : undefined;
}
