import { cp, lstat, lutimes, mkdir, readdir, readFile, readlink } from "node:fs/promises";
import { join } from "node:path";
import { usageError } from "../errors.ts";
import { createDigester, type Digest } from "../oci/digest.ts";
import { listContext } from "../plan/context-digest.ts";

/** What a build context is put together from, besides the recipe's folder. */
export interface ContextParts {
  /** The folder of its template's files; they are there where the recipe has none in their place. */
  readonly templateFolder?: string;
  /** Files that only other versions of the recipe are built with, by their paths from the top. */
  readonly ofOtherVersions?: ReadonlySet<string>;
}

/**
 * Copies a recipe's Dockerfile and the files beside it (patches, configuration) to an
 * empty folder, with every time set to the epoch, and gives the digest of what was
 * copied: paths, types, executable bits and contents. Throws a usage error for what is
 * neither a file, a folder nor a link.
 */
export async function stageBuildContext(
  recipeFolder: string,
  destination: string,
  epoch: number,
  { templateFolder, ofOtherVersions = new Set() }: ContextParts = {},
): Promise<Digest> {
  await mkdir(destination, { recursive: true });
  for (const { path, file } of listContext(recipeFolder, templateFolder))
    if (!ofOtherVersions.has(path)) await cp(file, join(destination, path), { verbatimSymlinks: true });
  return sealContext(destination, epoch);
}

async function sealContext(root: string, epoch: number): Promise<Digest> {
  const digester = createDigester();
  const encoder = new TextEncoder();
  const visit = async (path: string): Promise<void> => {
    const folder = join(root, path);
    for (const name of (await readdir(folder)).toSorted()) {
      const inside = path === "" ? name : `${path}/${name}`;
      const full = join(root, inside);
      const found = await lstat(full);
      if (found.isDirectory()) await visit(inside);
      else if (found.isSymbolicLink())
        digester.update(encoder.encode(JSON.stringify(["link", inside, await readlink(full)])));
      else if (found.isFile()) {
        const content = await readFile(full);
        digester.update(encoder.encode(JSON.stringify(["file", inside, (found.mode & 0o100) !== 0, content.length])));
        digester.update(content);
      } else throw usageError(`${inside} in the recipe's folder is neither a file, a folder nor a link`);
      await lutimes(full, epoch, epoch);
    }
    await lutimes(folder, epoch, epoch);
  };
  await visit("");
  return digester.digest();
}
