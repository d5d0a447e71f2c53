import { type Location, type Problem, RefoundryError, usageError } from "../errors.ts";
import { checkLock, checkRelease, checkWaivers } from "./checks.ts";
import { documentOf, type DocumentResult, inOrder, type LocatedDocument } from "./document.ts";
import { type Patch, readPatches } from "./patches.ts";
import {
  type DockerfilePlace,
  findDockerfile,
  readRecipe,
  readRelease,
  readSource,
  readToolchain,
  readToolchainLock,
  readToolchainSources,
} from "./read.ts";
import { recipeOf } from "./release-platforms.ts";
import type { ContextPin, Recipe, Release, Source, SourcePin, Toolchain, ToolchainLock } from "./schema.ts";
import type { ToolchainSources } from "./toolchain-sources.ts";
import { listReleases } from "./tree.ts";
import { entriesFor, recipeForVersion } from "./versions.ts";

/** A recipe at one release with everything it names, read and checked against each other. */
export interface LoadedRelease {
  readonly recipe: Recipe;
  readonly release: Release;
  readonly source: Source;
  readonly toolchain: Toolchain;
  /** Only for a toolchain that is a package list. */
  readonly toolchainLock?: ToolchainLock;
  /** The source packages of the lock's packages, where they are pinned. */
  readonly toolchainSources?: ToolchainSources;
  /** Only for a toolchain that is a recipe: its release. */
  readonly toolchainRelease?: LoadedRelease;
  /** The recipe's contexts by name, each with what the release pins of it. */
  readonly contexts: Readonly<Record<string, LoadedContext>>;
  readonly dockerfile: DockerfilePlace;
  /** Applied to the source, in this order. */
  readonly patches: readonly Patch[];
  /** Every version of the recipe that has a release, oldest first. */
  readonly versions: readonly string[];
}

/** A named build context with its pin and what that names. */
export type LoadedContext =
  | { readonly kind: "source"; readonly pin: SourcePin; readonly source: Source }
  | { readonly kind: "recipe"; readonly pin: RecipePin; readonly release: LoadedRelease }
  | ({ readonly kind: "toolchain"; readonly use: "build" | "smoke" } & LoadedToolchain);

type RecipePin = Extract<ContextPin, { recipe: unknown }>["recipe"];

/** A toolchain with its pin and what that names. */
export interface LoadedToolchain {
  readonly pin: Release["toolchain"];
  readonly toolchain: Toolchain;
  readonly lock?: ToolchainLock;
  readonly sources?: ToolchainSources;
  readonly release?: LoadedRelease;
}

/** Documents that several releases name, as they were read. */
export type SharedDocuments = Map<string, Promise<unknown>>;

/** Which release to read, and how. */
interface LoadOptions {
  /** The newest when absent. */
  readonly version?: string;
  /** `YYYY-MM-DD`, by which waivers of the newest release expire; an older one is past mending. */
  readonly today: string;
  /** The release is wanted as it was when it went out, whatever expired since. */
  readonly asItWas?: boolean;
  /** For many releases in one go: what they share is read once. */
  readonly shared?: SharedDocuments;
}

/**
 * Reads a recipe and one release of it with all they name, and checks them against each
 * other. Throws one usage error with everything that is wrong.
 */
export async function loadReleaseInputs(
  root: string,
  recipeName: string,
  options: LoadOptions,
): Promise<LoadedRelease> {
  return loadWithin(root, recipeName, options, []);
}

/**
 * Reads the documents of several releases side by side, for {@link loadReleaseInputs} with the
 * same `shared` to take. Some dozens at a time: they are held until they are taken.
 */
export async function readAhead(
  root: string,
  releases: readonly { readonly recipe: string; readonly version: string }[],
  shared: SharedDocuments,
): Promise<void> {
  const read = async (name: string, version: string): Promise<void> => {
    const recipe = await once(shared, `recipe ${name}`, () => readRecipe(root, name));
    const versions = await once(shared, `releases ${name}`, () => listReleases(root, name));
    await once(shared, releaseKey(name, version), () => readRelease(root, name, version, versions));
    if (!recipe.document) return;
    const whole = recipe.document.value;
    const { document } = recipeForVersion(recipe.document, version);
    if (!document) return;
    const { source } = document.value;
    await Promise.all([
      once(shared, `source ${source}`, () => readSource(root, source, () => document.locate(["source"]))),
      once(shared, dockerfileKey(whole, version), () => findDockerfile(root, document, whole)),
    ]);
  };
  await Promise.all(releases.map(({ recipe, version }) => read(recipe, version)));
}

/**
 * Drops what was read of single recipes and their sources, so that after thousands of them
 * there is held what many releases stand on: toolchains, locks and other releases.
 */
export function forgetRecipes(shared: SharedDocuments): void {
  for (const key of shared.keys()) if (/^(recipe|releases|source|dockerfile) /.test(key)) shared.delete(key);
}

/** Versions that a recipe says the same of have one Dockerfile, and the same files beside it. */
function dockerfileKey(whole: Recipe, version: string): string {
  return `dockerfile ${whole.image} ${entriesFor(whole, version).join()}`;
}

function releaseKey(recipe: string, version: string): string {
  return `document of ${recipe}@${version}`;
}

/** A release's document that was read ahead, once: thousands of them are not to be held. */
function taken(shared: SharedDocuments | undefined, key: string): Promise<DocumentResult<Release>> | undefined {
  const known = shared?.get(key) as Promise<DocumentResult<Release>> | undefined;
  shared?.delete(key);
  return known;
}

function once<T>(shared: SharedDocuments | undefined, key: string, read: () => Promise<T>): Promise<T> {
  const known = shared?.get(key) as Promise<T> | undefined;
  if (known) return known;
  const value = read();
  shared?.set(key, value);
  return value;
}

/** `above` is who needs it: recipe by recipe, the first first. */
async function loadWithin(
  root: string,
  recipeName: string,
  options: LoadOptions,
  above: readonly string[],
): Promise<LoadedRelease> {
  const problems: Problem[] = [];
  const keep = <T>(result: DocumentResult<T>): DocumentResult<T>["document"] => {
    problems.push(...result.problems);
    return result.document;
  };
  const { shared } = options;
  const whole = documentOf(await once(shared, `recipe ${recipeName}`, () => readRecipe(root, recipeName)));
  const trail = [...above, recipeName];
  if (above.includes(recipeName))
    throw usageError(`recipes need each other in a circle: ${trail.join(" -> ")}`, { location: whole.locate([]) });
  const versions = await once(shared, `releases ${recipeName}`, () => listReleases(root, recipeName));
  const chosen = options.version ?? newestRelease(recipeName, versions);
  const recipe = documentOf(recipeForVersion(whole, chosen));
  const ahead = taken(shared, releaseKey(recipeName, chosen));
  const release = keep(await (ahead ?? readRelease(root, recipeName, chosen, versions)));
  const { source: sourceName, toolchain: toolchainName } = recipe.value;
  const source = keep(
    await once(shared, `source ${sourceName}`, () => readSource(root, sourceName, () => recipe.locate(["source"]))),
  );
  const toolchain = keep(
    await once(shared, `toolchain ${toolchainName}`, () =>
      readToolchain(root, toolchainName, () => recipe.locate(["toolchain"])),
    ),
  );
  const dockerfile = await once(shared, dockerfileKey(whole.value, chosen), () =>
    findDockerfile(root, recipe, whole.value),
  );
  const releaseOf = (name: string, version: string): Promise<LoadedRelease> =>
    // one of those above would wait for itself
    once(trail.includes(name) ? undefined : shared, `release ${name}@${version}`, () =>
      loadWithin(root, name, { ...options, version }, trail),
    );
  const reader = { root, recipe, keep, releaseOf, shared };
  const made =
    release && toolchain
      ? await makerOf(reader, toolchain.value, release.value.toolchain, () => release.locate(["toolchain", "lock"]))
      : {};
  if (!options.asItWas && chosen === versions.at(-1)) problems.push(...checkWaivers(recipe, options.today));
  const { patches, problems: wrongPatches } = await readPatches(root, recipe);
  problems.push(...wrongPatches);
  if ("message" in dockerfile) problems.push(dockerfile);
  if (made.lock) problems.push(...checkLock(made.lock));
  if (release) {
    problems.push(
      ...checkRelease({
        recipe,
        release,
        ...(source && { source }),
        ...(toolchain && { toolchain }),
        ...(made.lock && { lock: made.lock }),
      }),
    );
  }
  if (problems.length > 0 || !release || !source || !toolchain || "message" in dockerfile) {
    throw new RefoundryError("usage", inOrder(problems));
  }
  const contexts = await loadContexts(reader, release);
  if (problems.length > 0) throw new RefoundryError("usage", inOrder(problems));
  return {
    recipe: recipeOf(recipe.value, release.value),
    release: release.value,
    source: source.value,
    toolchain: toolchain.value,
    ...(made.lock && { toolchainLock: made.lock.value }),
    ...(made.sources && { toolchainSources: made.sources.value }),
    ...(made.release && { toolchainRelease: made.release }),
    contexts,
    dockerfile,
    patches,
    versions,
  };
}

interface ContextReader {
  readonly root: string;
  readonly recipe: LocatedDocument<Recipe>;
  readonly keep: <T>(result: DocumentResult<T>) => DocumentResult<T>["document"];
  readonly releaseOf: (recipe: string, version: string) => Promise<LoadedRelease>;
  readonly shared: SharedDocuments | undefined;
}

interface Maker {
  readonly lock?: LocatedDocument<ToolchainLock>;
  readonly sources?: LocatedDocument<ToolchainSources>;
  readonly release?: LoadedRelease;
}

/** From what a toolchain is made: its lock, or its recipe's release. */
async function makerOf(
  { root, keep, releaseOf, shared }: ContextReader,
  toolchain: Toolchain,
  pin: Release["toolchain"],
  place: () => Location,
): Promise<Maker> {
  if ("debian" in toolchain && pin.lock !== undefined) {
    const { lock: lockName } = pin;
    const lock = keep(
      await once(shared, `lock ${toolchain.toolchain}/${lockName}`, () =>
        readToolchainLock(root, toolchain.toolchain, lockName, place),
      ),
    );
    const read = await once(shared, `lock's sources ${toolchain.toolchain}/${lockName}`, () =>
      readToolchainSources(root, toolchain.toolchain, lockName),
    );
    const sources = read && keep(read);
    return { ...(lock && { lock }), ...(sources && { sources }) };
  }
  if ("recipe" in toolchain && pin.version !== undefined)
    return { release: await releaseOf(toolchain.recipe, pin.version) };
  return {};
}

/** What every context of the recipe is; {@link checkRelease} saw to it that each has a pin of its kind. */
async function loadContexts(
  reader: ContextReader,
  release: LocatedDocument<Release>,
): Promise<Record<string, LoadedContext>> {
  const { root, recipe, keep, releaseOf, shared } = reader;
  const loaded: Record<string, LoadedContext> = {};
  for (const [name, context] of Object.entries(recipe.value.contexts)) {
    const pin = release.value.contexts?.[name];
    const place = (): Location => recipe.locate(["contexts", name]);
    if (!pin) continue;
    if ("source" in context && "source" in pin) {
      const source = keep(
        await once(shared, `source ${context.source}`, () => readSource(root, context.source, place)),
      );
      if (source) loaded[name] = { kind: "source", pin: pin.source, source: source.value };
    } else if ("recipe" in context && "recipe" in pin) {
      const needed = await releaseOf(context.recipe, pin.recipe.version);
      loaded[name] = { kind: "recipe", pin: pin.recipe, release: needed };
    } else if ("toolchain" in context && "toolchain" in pin) {
      const toolchain = keep(
        await once(shared, `toolchain ${context.toolchain}`, () => readToolchain(root, context.toolchain, place)),
      );
      if (!toolchain) continue;
      const made = await makerOf(reader, toolchain.value, pin.toolchain, () => release.locate(["contexts", name]));
      loaded[name] = {
        kind: "toolchain",
        use: context.use,
        pin: pin.toolchain,
        toolchain: toolchain.value,
        ...(made.lock && { lock: made.lock.value }),
        ...(made.sources && { sources: made.sources.value }),
        ...(made.release && { release: made.release }),
      };
    }
  }
  return loaded;
}

function newestRelease(recipe: string, versions: readonly string[]): string {
  const newest = versions.at(-1);
  if (newest !== undefined) return newest;
  throw usageError(`${recipe} has no release yet`, { hint: `write the first one: refoundry pin ${recipe} VERSION` });
}
