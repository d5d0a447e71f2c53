import { cp, lstat, lutimes, mkdir, readdir, readFile, readlink, rm } from "node:fs/promises";
import { join } from "node:path";
import { usageError } from "../errors.ts";
import { createDigester, type Digest } from "../oci/digest.ts";
import { notOfBuild } from "../recipe/tree.ts";

/**
 * Copies a recipe's Dockerfile and the files beside it (patches, configuration) to an
 * empty folder, with every time set to the epoch, and gives the digest of what was
 * copied: paths, types, executable bits and contents. Files that are `without`, by their
 * paths from the recipe's folder, are left out.
 */
export async function stageBuildContext(
  recipeFolder: string,
  destination: string,
  epoch: number,
  without: ReadonlySet<string> = new Set(),
): Promise<Digest> {
  await mkdir(destination, { recursive: true });
  for (const name of await readdir(recipeFolder)) {
    if (notOfBuild.has(name)) continue;
    await cp(join(recipeFolder, name), join(destination, name), { recursive: true, verbatimSymlinks: true });
  }
  for (const path of without) await rm(join(destination, path), { force: true });
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
