import { lstat, realpath, stat } from "node:fs/promises";
import { join, sep } from "node:path";
import type { z } from "zod";
import { errorCode, type Location, messageOf, type Problem } from "../errors.ts";
import {
  displayPath,
  type DocumentResult,
  type LocatedDocument,
  readDocument,
  readRecipeDocument,
} from "./document.ts";
import {
  type Recipe,
  type Release,
  releaseSchema,
  type Source,
  sourceSchema,
  type Toolchain,
  type ToolchainLock,
  toolchainLockSchema,
  toolchainSchema,
} from "./schema.ts";
import { type ToolchainSources, toolchainSourcesSchema } from "./toolchain-sources.ts";
import {
  fileOf,
  folders,
  listToolchainLocks,
  listNamed,
  listReleases,
  lockFile,
  type NamedKind,
  recipeFolder,
  releaseFile,
  toolchainSourcesFile,
  templateFolder,
} from "./tree.ts";
import { filesOfOtherVersions } from "./versions.ts";
import { didYouMean, quoted } from "./words.ts";

/** Reads a recipe. `from` gives the place that names it, for when it is not there. */
export async function readRecipe(root: string, name: string, from?: () => Location): Promise<DocumentResult<Recipe>> {
  const advice = `refoundry add makes a recipe; recipes are folders in ${folders.recipe}/`;
  return readNamed(
    root,
    "recipe",
    name,
    (file) => readRecipeDocument(root, file),
    (recipe) => ["image", recipe.image],
    advice,
    from,
  );
}

/** Reads a source. `from` gives the place that names it. */
export async function readSource(root: string, name: string, from?: () => Location): Promise<DocumentResult<Source>> {
  const advice = `write ${fileOf("source", name)}`;
  return readNamed(
    root,
    "source",
    name,
    bySchema(root, sourceSchema),
    (source) => ["source", source.source],
    advice,
    from,
  );
}

/** Reads a toolchain. `from` gives the place that names it. */
export async function readToolchain(
  root: string,
  name: string,
  from?: () => Location,
): Promise<DocumentResult<Toolchain>> {
  const advice = `write ${fileOf("toolchain", name)}`;
  return readNamed(
    root,
    "toolchain",
    name,
    bySchema(root, toolchainSchema),
    (toolchain) => ["toolchain", toolchain.toolchain],
    advice,
    from,
  );
}

/** Reads a release of a recipe. `listed` are the versions that have one, where they were listed already. */
export async function readRelease(
  root: string,
  recipe: string,
  version: string,
  listed?: readonly string[],
): Promise<DocumentResult<Release>> {
  const file = releaseFile(recipe, version);
  const versions = listed ?? (await listReleases(root, recipe));
  if (!versions.includes(version)) {
    const location = { file: displayPath(join(root, recipeFolder(recipe), "releases")) };
    const advice = `to make it: refoundry pin ${recipe} ${version}`;
    return missing(`${recipe} has no release ${quoted(version)}`, version, versions, location, advice);
  }
  const result = await readDocument(root, file, releaseSchema);
  return named(result, ["version"], (release) => release.version, version, "file");
}

/** Reads a lock of a toolchain. `from` gives the place that names it. */
export async function readToolchainLock(
  root: string,
  toolchain: string,
  lock: string,
  from?: () => Location,
): Promise<DocumentResult<ToolchainLock>> {
  const file = lockFile(toolchain, lock);
  const locks = await listToolchainLocks(root, toolchain);
  if (!locks.includes(lock)) {
    const location = from?.() ?? { file: displayPath(join(root, file)) };
    const advice = `to make a lock: refoundry toolchain lock ${toolchain}`;
    return missing(`the toolchain ${toolchain} has no lock ${quoted(lock)}`, lock, locks, location, advice);
  }
  return readDocument(root, file, toolchainLockSchema);
}

/** Reads the source packages of a lock's packages; nothing where none are pinned. */
export async function readToolchainSources(
  root: string,
  toolchain: string,
  lock: string,
): Promise<DocumentResult<ToolchainSources> | undefined> {
  const file = toolchainSourcesFile(toolchain, lock);
  const isThere = await stat(join(root, file)).then(
    () => true,
    (error: unknown) => errorCode(error) !== "ENOENT",
  );
  return isThere ? readDocument(root, file, toolchainSourcesSchema) : undefined;
}

/** A recipe's Dockerfile and its folder, absolute and without symbolic links. */
export interface DockerfilePlace {
  readonly path: string;
  readonly folder: string;
  /** That of the template's files for builds, where it has some. */
  readonly templateFolder?: string;
  /** Files of these, from there, that only other versions of the recipe are built with. */
  readonly ofOtherVersions: ReadonlySet<string>;
}

/**
 * Finds a recipe's Dockerfile: a regular file that is in the recipe's folder or its
 * template's, wherever links lead. `whole` is the recipe with all its versions, where
 * `recipe` is it for one of them.
 */
export async function findDockerfile(
  root: string,
  recipe: LocatedDocument<Recipe>,
  whole: Recipe = recipe.value,
): Promise<DockerfilePlace | Problem> {
  const { image, inherits, build } = recipe.value;
  const { dockerfile } = build;
  // places are looked for where one is told of: that reads the whole file anew
  const location = (): Location => recipe.locate(["build", "dockerfile"]);
  try {
    const folder = await realpath(join(root, recipeFolder(image)));
    const template = inherits === undefined ? undefined : await realFolder(join(root, templateFolder(inherits)));
    const place = {
      folder,
      ...(template !== undefined && { templateFolder: template }),
      ofOtherVersions: filesOfOtherVersions(whole, recipe.value),
    };
    const isOwn = template === undefined || (await isThere(join(folder, dockerfile)));
    const home = isOwn ? folder : template;
    const path = await realpath(join(home, dockerfile));
    if (!path.startsWith(home + sep)) {
      return {
        message: `${quoted(dockerfile)} leads out of the ${isOwn ? "recipe" : "template"}'s folder`,
        location: location(),
        hint: "put the file itself in the recipe's folder",
      };
    }
    if (!(await stat(path)).isFile())
      return { message: `${quoted(dockerfile)} is not a regular file`, location: location() };
    return { path, ...place };
  } catch (error) {
    const message =
      errorCode(error) === "ENOENT" ? "is not in the recipe's folder" : `cannot be read: ${messageOf(error)}`;
    return {
      message: `the Dockerfile ${quoted(dockerfile)} ${message}`,
      location: location(),
      hint: "put it beside recipe.yaml, or name it under build.dockerfile",
    };
  }
}

async function isThere(path: string): Promise<boolean> {
  return lstat(path).then(
    () => true,
    () => false,
  );
}

/** A folder without symbolic links; undefined when it is not there. */
async function realFolder(path: string): Promise<string | undefined> {
  return (await isThere(path)) ? realpath(path) : undefined;
}

function bySchema<T>(root: string, schema: z.ZodType<T>): (file: string) => Promise<DocumentResult<T>> {
  return (file) => readDocument(root, file, schema);
}

async function readNamed<T>(
  root: string,
  kind: NamedKind,
  name: string,
  read: (file: string) => Promise<DocumentResult<T>>,
  identity: (value: T) => readonly [key: string, name: string],
  advice: string,
  from: (() => Location) | undefined,
): Promise<DocumentResult<T>> {
  const file = fileOf(kind, name);
  // listing all of them is only for a suggestion
  const names = (await isThere(join(root, file))) ? [name] : await listNamed(root, kind);
  if (!names.includes(name)) {
    const location = from?.() ?? { file: displayPath(join(root, folders[kind])) };
    return missing(`there is no ${kind} ${quoted(name)}`, name, names, location, advice);
  }
  const result = await read(file);
  if (!result.document) return result;
  const [key] = identity(result.document.value);
  return named(result, [key], (value) => identity(value)[1], name, kind === "source" ? "file" : "folder");
}

function missing<T>(
  message: string,
  name: string,
  names: readonly string[],
  location: Location,
  advice: string,
): DocumentResult<T> {
  const shown = names.length > 12 ? names.slice(-12) : names;
  const there =
    names.length === 0
      ? "there are none yet"
      : `there ${names.length > 12 ? "are, among others" : names.length === 1 ? "is" : "are"}: ${shown.join(", ")}`;
  const hint = [didYouMean(name, names) ?? there, advice].join("\n");
  return { problems: [{ message, location, hint }] };
}

/** Refuses a document that calls itself other than its file or folder does. */
function named<T>(
  result: DocumentResult<T>,
  path: readonly [string],
  nameIn: (value: T) => string,
  name: string,
  place: "file" | "folder",
): DocumentResult<T> {
  if (!result.document || nameIn(result.document.value) === name) return result;
  const message = `${path[0]}: ${quoted(nameIn(result.document.value))} is not the name of its ${place}, ${quoted(name)}`;
  return { problems: [{ message, location: result.document.locate(path), hint: `rename one of the two` }] };
}
