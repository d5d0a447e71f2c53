import { chmod, copyFile, lstat, lutimes, readdir, readFile, readlink, rm } from "node:fs/promises";
import { createReadStream } from "node:fs";
import { join } from "node:path";
import type { Emit } from "../events.ts";
import { mismatch } from "../errors.ts";
import { type BareRepository, openBareRepository } from "../git/repository.ts";
import { type Submodule, walkSubmodules } from "../git/submodules.ts";
import { type LfsObject, largestPointer, parsePointer } from "./lfs.ts";
import { createDigester, type Digest } from "../oci/digest.ts";
import { type TarInput, tarEntries } from "../oci/tar/write.ts";

/**
 * Puts a commit's files into a folder for the build: modes 644 and 755, every time the
 * epoch, nothing filtered. Gives the digest of the canonical tar of the tree, which does
 * not rest on git's SHA-1. A `.dockerignore` at the top is left out of the folder (not
 * of the digest): buildx would silently filter the context by it.
 */
export async function stageSource(request: {
  readonly repositoryPath: string;
  readonly commit: string;
  readonly submodules?: readonly Submodule[] | undefined;
  /** Called for each file that is a pointer of Git LFS; gives the file to put in its place. Without it, pointers stay. */
  readonly bringLfs?: ((object: LfsObject, path: string) => Promise<string>) | undefined;
  readonly folder: string;
  readonly epoch: number;
  readonly emit: Emit;
  readonly signal?: AbortSignal;
}): Promise<{
  readonly folder: string;
  readonly archive: Digest;
  /** What Git LFS has of it, by path. */
  readonly lfs: readonly (LfsObject & { readonly path: string })[];
}> {
  const { folder, epoch } = request;
  const repository = await openBareRepository(request.repositoryPath, request.signal);
  await repository.checkoutTree(request.commit, folder);
  await checkOutSubmodules(repository, request);
  const lfs = request.bringLfs ? await replacePointers(folder, request.bringLfs) : [];
  const archive = await sealTree(folder, epoch);
  const ignore = join(folder, ".dockerignore");
  if (
    await lstat(ignore).then(
      () => true,
      () => false,
    )
  ) {
    await rm(ignore);
    await lutimes(folder, epoch, epoch);
    request.emit({
      type: "notice",
      severity: "info",
      message: "the source has a .dockerignore, which is left out so that it filters nothing",
    });
  }
  return { folder, archive, lfs };
}

async function replacePointers(
  root: string,
  bring: (object: LfsObject, path: string) => Promise<string>,
  below = "",
): Promise<(LfsObject & { readonly path: string })[]> {
  const found: (LfsObject & { readonly path: string })[] = [];
  for (const name of (await readdir(join(root, below))).toSorted()) {
    const path = below === "" ? name : `${below}/${name}`;
    const full = join(root, path);
    const entry = await lstat(full);
    if (entry.isDirectory()) found.push(...(await replacePointers(root, bring, path)));
    const object =
      entry.isFile() && entry.size < largestPointer ? parsePointer(await readFile(full, "utf8")) : undefined;
    if (!object) continue;
    await copyFile(await bring(object, path), full);
    await chmod(full, entry.mode & 0o777);
    found.push({ path, ...object });
  }
  return found;
}

/** Normalises modes and times of a tree and gives the digest of its canonical tar. */
export async function sealTree(folder: string, epoch: number): Promise<Digest> {
  const digester = createDigester();
  for await (const chunk of tarEntries(normalisedEntries(folder, epoch))) digester.update(chunk);
  return digester.digest();
}

/** Those above come first, so that each finds the empty folder that git made for it. */
async function checkOutSubmodules(
  repository: BareRepository,
  { commit, submodules = [], folder, signal }: Parameters<typeof stageSource>[0],
): Promise<void> {
  const known = await walkSubmodules(repository, { commit, base: undefined }, () => Promise.resolve(undefined), signal);
  const isSame = known.length === submodules.length;
  if (!isSame || known.some((each, index) => each.commit !== submodules[index]?.commit))
    throw mismatch(`the source has ${known.length} submodules, and ${submodules.length} are pinned`, {
      hint: "submodules: in its file in vendor-sources/ takes them; refoundry pin pins them",
    });
  for (const { path, commit: pinned } of submodules) {
    const place = join(folder, path);
    // git makes a plain folder there; a link would lead elsewhere
    if (!(await lstat(place)).isDirectory() || (await readdir(place)).length > 0)
      throw mismatch(`the submodule ${path} has no empty folder in the source`);
    await repository.checkoutTree(pinned, place);
  }
}

/** Normalises modes and times while it lists the tree, in the order of the paths. */
async function* normalisedEntries(root: string, epoch: number, below = ""): AsyncGenerator<TarInput> {
  const common = { uid: 0, gid: 0, mtime: epoch };
  for (const name of (await readdir(join(root, below))).toSorted()) {
    const path = below === "" ? name : `${below}/${name}`;
    const full = join(root, path);
    const found = await lstat(full);
    if (found.isSymbolicLink()) yield { ...common, type: "symlink", path, mode: 0o777, linkName: await readlink(full) };
    else if (found.isDirectory()) {
      await chmod(full, 0o755);
      yield { ...common, type: "directory", path, mode: 0o755 };
      yield* normalisedEntries(root, epoch, path);
    } else {
      const mode = (found.mode & 0o100) === 0 ? 0o644 : 0o755;
      await chmod(full, mode);
      yield { ...common, type: "file", path, mode, size: found.size, content: createReadStream(full) };
    }
    await lutimes(full, epoch, epoch);
  }
  if (below === "") await lutimes(root, epoch, epoch);
}
