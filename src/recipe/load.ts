import { type Problem, RefoundryError, usageError } from "../errors.ts";
import { checkLock, checkRelease, checkWaivers } from "./checks.ts";
import { documentOf, type DocumentResult, inOrder } from "./document.ts";
import {
  type DockerfilePlace,
  findDockerfile,
  readRecipe,
  readRelease,
  readSource,
  readToolchain,
  readToolchainLock,
} from "./read.ts";
import {
  nameSchema,
  type Recipe,
  type Release,
  type Source,
  type Toolchain,
  type ToolchainLock,
  versionSchema,
} from "./schema.ts";
import { listReleases } from "./tree.ts";

export { findRoot, listRecipes, listReleases } from "./tree.ts";

/** A recipe at one release with everything it names, read and checked against each other. */
export interface LoadedRelease {
  readonly recipe: Recipe;
  readonly release: Release;
  readonly source: Source;
  readonly toolchain: Toolchain;
  /** Absent for a toolchain that is a pinned image. */
  readonly toolchainLock?: ToolchainLock;
  readonly dockerfile: DockerfilePlace;
  /** Every version of the recipe that has a release, oldest first. */
  readonly versions: readonly string[];
}

/** Reads a recipe. Throws one usage error with all that is wrong with it. */
export async function loadRecipe(root: string, name: string): Promise<Recipe> {
  return documentOf(await readRecipe(root, name)).value;
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

/**
 * Reads a recipe and one release of it (the newest when no version is given) with all
 * they name, and checks them against each other. `today` is `YYYY-MM-DD`, by which
 * waivers expire. Throws one usage error with everything that is wrong.
 */
export async function loadReleaseInputs(
  root: string,
  recipeName: string,
  options: { readonly version?: string; readonly today: string },
): Promise<LoadedRelease> {
  const problems: Problem[] = [];
  const keep = <T>(result: DocumentResult<T>): DocumentResult<T>["document"] => {
    problems.push(...result.problems);
    return result.document;
  };
  const recipe = documentOf(await readRecipe(root, recipeName));
  const chosen = options.version ?? (await newestRelease(root, recipeName));
  const release = keep(await readRelease(root, recipeName, chosen));
  const source = keep(await readSource(root, recipe.value.source, recipe.locate(["source"])));
  const toolchain = keep(await readToolchain(root, recipe.value.toolchain, recipe.locate(["toolchain"])));
  const dockerfile = await findDockerfile(root, recipe);
  const lockName = release?.value.toolchain.lock;
  const lock =
    release && toolchain && lockName !== undefined && "debian" in toolchain.value
      ? keep(await readToolchainLock(root, toolchain.value.toolchain, lockName, release.locate(["toolchain", "lock"])))
      : undefined;

  problems.push(...checkWaivers(recipe, options.today));
  if ("message" in dockerfile) problems.push(dockerfile);
  if (lock) problems.push(...checkLock(lock));
  if (release) {
    problems.push(
      ...checkRelease({
        recipe,
        release,
        ...(source && { source }),
        ...(toolchain && { toolchain }),
        ...(lock && { lock }),
      }),
    );
  }
  if (problems.length > 0 || !release || !source || !toolchain || "message" in dockerfile) {
    throw new RefoundryError("usage", inOrder(problems));
  }
  return {
    recipe: recipe.value,
    release: release.value,
    source: source.value,
    toolchain: toolchain.value,
    ...(lock && { toolchainLock: lock.value }),
    dockerfile,
    versions: await listReleases(root, recipeName),
  };
}

async function newestRelease(root: string, recipe: string): Promise<string> {
  const newest = (await listReleases(root, recipe)).at(-1);
  if (newest !== undefined) return newest;
  throw usageError(`${recipe} has no release yet`, { hint: `write the first one: refoundry pin ${recipe} VERSION` });
}
