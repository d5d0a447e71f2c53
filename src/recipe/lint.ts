import type { z } from "zod";
import { checkLock } from "./checks.ts";
import { displayPath, inOrder, type LocatedDocument } from "./document.ts";
import { readLicence } from "./lint-licences.ts";
import { checkLayout, isName, isVersion } from "./lint-layout.ts";
import { createTreeReader, type TreeReader } from "./lint-read.ts";
import { type Documents, lintRecipe } from "./lint-recipe.ts";
import { type LintProblem, lintRules, type Report } from "./lint-rules.ts";
import { scopeOf, wholeTree } from "./lint-scope.ts";
import { checkWrittenStyle, type StyledKind } from "./lint-style.ts";
import {
  type Recipe,
  recipeSchema,
  type Source,
  sourceSchema,
  type Toolchain,
  type ToolchainLock,
  toolchainLockSchema,
  toolchainSchema,
} from "./schema.ts";
import { type ToolchainSources, toolchainSourcesSchema } from "./toolchain-sources.ts";
import { noteOnSourceUrl, validateSourceUrl } from "./source-url.ts";
import { fileOf, folders, type NamedKind } from "./tree.ts";
import { recipeWithEntries } from "./versions.ts";
import { quoted } from "./words.ts";

export { type LintProblem, lintRules, type RuleId } from "./lint-rules.ts";

/** What lint looks at. */
export interface LintOptions {
  /** Names of recipes, and files and folders, absolute or from the current folder, to tell about; all when absent. What they speak of is read too. */
  readonly paths?: readonly string[];
  /** `YYYY-MM-DD`, by which waivers expire. */
  readonly today: string;
  /** The classes of differences that a waiver may be for; not checked when absent. */
  readonly classes?: readonly string[];
  /** Toolchains that the factory itself builds with. */
  readonly ownToolchains?: readonly string[];
}

/**
 * Checks everything in a factory's folder: recipes with their Dockerfiles and releases,
 * toolchains with their locks, sources, and that they fit together. All problems at
 * once, by file and line, each with the id of its rule. Throws a usage error only when
 * something in `paths` is not there.
 */
export async function lint(root: string, options: LintOptions): Promise<LintProblem[]> {
  const scope = options.paths ? await scopeOf(root, options.paths) : wholeTree;
  const found = new Map<string, LintProblem>();
  const report: Report = (rule, ...problems) => {
    for (const problem of problems) {
      const location = problem.location ?? { file: displayPath(root) };
      const { severity } = lintRules[rule];
      const id = JSON.stringify([location, problem.message]);
      if (!found.has(id)) found.set(id, { ...problem, rule, severity, location });
    }
  };
  const reader = createTreeReader(root, report);
  await checkLayout(reader, report);
  const sources = await readAll(reader, "source", sourceSchema, (source) => source.source, report);
  const toolchains = await readAll(reader, "toolchain", toolchainSchema, (toolchain) => toolchain.toolchain, report);
  for (const source of sources.values()) if (source) checkSource(source, report);
  const { locks, lockSources } = await readLocks(reader, toolchains, report);
  const recipes = await readAll(reader, "recipe", recipeSchema, (recipe) => recipe.image, report, scope.readsRecipe);
  const checks = { known: { sources, toolchains, locks, lockSources }, ...options };
  for (const [name, recipe] of recipes) await lintRecipe(reader, name, recipe, checks, report);
  warnUnused("source", sources, recipes, sourcesOf, report);
  const { ownToolchains = [] } = options;
  const others = new Map([...toolchains].filter(([name]) => !ownToolchains.includes(name)));
  warnUnused("toolchain", others, recipes, toolchainsOf, report);
  return inOrder([...found.values()].filter((problem) => scope.covers(problem.location.file)));
}

function checkSource(source: LocatedDocument<Source>, report: Report): void {
  const addresses = [
    { path: ["upstream"], url: source.value.upstream },
    ...source.value.forks.map((url, index) => ({ path: ["forks", index], url })),
    ...Object.entries(source.value.submodules ?? {}).flatMap(([path, { forks }]) =>
      forks.map((url, index) => ({ path: ["submodules", path, "forks", index], url })),
    ),
  ];
  for (const { path, url } of addresses) {
    const problem = validateSourceUrl(url);
    if (problem !== undefined)
      report("source-address", { message: `${quoted(url)} ${problem}`, location: source.locate(path) });
    const note = problem === undefined ? noteOnSourceUrl(url) : undefined;
    if (note === undefined) continue;
    const hint = "use https:// or ssh:// for what others rebuild";
    report("source-local", { message: `${quoted(url)} ${note}`, location: source.locate(path), hint });
  }
  checkLicence(source, report);
}

function checkLicence(source: LocatedDocument<Source>, report: Report): void {
  const { licence } = source.value;
  const reading = readLicence(licence);
  if (reading.unknown === undefined && reading.deprecated.length + reading.offerSource.length === 0) return;
  const location = source.locate(["licence"]);
  if (reading.unknown !== undefined) {
    const message = `licence: ${quoted(licence)} ${reading.unknown}`;
    report("licence-unknown", { message, location, ...(reading.hint !== undefined && { hint: reading.hint }) });
  }
  for (const { name, instead } of reading.deprecated) {
    const message = `licence: ${quoted(name)} is a name that SPDX gave up`;
    report("licence-deprecated", { message, location, hint: `write ${instead}, if that is what upstream says` });
  }
  if (reading.offerSource.length === 0) return;
  report("licence-offer-source", {
    message: `${reading.offerSource.join(" and ")} ${reading.offerSource.length === 1 ? "obliges" : "oblige"} whoever hands out the image to offer the source of ${source.value.source}`,
    location,
    hint: "publish the source with the image: the release's commit, or its escrow",
  });
}

async function readLocks(
  reader: TreeReader,
  toolchains: Documents<Toolchain>,
  report: Report,
): Promise<{ readonly locks: Documents<ToolchainLock>; readonly lockSources: Documents<ToolchainSources> }> {
  const locks = new Map<string, LocatedDocument<ToolchainLock> | undefined>();
  const lockSources = new Map<string, LocatedDocument<ToolchainSources> | undefined>();
  for (const toolchain of toolchains.keys()) {
    const folder = `${folders.toolchain}/${toolchain}/locks`;
    for (const name of await reader.names(folder)) {
      if (!isVersion(name)) continue;
      const lock = await reader.document(`${folder}/${name}.yaml`, toolchainLockSchema, (text, tree) =>
        checkWrittenStyle(text, tree, "lock", report),
      );
      if (lock) report("lock", ...checkLock(lock));
      locks.set(`${toolchain}/${name}`, lock);
    }
    const sources = `${folders.toolchain}/${toolchain}/sources`;
    for (const name of await reader.names(sources)) {
      if (!isVersion(name)) continue;
      const pinned = await reader.document(`${sources}/${name}.yaml`, toolchainSourcesSchema);
      lockSources.set(`${toolchain}/${name}`, pinned);
      if (pinned && !locks.has(`${toolchain}/${name}`))
        report("reference", {
          message: `${toolchain} has no lock ${quoted(name)} whose source packages these would be`,
          location: pinned.locate([]),
          hint: "they are named as their lock is",
        });
    }
  }
  return { locks, lockSources };
}

/** Everything of one kind; what has a name that is none is left to {@link checkLayout}. */
async function readAll<T>(
  reader: TreeReader,
  kind: NamedKind & StyledKind,
  schema: z.ZodType<T>,
  nameIn: (value: T) => string,
  report: Report,
  wanted: (name: string) => boolean = () => true,
): Promise<Documents<T>> {
  const all = new Map<string, LocatedDocument<T> | undefined>();
  const names =
    kind === "source"
      ? await reader.names(folders.source)
      : [...(await reader.list(folders[kind])).values()].filter((entry) => !entry.isFile()).map((entry) => entry.name);
  for (const name of names.toSorted()) {
    if (!isName(name) || !wanted(name)) continue;
    const document = await reader.document(fileOf(kind, name), schema, (text, tree) =>
      checkWrittenStyle(text, tree, kind, report),
    );
    if (document && nameIn(document.value) !== name) {
      const key = kind === "recipe" ? "image" : kind;
      const place = kind === "source" ? "file" : "folder";
      const message = `${key}: ${quoted(nameIn(document.value))} is not the name of its ${place}, ${quoted(name)}`;
      report("name", { message, location: document.locate([key]), hint: "rename one of the two" });
      all.set(name, undefined);
    } else all.set(name, document);
  }
  return all;
}

/** What a recipe is for all versions, and with each entry of its `versions`. */
function variantsOf(recipe: LocatedDocument<Recipe>): Recipe[] {
  const entries = [...recipe.value.versions.keys()];
  return [recipe.value, ...entries.flatMap((entry) => recipeWithEntries(recipe, [entry]).document?.value ?? [])];
}

function sourcesOf({ source, contexts }: Recipe): string[] {
  return [source, ...Object.values(contexts).flatMap((context) => ("source" in context ? [context.source] : []))];
}

function toolchainsOf({ toolchain, contexts }: Recipe): string[] {
  const further = Object.values(contexts).flatMap((context) => ("toolchain" in context ? [context.toolchain] : []));
  return [toolchain, ...further];
}

function warnUnused<T>(
  kind: "source" | "toolchain",
  documents: Documents<T>,
  recipes: Documents<Recipe>,
  used: (recipe: Recipe) => readonly string[],
  report: Report,
): void {
  // a recipe that could not be read may be the one that uses it
  if ([...recipes.values()].includes(undefined)) return;
  const names = new Set([...recipes.values()].flatMap((recipe) => (recipe ? variantsOf(recipe).flatMap(used) : [])));
  for (const [name, document] of documents) {
    if (!document || names.has(name)) continue;
    report("unused", {
      message: `no recipe uses the ${kind} ${name}`,
      location: document.locate([kind]),
      hint: "name it in a recipe, or remove it",
    });
  }
}
