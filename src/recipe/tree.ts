import { readdir, stat } from "node:fs/promises";
import { dirname, join, resolve } from "node:path";
import { errorCode, infrastructureError, messageOf, usageError } from "../errors.ts";
import { nameSchema, versionSchema } from "./schema.ts";
import { byCodeUnit } from "./words.ts";
import { compareVersions } from "./version.ts";

/** The kinds of things that have a name in a factory's folder. */
export type NamedKind = "recipe" | "toolchain" | "source";

/** Where the files are, from the root of a factory. */
export const folders = {
  recipe: "recipes/images",
  toolchain: "recipes/toolchains",
  source: "vendor-sources",
  template: "recipes/templates",
} as const;

/** What lies in a recipe's folder beside the Dockerfile but is not part of its builds. */
export const notOfBuild: ReadonlySet<string> = new Set(["recipe.yaml", "releases"]);

/** The file of a named thing, from the root. Throws a usage error when the name is no name, so it cannot lead elsewhere. */
export function fileOf(kind: NamedKind, name: string): string {
  if (!nameSchema.safeParse(name).success) {
    throw usageError(`${JSON.stringify(name)} is not the name of a ${kind}`, {
      hint: "names are lower-case letters and digits with single . _ - between them, as in tini",
    });
  }
  if (kind === "source") return `${folders.source}/${name}.yaml`;
  return `${folders[kind]}/${name}/${kind}.yaml`;
}

/** The file of a template that recipes inherit, from the root; the name is one. */
export function templateFile(name: string): string {
  return `${folders.template}/${name}.yaml`;
}

/** Where a template has files for the builds of those that inherit it, from the root; few have such a folder. */
export function templateFolder(name: string): string {
  return `${folders.template}/${name}`;
}

/** The folder of a recipe, from the root. */
export function recipeFolder(name: string): string {
  return dirname(fileOf("recipe", name));
}

/** The file of a release, from the root. Throws a usage error when a name or version is none. */
export function releaseFile(recipe: string, version: string): string {
  return `${recipeFolder(recipe)}/releases/${fileName(version, "a version")}.yaml`;
}

/** The file of a toolchain's lock, from the root. Throws a usage error when a name is none. */
export function lockFile(toolchain: string, lock: string): string {
  return `${dirname(fileOf("toolchain", toolchain))}/locks/${fileName(lock, "the name of a lock")}.yaml`;
}

/** The file that pins the source packages of a lock's packages, from the root. Throws a usage error when a name is none. */
export function toolchainSourcesFile(toolchain: string, lock: string): string {
  return `${dirname(fileOf("toolchain", toolchain))}/sources/${fileName(lock, "the name of a lock")}.yaml`;
}

function fileName(text: string, what: string): string {
  if (versionSchema.safeParse(text).success) return text;
  throw usageError(`${JSON.stringify(text)} is not ${what}`, {
    hint: "it is letters, digits and . + ~ : _ - as in 0.19.0",
  });
}

/** The names of the recipes, toolchains or sources in a factory's folder, sorted. */
export async function listNamed(root: string, kind: NamedKind): Promise<string[]> {
  if (kind === "source") return listYaml(root, folders.source);
  const entries = await listFolder(join(root, folders[kind]));
  // a symbolic link counts, so that reading it says why it is refused
  return entries.filter((entry) => !entry.isFile()).map((entry) => entry.name);
}

/** The names of a factory's recipes, sorted. */
export async function listRecipes(root: string): Promise<string[]> {
  return listNamed(root, "recipe");
}

/** The versions of a recipe's releases, oldest first. Throws a usage error when the name is none. */
export async function listReleases(root: string, recipe: string): Promise<string[]> {
  return (await listYaml(root, `${recipeFolder(recipe)}/releases`)).toSorted(compareVersions);
}

/** The names of a toolchain's locks, oldest first. Throws a usage error when the name is none. */
export async function listToolchainLocks(root: string, toolchain: string): Promise<string[]> {
  return (await listYaml(root, `${dirname(fileOf("toolchain", toolchain))}/locks`)).toSorted(compareVersions);
}

/** The root of the factory that a folder is in: the nearest folder above (or itself) with `recipes/`. Throws a usage error when there is none. */
export async function findRoot(startFolder: string): Promise<string> {
  const start = resolve(startFolder);
  for (let folder = start; ; folder = dirname(folder)) {
    const found = await stat(join(folder, "recipes")).catch(() => undefined);
    if (found?.isDirectory()) return folder;
    if (dirname(folder) === folder) break;
  }
  throw usageError(`neither ${start} nor a folder above it has recipes/`, {
    hint: "run refoundry in a checkout of your factory",
  });
}

/** The visible entries of a folder by name; none when there is no such folder. */
export async function listFolder(
  path: string,
): Promise<{ readonly name: string; isFile(): boolean; isDirectory(): boolean }[]> {
  try {
    const entries = await readdir(path, { withFileTypes: true });
    return entries.filter((entry) => !entry.name.startsWith(".")).toSorted((a, b) => byCodeUnit(a.name, b.name));
  } catch (cause) {
    if (errorCode(cause) === "ENOENT") return [];
    if (errorCode(cause) === "ENOTDIR") throw usageError(`${path} is not a folder`, { cause });
    throw infrastructureError(`${path} cannot be listed: ${messageOf(cause)}`, { cause });
  }
}

async function listYaml(root: string, folder: string): Promise<string[]> {
  const entries = await listFolder(join(root, folder));
  return entries
    .filter((entry) => entry.name.endsWith(".yaml") && !entry.isDirectory())
    .map((entry) => entry.name.slice(0, -".yaml".length));
}
