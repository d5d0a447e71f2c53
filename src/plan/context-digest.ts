import { type BigIntStats, lstatSync, readdirSync, readFileSync, readlinkSync } from "node:fs";
import { join } from "node:path";
import { usageError } from "../errors.ts";
import { createDigester, type Digest } from "../oci/digest.ts";
import { notOfBuild } from "../recipe/tree.ts";

/** A file or link of a build context. */
export interface ContextEntry {
  /** From the recipe's folder, with forward slashes. */
  readonly path: string;
  readonly stats: BigIntStats;
}

/**
 * The files and links of a recipe's folder that builds of its versions may have, in the order
 * in which they are hashed. Thousands of recipes are looked at in one plan, and calls that do not go through the
 * thread pool are several times faster for that. Throws a usage error for what is neither
 * a file, a folder nor a link.
 */
export function listContext(recipeFolder: string): ContextEntry[] {
  const found: ContextEntry[] = [];
  const visit = (inside: string): void => {
    for (const name of readdirSync(join(recipeFolder, inside)).toSorted()) {
      if (inside === "" && notOfBuild.has(name)) continue;
      const path = inside === "" ? name : `${inside}/${name}`;
      const stats = lstatSync(join(recipeFolder, path), { bigint: true });
      if (stats.isDirectory()) visit(path);
      else if (stats.isFile() || stats.isSymbolicLink()) found.push({ path, stats });
      else throw usageError(`${path} in the recipe's folder is neither a file, a folder nor a link`);
    }
  };
  visit("");
  return found;
}

/**
 * The digest that staging the build context would give (src/build/context.ts), without a
 * copy: paths, types, executable bits and contents. What is `without` is not of the build.
 */
export function contextDigestOf(
  recipeFolder: string,
  entries: readonly ContextEntry[],
  without: ReadonlySet<string> = new Set(),
): Digest {
  const digester = createDigester();
  const encoder = new TextEncoder();
  for (const { path, stats } of entries) {
    if (without.has(path)) continue;
    const full = join(recipeFolder, path);
    if (stats.isSymbolicLink()) {
      digester.update(encoder.encode(JSON.stringify(["link", path, readlinkSync(full)])));
      continue;
    }
    const content = readFileSync(full);
    const executable = (stats.mode & 0o100n) !== 0n;
    digester.update(encoder.encode(JSON.stringify(["file", path, executable, content.length])));
    digester.update(content);
  }
  return digester.digest();
}
