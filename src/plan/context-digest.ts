import { type BigIntStats, lstatSync, readdirSync, readFileSync, readlinkSync } from "node:fs";
import { join } from "node:path";
import { errorCode, usageError } from "../errors.ts";
import { createDigester, type Digest } from "../oci/digest.ts";
import { notOfBuild } from "../recipe/tree.ts";

/** A file or link of a build context. */
export interface ContextEntry {
  /** From the top of the build context, with forward slashes. */
  readonly path: string;
  /** Where it is. */
  readonly file: string;
  readonly stats: BigIntStats;
}

/**
 * The files and links that builds of a recipe's versions may have, in the order in which
 * they are hashed: those of its folder, and those of its template's that it has none in
 * place of. Thousands of recipes are looked at in one plan, and calls that do not go through
 * the thread pool are several times faster for that. Throws a usage error for what is
 * neither a file, a folder nor a link, and for a file in place of a folder.
 */
export function listContext(recipeFolder: string, templateFolder?: string): ContextEntry[] {
  const own = listFolder(recipeFolder);
  const below = templateFolder === undefined ? [] : listTemplateFiles(templateFolder);
  if (below.length === 0) return own;
  const paths = new Set(own.map(({ path }) => path));
  const all = [...own, ...below.filter(({ path }) => !paths.has(path))];
  const files = new Set(all.map(({ path }) => path));
  for (const { path } of all) {
    const inside = path.split("/").slice(0, -1);
    const clash = inside.map((_, index) => inside.slice(0, index + 1).join("/")).find((folder) => files.has(folder));
    if (clash !== undefined)
      throw usageError(`${clash} is a file in one and a folder in the other of ${recipeFolder} and ${templateFolder}`);
  }
  return all.toSorted((a, b) => inVisitedOrder(a.path.split("/"), b.path.split("/")));
}

/** The files and links that a template has for builds, as {@link listContext} has them; none without such a folder. */
export function listTemplateFiles(folder: string): ContextEntry[] {
  try {
    return listFolder(folder);
  } catch (error) {
    if (errorCode(error) === "ENOENT") return [];
    throw error;
  }
}

function listFolder(folder: string): ContextEntry[] {
  const found: ContextEntry[] = [];
  const visit = (inside: string): void => {
    for (const name of readdirSync(join(folder, inside)).toSorted()) {
      if (inside === "" && notOfBuild.has(name)) continue;
      const path = inside === "" ? name : `${inside}/${name}`;
      const file = join(folder, path);
      const stats = lstatSync(file, { bigint: true });
      if (stats.isDirectory()) visit(path);
      else if (stats.isFile() || stats.isSymbolicLink()) found.push({ path, file, stats });
      else throw usageError(`${path} in the recipe's folder is neither a file, a folder nor a link`);
    }
  };
  visit("");
  return found;
}

/** Folder by folder, as one that is walked gives them. */
function inVisitedOrder(a: readonly string[], b: readonly string[]): number {
  const at = a.findIndex((name, index) => name !== b[index]);
  const [left, right] = [a[at] ?? "", b[at] ?? ""];
  return left < right ? -1 : left > right ? 1 : 0;
}

/**
 * The digest that staging the build context would give (src/build/context.ts), without a
 * copy: paths, types, executable bits and contents. What is `without` is not of the build.
 */
export function contextDigestOf(entries: readonly ContextEntry[], without: ReadonlySet<string> = new Set()): Digest {
  const digester = createDigester();
  const encoder = new TextEncoder();
  for (const { path, file, stats } of entries) {
    if (without.has(path)) continue;
    if (stats.isSymbolicLink()) {
      digester.update(encoder.encode(JSON.stringify(["link", path, readlinkSync(file)])));
      continue;
    }
    const content = readFileSync(file);
    const executable = (stats.mode & 0o100n) !== 0n;
    digester.update(encoder.encode(JSON.stringify(["file", path, executable, content.length])));
    digester.update(content);
  }
  return digester.digest();
}
