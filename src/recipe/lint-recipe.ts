import { realpath } from "node:fs/promises";
import { join, relative } from "node:path";
import type { Location } from "../errors.ts";
import { checkRelease } from "./checks.ts";
import type { ToolchainSources } from "./toolchain-sources.ts";
import { lintLedger } from "./lint-ledger.ts";
import { checkDockerfile } from "./dockerfile.ts";
import type { DocumentResult, LocatedDocument } from "./document.ts";
import { checkArguments, checkCommands } from "./lint-hermeticity.ts";
import { isVersion } from "./lint-layout.ts";
import { checkExpected, checkOmitted, checkPlatformNames } from "./lint-platforms.ts";
import type { TreeReader } from "./lint-read.ts";
import type { Report } from "./lint-rules.ts";
import { checkWrittenStyle } from "./lint-style.ts";
import { lintDependences, lintWaivers, platformsOfAnyVersion, type WaiverChecks } from "./lint-waivers.ts";
import { readPatches } from "./patches.ts";
import { findDockerfile, readRecipe, readSource, readToolchain, readToolchainLock } from "./read.ts";
import { type Recipe, type Release, releaseSchema, type Source, type Toolchain, type ToolchainLock } from "./schema.ts";
import { folders, recipeFolder } from "./tree.ts";
import { entriesFor, recipeWithEntries } from "./versions.ts";
import { quoted } from "./words.ts";

/** Documents of one kind by name; undefined for one that could not be read. */
export type Documents<T> = ReadonlyMap<string, LocatedDocument<T> | undefined>;

/** What recipes may name. */
export interface KnownDocuments {
  readonly sources: Documents<Source>;
  readonly toolchains: Documents<Toolchain>;
  /** By toolchain and lock, `name/lock`. */
  readonly locks: Documents<ToolchainLock>;
  /** The source packages of locks, likewise. */
  readonly lockSources: Documents<ToolchainSources>;
}

/** What a recipe is checked by besides itself. */
export interface RecipeChecks {
  readonly known: KnownDocuments;
  /** `YYYY-MM-DD`, by which waivers expire. */
  readonly today: string;
  /** The classes that a waiver may be for; any when absent. */
  readonly classes?: readonly string[];
}

/** Checks a recipe (undefined when it could not be read), all it says of its versions, its Dockerfiles and releases. */
export async function lintRecipe(
  reader: TreeReader,
  name: string,
  recipe: LocatedDocument<Recipe> | undefined,
  checks: RecipeChecks,
  report: Report,
): Promise<void> {
  const versions = await reader.names(`${recipeFolder(name)}/releases`);
  const releases = await readReleases(reader, name, versions, report);
  if (!recipe) return;
  const all = { ...checks, built: platformsOfAnyVersion(recipe.value) };
  await lintVariant(reader, recipe, all, report);
  const variants = variantsOf(recipe, versions);
  const entriesOf = (release: LocatedDocument<Release>): string =>
    entriesFor(recipe.value, release.value.version).join();
  const ledger = { lockSources: checks.known.lockSources, today: checks.today };
  if (!variants.has("")) lintLedger(recipe, [], ledger, report);
  for (const [entries, { document, problems }] of variants) {
    report("schema", ...problems);
    if (!document) continue;
    if (document !== recipe) await lintVariant(reader, document, all, report);
    const own = releases.filter((release) => entriesOf(release) === entries);
    lintLedger(document, own, ledger, report);
  }
  checkVersions(recipe, versions, report);
  if (versions.length === 0) {
    report("no-release", {
      message: `${name} has no release yet`,
      location: recipe.locate(["image"]),
      hint: `write the first one: refoundry pin ${name} VERSION`,
    });
  }
  for (const release of releases) {
    const variant = variants.get(entriesOf(release))?.document;
    if (variant) await lintRelease(reader, variant, release, checks.known, report);
  }
}

/** Checks a recipe as it is for all versions, or for some. */
async function lintVariant(
  reader: TreeReader,
  recipe: LocatedDocument<Recipe>,
  checks: RecipeChecks & WaiverChecks,
  report: Report,
): Promise<void> {
  checkPlatformNames(recipe, report);
  checkOmitted(recipe, report);
  checkArguments(recipe, report);
  checkUpstreamTag(recipe, report);
  lintWaivers(recipe, checks, report);
  lintDependences(recipe, checks, report);
  await lintDockerfile(reader, recipe, report);
  if (recipe.value.build.patches.length > 0) report("patch", ...(await readPatches(reader.root, recipe)).problems);
  await checkReferences(reader, recipe, checks.known, report);
}

/** What a recipe is for its releases, by the entries of `versions` that are for them; and with each entry that is for none. */
function variantsOf(
  recipe: LocatedDocument<Recipe>,
  versions: readonly string[],
): ReadonlyMap<string, DocumentResult<Recipe>> {
  const used = versions.filter(isVersion).map((version) => entriesFor(recipe.value, version));
  const unused = [...recipe.value.versions.keys()].filter((entry) => !used.flat().includes(entry));
  const sets = [...used, ...unused.map((entry) => [entry])];
  const byId = new Map(sets.map((entries) => [entries.join(), entries]));
  return new Map([...byId].map(([id, entries]) => [id, recipeWithEntries(recipe, entries)]));
}

/** Tells of what is said for versions that there are none of. */
function checkVersions(recipe: LocatedDocument<Recipe>, versions: readonly string[], report: Report): void {
  const used = new Set(versions.flatMap((version) => entriesFor(recipe.value, version)));
  for (const [index, { range }] of recipe.value.versions.entries()) {
    if (versions.length === 0 || used.has(index)) continue;
    report("unused-versions", {
      message: `no release of ${recipe.value.image} is in ${quoted(range)}`,
      location: recipe.locate(["versions", index, "range"]),
      hint: `there are: ${versions.slice(-12).join(", ")}; pin one that it is for, or remove it`,
    });
  }
}

async function readReleases(
  reader: TreeReader,
  name: string,
  versions: readonly string[],
  report: Report,
): Promise<LocatedDocument<Release>[]> {
  const releases: LocatedDocument<Release>[] = [];
  for (const version of versions) {
    if (!isVersion(version)) continue;
    const path = `${recipeFolder(name)}/releases/${version}.yaml`;
    const release = await reader.document(path, releaseSchema, (text, tree) =>
      checkWrittenStyle(text, tree, "release", report),
    );
    if (!release) continue;
    if (release.value.version === version) releases.push(release);
    else {
      const message = `version: ${quoted(release.value.version)} is not the name of its file, ${quoted(version)}`;
      report("name", { message, location: release.locate(["version"]), hint: "rename one of the two" });
    }
  }
  return releases;
}

async function checkReferences(
  reader: TreeReader,
  recipe: LocatedDocument<Recipe>,
  known: KnownDocuments,
  report: Report,
): Promise<void> {
  const { source, toolchain } = recipe.value;
  if (!known.sources.has(source))
    report("reference", ...(await readSource(reader.root, source, () => recipe.locate(["source"]))).problems);
  if (!known.toolchains.has(toolchain))
    report("reference", ...(await readToolchain(reader.root, toolchain, () => recipe.locate(["toolchain"]))).problems);
  for (const [name, context] of Object.entries(recipe.value.contexts)) {
    const place = (): Location => recipe.locate(["contexts", name]);
    const { root } = reader;
    if ("source" in context && !known.sources.has(context.source))
      report("reference", ...(await readSource(root, context.source, place)).problems);
    if ("toolchain" in context && !known.toolchains.has(context.toolchain))
      report("reference", ...(await readToolchain(root, context.toolchain, place)).problems);
    if ("recipe" in context && !(await reader.list(folders.recipe)).has(context.recipe))
      report("reference", ...(await readRecipe(root, context.recipe, place)).problems);
  }
  checkSmokeClients(recipe, report);
}

/** Clients of smoke tests come from a toolchain that the recipe has as a context. */
function checkSmokeClients(recipe: LocatedDocument<Recipe>, report: Report): void {
  for (const [index, smoke] of recipe.value.smoke.entries()) {
    if (!("in" in smoke) || smoke.in === undefined) continue;
    const context = recipe.value.contexts[smoke.in];
    if (context && "toolchain" in context) continue;
    report("reference", {
      message: `${quoted(smoke.in)} is no context with a toolchain`,
      location: recipe.locate(["smoke", index, "in"]),
      hint: `add it: contexts: ${smoke.in}: {toolchain: NAME, use: smoke}`,
    });
  }
}

async function lintRelease(
  reader: TreeReader,
  recipe: LocatedDocument<Recipe>,
  release: LocatedDocument<Release>,
  known: KnownDocuments,
  report: Report,
): Promise<void> {
  const source = known.sources.get(recipe.value.source);
  const toolchain = known.toolchains.get(recipe.value.toolchain);
  const lockName = release.value.toolchain.lock;
  const lockId = `${recipe.value.toolchain}/${lockName ?? ""}`;
  if (toolchain && lockName !== undefined && "debian" in toolchain.value && !known.locks.has(lockId)) {
    const from = (): Location => release.locate(["toolchain", "lock"]);
    report("reference", ...(await readToolchainLock(reader.root, recipe.value.toolchain, lockName, from)).problems);
  }
  const lock = known.locks.get(lockId);
  const documents = {
    recipe,
    release,
    ...(source && { source }),
    ...(toolchain && { toolchain }),
    ...(lock && { lock }),
  };
  // the places of what is right are not looked for
  if (checkRelease({ ...documents, recipe: placeless(recipe), release: placeless(release) }).length > 0)
    report("pin", ...checkRelease(documents));
  checkExpected(recipe, release, report);
}

function placeless<T>({ value, file }: LocatedDocument<T>): LocatedDocument<T> {
  return { value, file, locate: () => ({ file }) };
}

async function lintDockerfile(reader: TreeReader, recipe: LocatedDocument<Recipe>, report: Report): Promise<void> {
  const path = await dockerfilePath(reader, recipe, report);
  const found = path === undefined ? undefined : await reader.text(path);
  if (!found) return;
  report("dockerfile", ...checkDockerfile(found.text, found.file, Object.keys(recipe.value.contexts)));
  checkCommands(found.text, found.file, report);
}

/** The Dockerfile's path from the root; links inside the recipe's or template's folder are followed, as the build does. */
async function dockerfilePath(
  reader: TreeReader,
  recipe: LocatedDocument<Recipe>,
  report: Report,
): Promise<string | undefined> {
  const folder = recipeFolder(recipe.value.image);
  const { dockerfile } = recipe.value.build;
  if ((await reader.list(folder)).get(dockerfile)?.isFile() === true) return join(folder, dockerfile);
  const place = await findDockerfile(reader.root, recipe);
  if (!("message" in place)) return relative(await realpath(reader.root), place.path);
  report("reference", place);
  return undefined;
}

function checkUpstreamTag(recipe: LocatedDocument<Recipe>, report: Report): void {
  const { upstream } = recipe.value;
  if (!("image" in upstream)) return;
  const [, tag] =
    /^(?:docker:\/\/)?[^@:\s]+(?::\d+\/[^@:\s]+)?:([A-Za-z0-9_][A-Za-z0-9._-]*)$/.exec(upstream.image) ?? [];
  if (tag === undefined || upstream.image.startsWith("oci")) return;
  report("upstream-tag", {
    message: `upstream.image has the tag ${quoted(tag)}, from which every version would be pinned`,
    location: recipe.locate(["upstream", "image"]),
    hint: "leave the tag out: refoundry pin takes the version that is asked for",
  });
}
