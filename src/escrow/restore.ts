import { createWriteStream } from "node:fs";
import { mkdir, rm } from "node:fs/promises";
import { join } from "node:path";
import { pipeline } from "node:stream/promises";
import pLimit from "p-limit";
import { infrastructureError } from "../errors.ts";
import { fetchFromBundle } from "../git/commit-bundle.ts";
import { openBareRepository } from "../git/repository.ts";
import { copyImage } from "../oci/copy-image.ts";
import type { Repository } from "../oci/repository.ts";
import { isPlatformName } from "../oci/platform.ts";
import { withLock } from "../process/lock.ts";
import { quoted } from "../recipe/words.ts";
import { rememberOrigin } from "../store/origins.ts";
import type { Store } from "../store/store.ts";
import { unpackRecipe } from "./recipe-archive.ts";
import type { Capsule, CapsuleComponent, HeldContent } from "./types.ts";

/** What came out of an escrow: commits and digests. */
export type Restored = ReadonlySet<string>;

/**
 * Puts what a capsule holds into the store, where the stages that build look first. What
 * the store has is not read. Every byte is checked against its digest, and a commit by
 * git; whether they are what a release pins is for those who use them. Throws an
 * infrastructure error that names what is missing or damaged.
 */
export async function restoreCapsule(
  capsule: Capsule,
  escrow: Repository,
  store: Store,
  signal?: AbortSignal,
): Promise<Restored> {
  const restored = new Set<string>();
  for (const component of capsule.components) {
    if (component.kind === "image") await restoreImage(component, escrow, store, restored, signal);
    else if (component.kind === "source" || component.kind === "packages" || component.kind === "document")
      for (const content of component.contents) {
        if (content.commit === undefined) await restoreBlob(content, escrow, store, restored, signal);
        else await restoreCommit({ ...content, commit: content.commit }, escrow, store, restored, signal);
      }
  }
  return restored;
}

/** Unpacks a capsule's recipe into an empty folder: what a checkout would hold of it. */
export async function restoreRecipe(
  capsule: Capsule,
  escrow: Repository,
  folder: string,
  signal?: AbortSignal,
): Promise<void> {
  const tars = capsule.components.flatMap(({ kind, contents }) => (kind === "recipe" ? contents : []));
  const [tar] = tars;
  if (!tar || tars.length > 1) throw infrastructureError(`${escrow.name} holds ${tars.length} recipes in one capsule`);
  await unpackRecipe(escrow.openBlob(tar.descriptor, signal), folder, `${escrow.name}@${tar.descriptor.digest}`);
}

/**
 * Puts files into the store that an escrow holds, by their digests, whichever capsule they are
 * of; what it lacks is left out. Gives how many came from there.
 */
export async function restoreFiles(
  files: readonly { readonly sha256: string; readonly size: number }[],
  escrow: Repository,
  store: Store,
  signal?: AbortSignal,
): Promise<number> {
  const limit = pLimit(8);
  const restored = new Set<string>();
  await Promise.all(
    files.map(({ sha256, size }) =>
      limit(async () => {
        const descriptor = { mediaType: "application/octet-stream", digest: `sha256:${sha256}`, size } as const;
        if ((await store.blobs.has(descriptor)) || !(await escrow.hasBlob(descriptor, signal))) return;
        await restoreBlob({ descriptor }, escrow, store, restored, signal);
      }),
    ),
  );
  return restored.size;
}

async function restoreBlob(
  { descriptor }: Pick<HeldContent, "descriptor">,
  escrow: Repository,
  store: Store,
  restored: Set<string>,
  signal?: AbortSignal,
): Promise<void> {
  const { blobs } = store;
  if (await blobs.has(descriptor)) return;
  await blobs.writeStream(escrow.openBlob(descriptor, signal), descriptor);
  await rememberOrigin(store, descriptor.digest, `escrow ${escrow.name}`);
  restored.add(descriptor.digest);
}

async function restoreImage(
  { contents, pinned, platform }: CapsuleComponent,
  escrow: Repository,
  store: Store,
  restored: Set<string>,
  signal?: AbortSignal,
): Promise<void> {
  const [image] = contents;
  if (!image) return;
  const { mediaType, digest, size } = image.descriptor;
  const name = platform !== undefined && isPlatformName(platform) ? platform : "linux/amd64";
  const isThere = await store.blobs.has(image.descriptor);
  const manifest = await copyImage(escrow, { mediaType, digest, size }, store.blobs, {
    platform: name,
    ...(signal && { signal }),
  });
  await store.writeRecord("toolchains", pinned ?? digest, manifest);
  if (isThere) return;
  await rememberOrigin(store, pinned ?? digest, `escrow ${escrow.name}`);
  restored.add(pinned ?? digest);
}

async function restoreCommit(
  { name, commit, descriptor }: HeldContent & { readonly commit: string },
  escrow: Repository,
  store: Store,
  restored: Set<string>,
  signal?: AbortSignal,
): Promise<void> {
  // it becomes a path, and a capsule may be anybody's
  if (!/^[a-z0-9][a-z0-9.+-]*$/.test(name))
    throw infrastructureError(`${escrow.name} holds a source with a name that none has: ${quoted(name)}`);
  await withLock(
    store.lockPath(`source-${name}`),
    async () => {
      const repository = await openBareRepository(store.repositoryPath(name), signal);
      if (await repository.hasCommit(commit)) return;
      const folder = join(await store.temporaryFolder("bundle"), commit);
      await mkdir(folder, { recursive: true });
      const file = join(folder, "commit.bundle");
      await pipeline(escrow.openBlob(descriptor, signal), createWriteStream(file), signal ? { signal } : {});
      await fetchFromBundle(repository, commit, file, folder, signal);
      await rm(folder, { recursive: true, force: true });
      await rememberOrigin(store, commit, `escrow ${escrow.name}`);
      restored.add(commit);
    },
    signal ? { signal } : {},
  );
}
