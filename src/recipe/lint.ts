import { stat } from "node:fs/promises";
import { relative, resolve, sep } from "node:path";
import { type Location, type Problem, usageError } from "../errors.ts";
import { checkLock, checkRelease, checkWaivers } from "./checks.ts";
import { checkDockerfile } from "./dockerfile.ts";
import { displayPath, type DocumentResult, inOrder, type LocatedDocument, readTextFile } from "./document.ts";
import { checkLayout, type Findings, isName, isVersion } from "./lint-layout.ts";
import { findDockerfile, readRecipe, readRelease, readSource, readToolchain, readToolchainLock } from "./read.ts";
import { type Recipe, type Release, type Source, type Toolchain, type ToolchainLock } from "./schema.ts";
import { noteOnSourceUrl, validateSourceUrl } from "./source-url.ts";
import { listToolchainLocks, listNamed, listReleases, type NamedKind } from "./tree.ts";
import { quoted } from "./words.ts";

/** What lint found: a problem at a place, and whether it may stay. */
export interface LintProblem extends Problem {
  readonly severity: "error" | "warning";
  readonly location: Location;
}

/** What lint looks at. */
export interface LintOptions {
  /** Files and folders to tell about, absolute or from the current folder; all when absent. Everything is read, as files speak of each other. */
  readonly paths?: readonly string[];
  /** `YYYY-MM-DD`, by which waivers expire. */
  readonly today: string;
}

const soonDays = 30;

/**
 * Checks everything in a factory's folder: recipes with their Dockerfiles and releases,
 * toolchains with their locks, sources, and that they fit together. All problems at
 * once, by file and line. Throws a usage error only when a path of `paths` is not there.
 */
export async function lint(root: string, options: LintOptions): Promise<LintProblem[]> {
  const wanted = await Promise.all((options.paths ?? []).map(existing));
  const found = new Map<string, LintProblem>();
  const add = (problem: Problem, severity: LintProblem["severity"]): void => {
    const location = problem.location ?? { file: displayPath(root) };
    found.set(JSON.stringify([location, problem.message]), { ...problem, location, severity });
  };
  const findings: Findings = {
    error: (problems) => problems.forEach((problem) => add(problem, "error")),
    warn: (message, location, hint) => add({ message, location, hint }, "warning"),
  };
  await checkLayout(root, findings);
  const sources = await readAll(root, "source", readSource, findings);
  const toolchains = await readAll(root, "toolchain", readToolchain, findings);
  const recipes = await readAll(root, "recipe", readRecipe, findings);
  for (const source of sources.values()) if (source) checkAddresses(source, findings);
  const locks = await readLocks(root, toolchains, findings);
  for (const [name, recipe] of recipes)
    await lintRecipe(root, name, recipe, { sources, toolchains, locks }, options.today, findings);
  warnUnused("source", sources, recipes, (recipe) => recipe.source, findings);
  warnUnused("toolchain", toolchains, recipes, (recipe) => recipe.toolchain, findings);

  const inside = (file: string): boolean =>
    wanted.some((path) => resolve(file) === path || resolve(file).startsWith(path + sep));
  const problems = inOrder([...found.values()]);
  return options.paths ? problems.filter((problem) => inside(problem.location.file)) : problems;
}

type Documents<T> = ReadonlyMap<string, LocatedDocument<T> | undefined>;

interface Known {
  readonly sources: Documents<Source>;
  readonly toolchains: Documents<Toolchain>;
  /** By toolchain and lock, `name/lock`. */
  readonly locks: Documents<ToolchainLock>;
}

async function existing(path: string): Promise<string> {
  const full = resolve(path);
  if (await stat(full).catch(() => undefined)) return full;
  throw usageError(`${path} is not there`, { hint: "name files or folders of this factory, or none for all" });
}

async function lintRecipe(
  root: string,
  name: string,
  recipe: LocatedDocument<Recipe> | undefined,
  known: Known,
  today: string,
  findings: Findings,
): Promise<void> {
  const keep = keeper(findings);
  const releases: LocatedDocument<Release>[] = [];
  for (const version of await listReleases(root, name)) {
    if (!isVersion(version)) continue;
    const release = keep(await readRelease(root, name, version));
    if (release) releases.push(release);
  }
  if (!recipe) return;
  findings.error(checkWaivers(recipe, today));
  warnOfExpiry(recipe, today, findings);
  await lintDockerfile(root, recipe, findings);
  if (!known.sources.has(recipe.value.source))
    keep(await readSource(root, recipe.value.source, recipe.locate(["source"])));
  if (!known.toolchains.has(recipe.value.toolchain))
    keep(await readToolchain(root, recipe.value.toolchain, recipe.locate(["toolchain"])));
  if ((await listReleases(root, name)).length === 0) {
    findings.warn(
      `${name} has no release yet`,
      recipe.locate(["image"]),
      `write the first one: refoundry pin ${name} VERSION`,
    );
  }
  const source = known.sources.get(recipe.value.source);
  const toolchain = known.toolchains.get(recipe.value.toolchain);
  for (const release of releases) {
    const lockName = release.value.toolchain.lock;
    const lockId = `${recipe.value.toolchain}/${lockName ?? ""}`;
    if (toolchain && lockName !== undefined && "debian" in toolchain.value && !known.locks.has(lockId)) {
      keep(await readToolchainLock(root, recipe.value.toolchain, lockName, release.locate(["toolchain", "lock"])));
    }
    const lock = known.locks.get(lockId);
    findings.error(
      checkRelease({
        recipe,
        release,
        ...(source && { source }),
        ...(toolchain && { toolchain }),
        ...(lock && { lock }),
      }),
    );
  }
}

async function lintDockerfile(root: string, recipe: LocatedDocument<Recipe>, findings: Findings): Promise<void> {
  const place = await findDockerfile(root, recipe);
  if ("message" in place) return findings.error([place]);
  const { text, problem, file } = await readTextFile(place.folder, relative(place.folder, place.path));
  findings.error(problem ? [problem] : checkDockerfile(text, file));
}

function warnOfExpiry(recipe: LocatedDocument<Recipe>, today: string, findings: Findings): void {
  const soon = new Date(Date.parse(today) + soonDays * 24 * 60 * 60 * 1000).toISOString().slice(0, 10);
  for (const [index, waiver] of recipe.value.waivers.entries()) {
    if (waiver.expires < today || waiver.expires > soon) continue;
    const location = recipe.locate(["waivers", index, "expires"]);
    findings.warn(
      `the waiver for ${waiver.class} expires on ${waiver.expires}`,
      location,
      `${waiver.owner} decides whether its reason still holds`,
    );
  }
}

function checkAddresses(source: LocatedDocument<Source>, findings: Findings): void {
  const addresses = [
    { path: ["upstream"], url: source.value.upstream },
    ...source.value.forks.map((url, index) => ({ path: ["forks", index], url })),
  ];
  for (const { path, url } of addresses) {
    const problem = validateSourceUrl(url);
    const location = source.locate(path);
    if (problem !== undefined) findings.error([{ message: `${quoted(url)} ${problem}`, location }]);
    const note = problem === undefined ? noteOnSourceUrl(url) : undefined;
    if (note !== undefined)
      findings.warn(`${quoted(url)} ${note}`, location, "use https:// or ssh:// for what others rebuild");
  }
}

async function readLocks(
  root: string,
  toolchains: Documents<Toolchain>,
  findings: Findings,
): Promise<Documents<ToolchainLock>> {
  const locks = new Map<string, LocatedDocument<ToolchainLock> | undefined>();
  for (const toolchain of toolchains.keys()) {
    for (const name of await listToolchainLocks(root, toolchain)) {
      if (!isVersion(name)) continue;
      const lock = keeper(findings)(await readToolchainLock(root, toolchain, name));
      if (lock) findings.error(checkLock(lock));
      locks.set(`${toolchain}/${name}`, lock);
    }
  }
  return locks;
}

/** Everything of one kind; what has a name that is none is left to {@link checkLayout}. */
async function readAll<T>(
  root: string,
  kind: NamedKind,
  read: (root: string, name: string) => Promise<DocumentResult<T>>,
  findings: Findings,
): Promise<Documents<T>> {
  const all = new Map<string, LocatedDocument<T> | undefined>();
  for (const name of await listNamed(root, kind)) {
    if (isName(name)) all.set(name, keeper(findings)(await read(root, name)));
  }
  return all;
}

function keeper(findings: Findings): <T>(result: DocumentResult<T>) => LocatedDocument<T> | undefined {
  return (result) => {
    findings.error(result.problems);
    return result.document;
  };
}

function warnUnused<T>(
  kind: "source" | "toolchain",
  documents: Documents<T>,
  recipes: Documents<Recipe>,
  used: (recipe: Recipe) => string,
  findings: Findings,
): void {
  // a recipe that could not be read may be the one that uses it
  if ([...recipes.values()].includes(undefined)) return;
  const names = new Set([...recipes.values()].flatMap((recipe) => (recipe ? [used(recipe.value)] : [])));
  for (const [name, document] of documents) {
    if (document && !names.has(name))
      findings.warn(`no recipe uses the ${kind} ${name}`, document.locate([kind]), "name it in a recipe, or remove it");
  }
}
