import { usageError } from "../errors.ts";
import { documentOf } from "./document.ts";
import { readRecipe, readRelease, readSource, readToolchain, readToolchainLock, readToolchainSources } from "./read.ts";
import {
  nameSchema,
  type Recipe,
  type Release,
  type Source,
  type Toolchain,
  type ToolchainLock,
  versionSchema,
} from "./schema.ts";
import type { ToolchainSources } from "./toolchain-sources.ts";
import { recipeForVersion } from "./versions.ts";

export {
  forgetRecipes,
  type LoadedContext,
  type LoadedRelease,
  type LoadedToolchain,
  loadReleaseInputs,
  readAhead,
  type SharedDocuments,
} from "./load-release.ts";
export { findRoot, listRecipes, listReleases } from "./tree.ts";

/** Reads a recipe with all it says of its versions. Throws one usage error with all that is wrong with it. */
export async function loadRecipe(root: string, name: string): Promise<Recipe> {
  return documentOf(await readRecipe(root, name)).value;
}

/** Reads a recipe as it is for a version. Throws one usage error with all that is wrong with it. */
export async function loadRecipeForVersion(root: string, name: string, version: string): Promise<Recipe> {
  return documentOf(recipeForVersion(documentOf(await readRecipe(root, name)), version)).value;
}

/** Reads one release of a recipe. Throws one usage error with all that is wrong with it. */
export async function loadRelease(root: string, name: string, version: string): Promise<Release> {
  return documentOf(await readRelease(root, name, version)).value;
}

/** Reads a source. Throws one usage error with all that is wrong with it. */
export async function loadSource(root: string, name: string): Promise<Source> {
  return documentOf(await readSource(root, name)).value;
}

/** Reads a toolchain. Throws one usage error with all that is wrong with it. */
export async function loadToolchain(root: string, name: string): Promise<Toolchain> {
  return documentOf(await readToolchain(root, name)).value;
}

/** Reads a lock of a toolchain. Throws one usage error with all that is wrong with it. */
export async function loadToolchainLock(root: string, toolchain: string, lock: string): Promise<ToolchainLock> {
  return documentOf(await readToolchainLock(root, toolchain, lock)).value;
}

/** Reads the source packages of a toolchain's lock; nothing where none are pinned. Throws one usage error with all that is wrong with them. */
export async function loadToolchainSources(
  root: string,
  toolchain: string,
  lock: string,
): Promise<ToolchainSources | undefined> {
  const read = await readToolchainSources(root, toolchain, lock);
  return read && documentOf(read).value;
}

/** `tini` or `tini@0.19.0`. Throws a usage error for anything else. */
export function parseRecipeArgument(text: string): { readonly recipe: string; readonly version?: string } {
  const at = text.indexOf("@");
  const recipe = at === -1 ? text : text.slice(0, at);
  const version = at === -1 ? undefined : text.slice(at + 1);
  if (nameSchema.safeParse(recipe).success) {
    if (version === undefined) return { recipe };
    if (versionSchema.safeParse(version).success) return { recipe, version };
  }
  throw usageError(`${JSON.stringify(text)} is not RECIPE or RECIPE@VERSION`, {
    hint: "a recipe is named as its folder in recipes/images is: refoundry rebuild tini@0.19.0",
  });
}
