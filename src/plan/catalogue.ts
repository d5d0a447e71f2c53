import { join } from "node:path";
import pLimit from "p-limit";
import { errorCode, messageOf, type Problem, RefoundryError } from "../errors.ts";
import { type Digest, digestOf } from "../oci/digest.ts";
import type { PlatformName } from "../oci/platform.ts";
import {
  openDocuments,
  type ReadRecipeDocuments,
  type RecipeDocuments,
  type ReleaseDocument,
} from "./catalogue-documents.ts";
import type { Recipe, Release } from "../recipe/schema.ts";
import { recipeOf } from "../recipe/release-platforms.ts";
import { recipeSchema, releaseSchema } from "../recipe/schema.ts";
import {
  fileOf,
  listReleases,
  lockFile,
  recipeFolder,
  releaseFile,
  templateFile,
  templateFolder,
} from "../recipe/tree.ts";
import { filesOfOtherVersions } from "../recipe/versions.ts";
import type { ToolchainKind } from "./changes.ts";
import { type ContextEntry, contextDigestOf, listContext, listTemplateFiles } from "./context-digest.ts";
import { createStamps, type Stamps } from "./stamps.ts";

/** What a plan needs of a recipe, or of what it is for some versions. */
interface RecipeFacts {
  readonly recipe: Recipe;
  readonly toolchain: ToolchainKind;
  /** Where the toolchain is a recipe: which, and for which platform it is used. */
  readonly toolchainRecipe?: { readonly recipe: string; readonly platform: PlatformName };
  /** Of the Dockerfile and what lies beside it. */
  readonly contextDigest: Digest;
}

/** A release with what a plan needs of its recipe, read and checked. */
export interface CatalogueRelease extends RecipeFacts {
  readonly release: Release;
}

/** Which releases of a recipe: one by its version, the newest, or all. */
export interface Selection {
  readonly recipe: string;
  readonly releases: "newest" | "all" | { readonly version: string };
}

/** What was read and checked before, with stamps of the files; as it is kept between two plans. */
export type CatalogueMemory = Readonly<Record<string, RememberedRecipe>>;

interface RememberedRecipe extends RecipeFacts {
  /** Of recipe.yaml, the build context, the source and the toolchain. */
  readonly stamp: string;
  /** By version. */
  readonly releases: Readonly<Record<string, RememberedRelease>>;
}

interface RememberedRelease {
  /** Of its file and its toolchain's lock, and of what only its version names. */
  readonly stamp: string;
  readonly release: Release;
  /** What the recipe is for this version, where that is not what it is for all. */
  readonly own?: RecipeFacts;
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
  const unread = versions.filter((version) => {
    const kept = known?.releases[version];
    return !known || !kept || kept.stamp !== releaseStamp(reader, known.recipe, kept);
  });
  const documents = known && unread.length === 0 ? undefined : await reader.read(name);
  const whole = known?.recipe ?? documents?.recipe;
  const entries =
    whole?.inherits === undefined ? context : listContext(folder, join(root, templateFolder(whole.inherits)));
  const base = documents ? (known ?? factsOf(documents, documents.recipe, entries)) : known;
  if (!base) throw new Error(`${name} was neither read nor remembered`);
  const read = documents ? await readReleases(documents, unread) : [];
  const { recipe, toolchain, toolchainRecipe, contextDigest } = base;
  const shared = { recipe, toolchain, contextDigest, ...(toolchainRecipe && { toolchainRecipe }) };
  const releases = {
    ...known?.releases,
    ...Object.fromEntries(
      read.map(({ release, own }) => {
        const kept = { release, ...(own && { own: factsOf(own, recipe, entries) }) };
        return [release.version, { stamp: releaseStamp(reader, recipe, kept), ...kept }];
      }),
    ),
  };
  return {
    releases: versions.flatMap((version) => {
      const kept = releases[version];
      if (!kept) return [];
      const { release, own = shared } = kept;
      return [{ ...own, recipe: recipeOf({ ...own.recipe, versions: [] }, release), release }];
    }),
    remembered: { ...shared, releases, stamp: sharedStamp(reader, recipe, own) },
    fresh: documents !== undefined,
  };
}

/** Of a release's file and lock, and of the source and toolchain that only its version names. */
function releaseStamp(
  { root, stamps }: Reader,
  recipe: Recipe,
  { release, own }: Pick<RememberedRelease, "release" | "own">,
): string {
  const { lock } = release.toolchain;
  const ofOwn = own ? [fileOf("source", own.recipe.source), fileOf("toolchain", own.recipe.toolchain)] : [];
  const { image, toolchain } = own?.recipe ?? recipe;
  const paths = [
    releaseFile(image, release.version),
    ...(lock === undefined ? [] : [lockFile(toolchain, lock)]),
    ...ofOwn,
  ];
  return paths.map((path) => stamps.at(join(root, path))).join(" ");
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

/** `whole` is the recipe with all its versions. */
function factsOf(
  { recipe, toolchain }: Pick<RecipeDocuments, "recipe" | "toolchain">,
  whole: Recipe,
  context: readonly ContextEntry[],
): RecipeFacts {
  return {
    recipe,
    toolchain: "image" in toolchain ? "image" : "packages",
    ...("recipe" in toolchain && { toolchainRecipe: { recipe: toolchain.recipe, platform: toolchain.platform } }),
    contextDigest: contextDigestOf(context, filesOfOtherVersions(whole, recipe)),
  };
}

/** Throws one usage error with what is wrong with any of them. */
async function readReleases(documents: RecipeDocuments, versions: readonly string[]): Promise<ReleaseDocument[]> {
  const problems: Problem[] = [];
  const read: ReleaseDocument[] = [];
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
  const releases = Object.entries(remembered.releases).flatMap(([version, { stamp, release, own }]) => {
    const parsed = releaseSchema.safeParse(release);
    const ownRecipe = own && recipeSchema.safeParse(own.recipe);
    if (!parsed.success || ownRecipe?.success === false) return [];
    const kept = { stamp, release: parsed.data, ...(own && ownRecipe && { own: { ...own, recipe: ownRecipe.data } }) };
    return [[version, kept] as const];
  });
  return { ...remembered, recipe: recipe.data, releases: Object.fromEntries(releases) };
}

function sharedStamp({ root, stamps }: Reader, recipe: Recipe, own: readonly string[]): string {
  const { source, toolchain, inherits } = recipe;
  const template = inherits === undefined ? [] : [templateFile(inherits)];
  const below = inherits === undefined ? [] : listTemplateFiles(join(root, templateFolder(inherits)));
  const shared = [fileOf("source", source), fileOf("toolchain", toolchain), ...template];
  return digestOf(
    [
      ...own,
      ...shared.map((path) => `${path} ${stamps.at(join(root, path))}`),
      ...below.map(({ path, stats }) => `template ${path} ${stamps.of(stats)}`),
    ].join("\n"),
  );
}
