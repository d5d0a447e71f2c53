import { realpathSync } from "node:fs";
import { join } from "node:path";
import pLimit from "p-limit";
import { errorCode, messageOf, type Problem, RefoundryError } from "../errors.ts";
import { type Digest, digestOf } from "../oci/digest.ts";
import type { PlatformName } from "../oci/platform.ts";
import { openDocuments, type ReadRecipeDocuments, type RecipeDocuments } from "./catalogue-documents.ts";
import type { Recipe, Release } from "../recipe/schema.ts";
import { recipeOf } from "../recipe/release-platforms.ts";
import { recipeSchema, releaseSchema } from "../recipe/schema.ts";
import { fileOf, listReleases, lockFile, recipeFolder, releaseFile, templateFile } from "../recipe/tree.ts";
import type { ToolchainKind } from "./changes.ts";
import { type ContextEntry, contextDigestOf, listContext } from "./context-digest.ts";
import { createStamps, type Stamps } from "./stamps.ts";

/** A release with what a plan needs of its recipe, read and checked. */
export interface CatalogueRelease {
  readonly recipe: Recipe;
  readonly release: Release;
  readonly toolchain: ToolchainKind;
  /** Where the toolchain is a recipe: which, and for which platform it is used. */
  readonly toolchainRecipe?: { readonly recipe: string; readonly platform: PlatformName };
  /** Of the Dockerfile and what lies beside it. */
  readonly contextDigest: Digest;
}

/** Which releases of a recipe: one by its version, the newest, or all. */
export interface Selection {
  readonly recipe: string;
  readonly releases: "newest" | "all" | { readonly version: string };
}

/** What was read and checked before, with stamps of the files; as it is kept between two plans. */
export type CatalogueMemory = Readonly<Record<string, RememberedRecipe>>;

interface RememberedRecipe {
  /** Of recipe.yaml, the build context, the source and the toolchain. */
  readonly stamp: string;
  readonly recipe: Recipe;
  readonly toolchain: ToolchainKind;
  readonly toolchainRecipe?: CatalogueRelease["toolchainRecipe"];
  readonly contextDigest: Digest;
  /** By version, each with the stamp of its file and its toolchain's lock. */
  readonly releases: Readonly<Record<string, { readonly stamp: string; readonly release: Release }>>;
}

/** The releases that were asked for, what is wrong with those that could not be read, and what to remember. */
export interface Catalogue {
  readonly releases: readonly CatalogueRelease[];
  readonly problems: readonly Problem[];
  readonly memory: CatalogueMemory;
  /** Whether anything had to be read that was not remembered. */
  readonly fresh: boolean;
}

interface Reader {
  readonly root: string;
  readonly stamps: Stamps;
  readonly read: ReadRecipeDocuments;
}

/**
 * Reads many releases with their recipes and checks them as a rebuild would, but for
 * expired waivers. What is remembered is not read again while its files have their
 * stamps. `now` is in milliseconds; `onRead` is told of each release as soon as it is there.
 */
export async function readCatalogue(
  root: string,
  selections: readonly Selection[],
  memory: CatalogueMemory,
  now: number,
  onRead: (release: CatalogueRelease) => void = () => {},
): Promise<Catalogue> {
  const reader: Reader = { root, stamps: createStamps(now), read: openDocuments(root) };
  const limit = pLimit(8);
  const problems: Problem[] = [];
  let fresh = false;
  const results = await Promise.all(
    selections.map((selection) =>
      limit(async () => {
        try {
          const result = await readSelected(reader, selection, memory[selection.recipe]);
          fresh ||= result.fresh;
          result.releases.forEach(onRead);
          return { name: selection.recipe, ...result };
        } catch (error) {
          if (!(error instanceof RefoundryError) || error.kind !== "usage") throw error;
          problems.push(...error.problems);
          return undefined;
        }
      }),
    ),
  );
  const read = results.filter((result) => result !== undefined);
  return {
    releases: read.flatMap(({ releases }) => releases),
    problems,
    memory: { ...memory, ...Object.fromEntries(read.map(({ name, remembered }) => [name, remembered])) },
    fresh,
  };
}

interface Selected {
  readonly releases: readonly CatalogueRelease[];
  readonly remembered: RememberedRecipe;
  readonly fresh: boolean;
}

async function readSelected(
  reader: Reader,
  { recipe: name, releases: which }: Selection,
  remembered: RememberedRecipe | undefined,
): Promise<Selected> {
  const { root, stamps } = reader;
  const folder = join(root, recipeFolder(name));
  const context = await contextOf(reader, name, folder);
  const own = [
    `recipe.yaml ${stamps.at(join(folder, "recipe.yaml"))}`,
    ...context.map(({ path, stats }) => `${path} ${stamps.of(stats)}`),
  ];
  const known = remembered && checked(remembered, reader, own);
  const versions = await versionsOf(reader, name, which);
  const stampOf = (version: string, lock: string | undefined, toolchain: string): string =>
    `${stamps.at(join(root, releaseFile(name, version)))} ${lock === undefined ? "" : stamps.at(join(root, lockFile(toolchain, lock)))}`;
  const unread = versions.filter((version) => {
    const kept = known?.releases[version];
    return kept?.stamp !== stampOf(version, kept?.release.toolchain.lock, known?.recipe.toolchain ?? "");
  });
  const documents = known && unread.length === 0 ? undefined : await reader.read(name);
  const base = documents ? baseOf(documents, folder, context, known) : known;
  if (!base) throw new Error(`${name} was neither read nor remembered`);
  const read = documents ? await readReleases(documents, unread) : [];
  const { recipe, toolchain, toolchainRecipe, contextDigest } = base;
  const shared = { recipe, toolchain, contextDigest, ...(toolchainRecipe && { toolchainRecipe }) };
  const releases = {
    ...known?.releases,
    ...Object.fromEntries(
      read.map((release) => {
        const stamp = stampOf(release.version, release.toolchain.lock, recipe.toolchain);
        return [release.version, { stamp, release }];
      }),
    ),
  };
  return {
    releases: versions.flatMap((version) => {
      const release = releases[version]?.release;
      return release ? [{ ...shared, recipe: recipeOf(recipe, release), release }] : [];
    }),
    remembered: { ...shared, releases, stamp: sharedStamp(reader, recipe, own) },
    fresh: documents !== undefined,
  };
}

async function versionsOf({ root }: Reader, name: string, which: Selection["releases"]): Promise<string[]> {
  if (typeof which === "object") return [which.version];
  const versions = await listReleases(root, name);
  return which === "all" ? versions : versions.slice(-1);
}

async function contextOf(reader: Reader, name: string, folder: string): Promise<ContextEntry[]> {
  try {
    return listContext(folder);
  } catch (error) {
    if (error instanceof RefoundryError) throw error;
    // reading it says what is wrong
    await reader.read(name);
    throw new RefoundryError(
      "usage",
      [{ message: `the recipe's folder cannot be read: ${messageOf(error)}`, location: { file: folder } }],
      errorCode(error) === undefined ? {} : { cause: error },
    );
  }
}

function baseOf(
  { recipe, toolchain }: RecipeDocuments,
  folder: string,
  context: readonly ContextEntry[],
  known: RememberedRecipe | undefined,
): Pick<RememberedRecipe, "recipe" | "toolchain" | "toolchainRecipe" | "contextDigest"> {
  const contextDigest = known?.contextDigest ?? contextDigestOf(realpathSync(folder), context);
  return {
    recipe,
    toolchain: "image" in toolchain ? "image" : "packages",
    ...("recipe" in toolchain && { toolchainRecipe: { recipe: toolchain.recipe, platform: toolchain.platform } }),
    contextDigest,
  };
}

/** Throws one usage error with what is wrong with any of them. */
async function readReleases(documents: RecipeDocuments, versions: readonly string[]): Promise<Release[]> {
  const problems: Problem[] = [];
  const read: Release[] = [];
  for (const version of versions) {
    try {
      read.push(await documents.release(version));
    } catch (error) {
      if (!(error instanceof RefoundryError) || error.kind !== "usage") throw error;
      problems.push(...error.problems);
    }
  }
  if (problems.length > 0) throw new RefoundryError("usage", problems);
  return read;
}

/** What is remembered, if the files have the stamps that they had, and if it is still what today's schemas ask for. */
function checked(remembered: RememberedRecipe, reader: Reader, own: readonly string[]): RememberedRecipe | undefined {
  const recipe = recipeSchema.safeParse(remembered.recipe);
  if (!recipe.success || sharedStamp(reader, recipe.data, own) !== remembered.stamp) return undefined;
  const releases = Object.entries(remembered.releases).flatMap(([version, { stamp, release }]) => {
    const parsed = releaseSchema.safeParse(release);
    return parsed.success ? [[version, { stamp, release: parsed.data }] as const] : [];
  });
  return { ...remembered, recipe: recipe.data, releases: Object.fromEntries(releases) };
}

function sharedStamp({ root, stamps }: Reader, recipe: Recipe, own: readonly string[]): string {
  const { source, toolchain, inherits } = recipe;
  const template = inherits === undefined ? [] : [templateFile(inherits)];
  const shared = [fileOf("source", source), fileOf("toolchain", toolchain), ...template];
  return digestOf([...own, ...shared.map((path) => `${path} ${stamps.at(join(root, path))}`)].join("\n"));
}
