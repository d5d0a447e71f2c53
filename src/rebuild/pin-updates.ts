import { listRemoteRefs } from "../add/remote-refs.ts";
import { newestSource } from "../debian/source-package.ts";
import { upstreamVersionOf } from "../debian/version.ts";
import { messageOf, type Problem, RefoundryError } from "../errors.ts";
import { runStage } from "../events.ts";
import { parseReference } from "../oci/reference.ts";
import { listReleases, loadRecipe, loadRecipeForVersion, loadRelease, loadSource } from "../recipe/load.ts";
import type { Recipe, Source } from "../recipe/schema.ts";
import { listToolchainLocks } from "../recipe/tree.ts";
import { compareVersions, isPreRelease } from "../recipe/version.ts";
import { listOf } from "../recipe/words.ts";
import { type Candidate, candidatesOf, isNewer } from "./pin-candidates.ts";
import { findToolchainUpdate, type ToolchainUpdate } from "./pin-toolchain-updates.ts";
import type { Factory } from "./types.ts";

/** What is newer of a recipe than what it pins. */
export interface RecipeUpdates {
  readonly recipe: string;
  /** Newest first, those that are pinned among them. */
  readonly candidates: readonly Candidate[];
  /** Where the source is, if others can open it. */
  readonly sourceUrl?: string;
  /** The newest lock of its toolchain, where the newest release pins an older one. */
  readonly newerLock?: { readonly version: string; readonly from: string; readonly to: string };
  /** Contexts of which the newest release pins something older than the factory has by now. */
  readonly newerContexts: readonly { readonly context: string; readonly from: string; readonly to: string }[];
  /** What could not be told, as sentences. */
  readonly notes: readonly string[];
}

/** Everything that is newer, and what could not be asked. */
export interface Updates {
  readonly recipes: readonly RecipeUpdates[];
  readonly toolchains: readonly ToolchainUpdate[];
  readonly failed: readonly { readonly name: string; readonly error: RefoundryError }[];
}

/** A repository with more versions than this has the newest told. */
const maxCandidates = 500;

/**
 * Looks for newer versions of recipes and for newer toolchains. What cannot be reached
 * does not keep the others from being looked at. Writes nothing.
 */
export async function findUpdates(root: string, names: readonly string[], factory: Factory): Promise<Updates> {
  const recipes: RecipeUpdates[] = [];
  const toolchains: ToolchainUpdate[] = [];
  const failed: { name: string; error: RefoundryError }[] = [];
  const attempt = async <T>(name: string, into: T[], work: () => Promise<T>): Promise<void> => {
    try {
      into.push(await work());
    } catch (error) {
      if (!(error instanceof RefoundryError) || error.kind === "interrupted") throw error;
      failed.push({ name, error });
    }
  };
  const used = new Set<string>();
  for (const name of names) {
    await attempt(name, recipes, async () => {
      const recipe = await newestRecipe(root, name);
      for (const toolchain of toolchainsOf(recipe)) used.add(toolchain);
      return runStage(factory.emit, { stage: "upstream", title: `versions of ${name}` }, async () => {
        const value = await findRecipeUpdates(root, recipe, factory);
        return { value, detail: `${value.candidates.filter((candidate) => candidate.isNewer).length} newer` };
      });
    });
  }
  for (const name of used) {
    await attempt(name, toolchains, () =>
      runStage(factory.emit, { stage: "toolchain", title: `toolchain ${name}` }, async () => {
        const value = await findToolchainUpdate(root, name, factory);
        return { value, detail: value.change ?? value.unknown ?? "nothing newer" };
      }),
    );
  }
  return { recipes, toolchains, failed };
}

/** A recipe as its newest release has it: what comes next is likely to be like that. */
async function newestRecipe(root: string, name: string): Promise<Recipe> {
  const newest = (await listReleases(root, name)).at(-1);
  return newest === undefined ? loadRecipe(root, name) : loadRecipeForVersion(root, name, newest);
}

async function findRecipeUpdates(root: string, recipe: Recipe, factory: Factory): Promise<RecipeUpdates> {
  const source = await loadSource(root, recipe.source);
  const pinned = await listReleases(root, recipe.image);
  const notes: string[] = [];
  const candidates =
    source.import.kind === "debian"
      ? await debianCandidates(source.import, pinned, factory)
      : await gitCandidates(recipe, source, pinned, notes, factory);
  const newest = pinned.at(-1);
  const newerLock = await findNewerLock(root, recipe, newest);
  if (candidates.length > maxCandidates)
    notes.push(`of ${candidates.length} versions the newest ${maxCandidates} are told`);
  return {
    recipe: recipe.image,
    candidates: candidates.slice(0, maxCandidates),
    ...(source.upstream.startsWith("https://") && { sourceUrl: source.upstream.replace(/\.git$/, "") }),
    ...(newerLock && { newerLock }),
    newerContexts: newest === undefined ? [] : await findNewerContexts(root, recipe, newest),
    notes,
  };
}

/** The toolchain that builds a recipe, and those among its contexts. */
function toolchainsOf({ toolchain, contexts }: Recipe): string[] {
  const others = Object.values(contexts).flatMap((context) => ("toolchain" in context ? [context.toolchain] : []));
  return [toolchain, ...others];
}

/** A base that was recorded anew since it was pinned, and a toolchain among the contexts that has a newer lock. */
async function findNewerContexts(
  root: string,
  recipe: Recipe,
  version: string,
): Promise<RecipeUpdates["newerContexts"]> {
  const { contexts = {} } = await loadRelease(root, recipe.image, version);
  const found = Object.entries(contexts).map(async ([name, pin]): Promise<RecipeUpdates["newerContexts"]> => {
    const context = recipe.contexts[name];
    if (context && "recipe" in context && "recipe" in pin) {
      const newest = (await listReleases(root, context.recipe)).at(-1);
      const index = newest && (await loadRelease(root, context.recipe, newest)).expect?.index;
      if (index === undefined || index === pin.recipe.index) return [];
      const nameOf = (which: string, digest: string): string => `${context.recipe} ${which} (${digest.slice(0, 19)})`;
      return [{ context: name, from: nameOf(pin.recipe.version, pin.recipe.index), to: nameOf(newest ?? "", index) }];
    }
    if (context && "toolchain" in context && "toolchain" in pin) {
      const newest = (await listToolchainLocks(root, context.toolchain)).at(-1);
      const { lock } = pin.toolchain;
      if (lock === undefined || newest === undefined || lock === newest) return [];
      return [{ context: name, from: `${context.toolchain} ${lock}`, to: `${context.toolchain} ${newest}` }];
    }
    return [];
  });
  return (await Promise.all(found)).flat();
}

async function gitCandidates(
  recipe: Recipe,
  source: Source,
  pinned: readonly string[],
  notes: string[],
  factory: Factory,
): Promise<Candidate[]> {
  const { registry, store, signal } = factory;
  const refs = await listRemoteRefs(source.upstream, store.repositoryPath(source.source), signal);
  if (refs.isCut) notes.push("the source has more tags than are read");
  const imageTags = await listImageTags(recipe, notes, registry, signal);
  return candidatesOf({ imageTags, sourceTags: refs.tags.keys(), names: [source.source, recipe.image], pinned });
}

async function listImageTags(
  recipe: Recipe,
  notes: string[],
  registry: Factory["registry"],
  signal: AbortSignal,
): Promise<readonly string[]> {
  if ("none" in recipe.upstream) return [];
  if (!("image" in recipe.upstream)) {
    notes.push("upstream is no image in a registry, so its versions are not known");
    return [];
  }
  const reference = parseReference(recipe.upstream.image);
  if (reference.kind !== "registry" || reference.tag !== undefined || reference.digest !== undefined) {
    notes.push(`upstream.image ${recipe.upstream.image} names one image, so there are no other versions of it`);
    return [];
  }
  return registry.repository(reference).listTags(signal);
}

/** A suite has one version of a source package. */
async function debianCandidates(
  source: Extract<Source["import"], { kind: "debian" }>,
  pinned: readonly string[],
  factory: Factory,
): Promise<Candidate[]> {
  const folder = await factory.store.temporaryFolder("apt");
  const found: string[] = [];
  for (const suite of listOf(source.suite)) {
    const { version } = await newestSource(suite, {
      package: source.package,
      mirrorRoot: await factory.mirror.rootUrl(),
      temporaryFolder: folder,
      signal: factory.signal,
    });
    found.push(upstreamVersionOf(version));
  }
  const versions = [...new Set([...found, ...pinned])];
  return versions
    .toSorted((a, b) => compareVersions(b, a))
    .map((version) => ({
      version,
      isPinned: pinned.includes(version),
      isStable: !isPreRelease(version),
      isNewer: !pinned.includes(version) && isNewer(version, pinned),
    }));
}

async function findNewerLock(
  root: string,
  recipe: Recipe,
  version: string | undefined,
): Promise<RecipeUpdates["newerLock"]> {
  if (version === undefined) return undefined;
  const { lock } = (await loadRelease(root, recipe.image, version)).toolchain;
  const newest = (await listToolchainLocks(root, recipe.toolchain)).at(-1);
  return lock === undefined || newest === undefined || lock === newest
    ? undefined
    : { version, from: lock, to: newest };
}

/** What went wrong with a name, as a problem of its own. */
export function failureProblems({ name, error }: Updates["failed"][number]): Problem[] {
  if (error.problems.length === 0) return [{ message: `${name}: ${messageOf(error)}` }];
  return error.problems.map((problem) => ({ ...problem, message: `${name}: ${problem.message}` }));
}
