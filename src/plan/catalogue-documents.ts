import { RefoundryError } from "../errors.ts";
import { checkLock, checkRelease } from "../recipe/checks.ts";
import {
  documentOf,
  type DocumentResult,
  type LocatedDocument,
  readDocument,
  readRecipeDocument,
} from "../recipe/document.ts";
import {
  findDockerfile,
  readRecipe,
  readRelease,
  readSource,
  readToolchain,
  readToolchainLock,
} from "../recipe/read.ts";
import {
  type Recipe,
  type Release,
  releaseSchema,
  type Source,
  sourceSchema,
  type Toolchain,
  type ToolchainLock,
} from "../recipe/schema.ts";
import { fileOf, releaseFile } from "../recipe/tree.ts";
import { entriesFor, recipeWithEntries } from "../recipe/versions.ts";

/** A recipe that was read, and its releases. */
export interface RecipeDocuments {
  /** With all it says of its versions. */
  readonly recipe: Recipe;
  readonly toolchain: Toolchain;
  /** Reads a release and checks it against all that it names. Throws one usage error with all that is wrong. */
  release(version: string): Promise<ReleaseDocument>;
}

/** A release that was read. */
export interface ReleaseDocument {
  readonly release: Release;
  /** The recipe as it is for this version, and its toolchain, where that is not what it is for all. */
  readonly own?: { readonly recipe: Recipe; readonly toolchain: Toolchain };
}

/** Reads a recipe with what it names. Throws one usage error with all that is wrong. */
export type ReadRecipeDocuments = (name: string) => Promise<RecipeDocuments>;

/** Documents below a factory's root; what several recipes share is read once. */
export function openDocuments(root: string): ReadRecipeDocuments {
  const sources = new Map<string, Promise<DocumentResult<Source>>>();
  const toolchains = new Map<string, Promise<DocumentResult<Toolchain>>>();
  const locks = new Map<string, Promise<DocumentResult<ToolchainLock>>>();

  const withInputs = async (recipe: LocatedDocument<Recipe>, whole: Recipe): Promise<RecipeInputs> => {
    const { source: sourceName, toolchain: toolchainName } = recipe.value;
    const source = await once(sources, sourceName, () => sourceAt(root, sourceName, recipe));
    const toolchain = await once(toolchains, toolchainName, () =>
      readToolchain(root, toolchainName, () => recipe.locate(["toolchain"])),
    );
    const dockerfile = await findDockerfile(root, recipe, whole);
    const found = [...source.problems, ...toolchain.problems, ...("message" in dockerfile ? [dockerfile] : [])];
    if (found.length > 0 || !source.document || !toolchain.document) throw new RefoundryError("usage", found);
    return { recipe, source: source.document, toolchain: toolchain.document };
  };

  return async (name) => {
    const recipe = documentOf(await recipeAt(root, name));
    const whole = await withInputs(recipe, recipe.value);
    const variants = new Map<string, Promise<RecipeInputs>>();
    return {
      recipe: recipe.value,
      toolchain: whole.toolchain.value,
      async release(version) {
        const entries = entriesFor(recipe.value, version);
        const read =
          entries.length === 0
            ? whole
            : await once(variants, entries.join(), () =>
                withInputs(documentOf(recipeWithEntries(recipe, entries)), recipe.value),
              );
        const release = documentOf(await releaseAt(root, name, version));
        const lockName = release.value.toolchain.lock;
        const { toolchain } = read.recipe.value;
        const lock =
          lockName !== undefined && "debian" in read.toolchain.value
            ? await once(locks, `${toolchain}/${lockName}`, () => checkedLock(root, toolchain, lockName, release))
            : undefined;
        const problems = [
          ...(lock?.problems ?? []),
          ...checkRelease({ ...read, release, ...(lock?.document && { lock: lock.document }) }),
        ];
        if (problems.length > 0) throw new RefoundryError("usage", problems);
        const own = { recipe: read.recipe.value, toolchain: read.toolchain.value };
        return { release: release.value, ...(entries.length > 0 && { own }) };
      },
    };
  };
}

interface RecipeInputs {
  readonly recipe: LocatedDocument<Recipe>;
  readonly source: LocatedDocument<Source>;
  readonly toolchain: LocatedDocument<Toolchain>;
}

async function sourceAt(root: string, name: string, recipe: LocatedDocument<Recipe>): Promise<DocumentResult<Source>> {
  const result = await readDocument(root, fileOf("source", name), sourceSchema);
  return result.document?.value.source === name ? result : readSource(root, name, () => recipe.locate(["source"]));
}

async function checkedLock(
  root: string,
  toolchain: string,
  name: string,
  release: LocatedDocument<Release>,
): Promise<DocumentResult<ToolchainLock>> {
  const result = await readToolchainLock(root, toolchain, name, () => release.locate(["toolchain", "lock"]));
  const problems = result.document ? checkLock(result.document) : [];
  return problems.length > 0 ? { problems } : result;
}

/** {@link readRecipe} lists every recipe to suggest one; that is for names that are not there. */
async function recipeAt(root: string, name: string): Promise<DocumentResult<Recipe>> {
  const result = await readRecipeDocument(root, fileOf("recipe", name));
  return result.document?.value.image === name ? result : readRecipe(root, name);
}

async function releaseAt(root: string, recipe: string, version: string): Promise<DocumentResult<Release>> {
  const result = await readDocument(root, releaseFile(recipe, version), releaseSchema);
  return result.document?.value.version === version ? result : readRelease(root, recipe, version);
}

async function once<T>(known: Map<string, Promise<T>>, key: string, read: () => Promise<T>): Promise<T> {
  let value = known.get(key);
  if (!value) {
    value = read();
    known.set(key, value);
  }
  return value;
}
