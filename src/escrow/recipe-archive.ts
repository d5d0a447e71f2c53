import { lstat, mkdir, readdir, readFile, readlink, symlink, writeFile } from "node:fs/promises";
import { dirname, join, posix } from "node:path";
import { errorCode, infrastructureError, usageError } from "../errors.ts";
import { readTar, type TarEntry } from "../oci/tar/read.ts";
import { type TarInput, tarEntries } from "../oci/tar/write.ts";
import type { LoadedRelease } from "../recipe/load.ts";
import {
  fileOf,
  lockFile,
  recipeFolder,
  releaseFile,
  templateFile,
  toolchainSourcesFile,
  templateFolder,
} from "../recipe/tree.ts";
import { byCodeUnit, quoted } from "../recipe/words.ts";
import { listReleases } from "./release-inputs.ts";

/** Largest tar of a recipe, in bytes, and most entries of one. */
const recipeArchiveLimits = { bytes: 256 * 1024 * 1024, entries: 20_000 };

/** Nothing else of a factory's folder belongs to a recipe. */
const roots = ["recipes/images/", "recipes/toolchains/", "recipes/templates/", "vendor-sources/"];

/**
 * A release's recipe as a tar: the recipe's folder with this one of its releases, its template, its
 * toolchains with the locks in use, its sources, and the same of every recipe that it
 * stands on. Paths are those of the factory's folder,
 * sorted; times and owners are 0, so the same files give the same bytes.
 */
export async function archiveRecipe(root: string, inputs: LoadedRelease): Promise<Buffer> {
  const paths = await listRecipeFiles(root, inputs);
  const entries: TarInput[] = [];
  for (const path of paths) entries.push(await entryOf(root, path));
  return Buffer.concat(await Array.fromAsync(tarEntries(entries)));
}

async function listRecipeFiles(root: string, inputs: LoadedRelease): Promise<string[]> {
  const paths = new Set<string>();
  for (const { inputs: each, sources, toolchains } of listReleases(inputs)) {
    const { recipe, release } = each;
    const folder = recipeFolder(recipe.image);
    paths.add(releaseFile(recipe.image, release.version));
    if (recipe.inherits !== undefined) {
      paths.add(templateFile(recipe.inherits));
      if (each.dockerfile.templateFolder !== undefined)
        for (const path of await walk(root, templateFolder(recipe.inherits))) paths.add(path);
    }
    // a toolchain that is a recipe has a file too, beside the release that is listed itself
    paths.add(fileOf("toolchain", recipe.toolchain));
    for (const { source } of sources) paths.add(fileOf("source", source.source));
    for (const { toolchain, pin, sources: pinned } of toolchains) {
      paths.add(fileOf("toolchain", toolchain.toolchain));
      if (pin.lock !== undefined) paths.add(lockFile(toolchain.toolchain, pin.lock));
      if (pin.lock !== undefined && pinned) paths.add(toolchainSourcesFile(toolchain.toolchain, pin.lock));
    }
    for (const context of Object.values(each.contexts))
      if (context.kind === "toolchain") paths.add(fileOf("toolchain", context.toolchain.toolchain));
    for (const path of await walk(root, folder)) if (!path.startsWith(`${folder}/releases/`)) paths.add(path);
  }
  return [...paths].toSorted(byCodeUnit);
}

async function walk(root: string, folder: string): Promise<string[]> {
  const found: string[] = [];
  for (const entry of await readdir(join(root, folder), { withFileTypes: true })) {
    const path = `${folder}/${entry.name}`;
    if (entry.isDirectory()) found.push(...(await walk(root, path)));
    else found.push(path);
  }
  return found;
}

async function entryOf(root: string, path: string): Promise<TarInput> {
  const full = join(root, path);
  const found = await lstat(full);
  const common = { path, uid: 0, gid: 0, mtime: 0 };
  if (found.isSymbolicLink()) return { ...common, type: "symlink", mode: 0o777, linkName: await readlink(full) };
  if (!found.isFile()) throw usageError(`${path} is neither a file, a folder nor a link`);
  const content = await readFile(full);
  const mode = (found.mode & 0o100) === 0 ? 0o644 : 0o755;
  return { ...common, type: "file", mode, size: content.length, content };
}

/**
 * Unpacks what {@link archiveRecipe} made into an empty folder. The tar may be anybody's:
 * throws an infrastructure error for a path or link that leads out of the folder or is
 * none of a recipe's, for anything that is no file, folder or link, and for too much.
 */
export async function unpackRecipe(tar: AsyncIterable<Uint8Array>, folder: string, where: string): Promise<void> {
  const links: { readonly path: string; readonly target: string }[] = [];
  let entries = 0;
  let bytes = 0;
  for await (const entry of readTar(tar)) {
    entries += 1;
    bytes += entry.size;
    if (entries > recipeArchiveLimits.entries || bytes > recipeArchiveLimits.bytes)
      throw infrastructureError(`${where} has more than ${recipeArchiveLimits.entries} files or is too large`);
    const path = requireInside(entry, where);
    if (entry.type === "directory") continue;
    if (entry.type === "symlink") links.push({ path, target: requireTarget(path, entry.linkName, where) });
    else if (entry.type === "file") await writeNew(folder, path, entry, where);
    else throw infrastructureError(`${where} has a ${entry.type}, which no recipe has: ${quoted(path)}`);
  }
  // last, so that nothing is written through one
  for (const { path, target } of links) {
    await mkdir(dirname(join(folder, path)), { recursive: true });
    await symlink(target, join(folder, path));
  }
}

async function writeNew(folder: string, path: string, entry: TarEntry, where: string): Promise<void> {
  const full = join(folder, path);
  await mkdir(dirname(full), { recursive: true });
  const content = Buffer.concat(await Array.fromAsync(entry.content));
  await writeFile(full, content, { flag: "wx", mode: (entry.mode & 0o100) === 0 ? 0o644 : 0o755 }).catch(
    (cause: unknown) => {
      if (errorCode(cause) !== "EEXIST") throw cause;
      throw infrastructureError(`${where} has ${quoted(path)} twice`, { cause });
    },
  );
}

function requireInside(entry: TarEntry, where: string): string {
  const path = entry.path.replace(/\/$/, "");
  const names = path.split("/");
  const isClean = names.every((name) => name !== "" && name !== "." && name !== ".." && !/[\p{Cc}\\]/u.test(name));
  const isRecipes = roots.some(
    (root) => path.startsWith(root) || (entry.type === "directory" && root.startsWith(`${path}/`)),
  );
  if (isClean && isRecipes) return path;
  throw infrastructureError(`${where} has a path that is none of a recipe's: ${quoted(entry.path)}`);
}

function requireTarget(path: string, target: string, where: string): string {
  const reached = posix.normalize(posix.join(posix.dirname(path), target));
  // a recipe's own folder is what its build sees
  const own = path.split("/").slice(0, 3).join("/");
  if (!target.startsWith("/") && target !== "" && reached.startsWith(`${own}/`)) return target;
  throw infrastructureError(`${where} has a link that leads out of its recipe: ${quoted(path)} -> ${quoted(target)}`);
}
