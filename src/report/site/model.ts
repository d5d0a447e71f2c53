import type { NightlyPlatform, NightlyRelease, NightlyRun } from "../../nightly-run.ts";
import type { OmittedPlatform } from "../../outcome.ts";
import { byCodeUnit } from "../../recipe/words.ts";
import { compareVersions } from "../../recipe/version.ts";
import { countStates, knownState, type Standing, type State, type StateCounts } from "./verdicts.ts";

/** A release as one run left it. */
export interface ReleasePoint {
  readonly run: NightlyRun;
  readonly release: NightlyRelease;
  /** What is known of its platforms: this run's, or of an earlier run where this one says nothing of them. */
  readonly platforms: readonly NightlyPlatform[];
  /** Platforms that upstream has and the recipe leaves out, of the same run. */
  readonly omitted: readonly OmittedPlatform[];
  /** The run that `platforms` are of. */
  readonly platformsOf: NightlyRun;
  /** The state of each platform, by its name. */
  readonly states: ReadonlyMap<string, State>;
  /** The same for counting. */
  readonly standings: readonly Standing[];
}

/** One release through the runs. */
export interface ReleaseHistory {
  readonly recipe: string;
  readonly version: string;
  /** Newest run first; runs without the release are left out. Never empty. */
  readonly points: readonly [ReleasePoint, ...ReleasePoint[]];
  /** Whether the newest run has it. */
  readonly current: boolean;
}

/** One recipe: its releases, the newest version first. */
export interface RecipeHistory {
  readonly recipe: string;
  readonly releases: readonly [ReleaseHistory, ...ReleaseHistory[]];
}

/** A platform of a release that came out otherwise than in the run before. */
export interface Change {
  readonly recipe: string;
  readonly version: string;
  readonly platform: string;
  readonly from: State;
  readonly to: State;
}

/** A run, with what followed from it. */
export interface RunSummary {
  readonly run: NightlyRun;
  readonly counts: StateCounts;
  readonly changes: readonly Change[];
}

/** All that the pages are drawn from. */
export interface SiteModel {
  /** Newest first. */
  readonly runs: readonly RunSummary[];
  /** By name. */
  readonly recipes: readonly RecipeHistory[];
}

interface Growing {
  readonly recipe: string;
  readonly version: string;
  /** Oldest first. */
  readonly points: ReleasePoint[];
}

/** What runs (newest first) say together. Pure; the runs themselves are kept by reference. */
export function buildModel(runs: readonly NightlyRun[]): SiteModel {
  const releases = new Map<string, Growing>();
  const summaries: RunSummary[] = [];
  for (const run of runs.toReversed()) {
    const standings: Standing[] = [];
    const changes: Change[] = [];
    for (const release of run.releases) {
      const key = `${release.recipe}\0${release.version}`;
      const growing = releases.get(key) ?? { recipe: release.recipe, version: release.version, points: [] };
      releases.set(key, growing);
      const before = growing.points.at(-1);
      // a release that a damaged run lists twice counts once
      if (before?.run === run) continue;
      const point = pointOf(run, release, before);
      growing.points.push(point);
      standings.push(...point.standings);
      if (before) changes.push(...changesBetween(before, point));
    }
    summaries.push({ run, counts: countStates(standings), changes });
  }
  return { runs: summaries.toReversed(), recipes: groupByRecipe(releases.values(), runs[0]) };
}

function pointOf(run: NightlyRun, release: NightlyRelease, before: ReleasePoint | undefined): ReleasePoint {
  const own = release.platforms.length > 0 || !before;
  const platforms = own ? release.platforms : before.platforms;
  const platformsOf = own ? run : before.platformsOf;
  const omitted = own ? (release.omitted ?? []) : before.omitted;
  const failed = release.status === "failed" && release.platforms.length === 0;
  const states = new Map<string, State>();
  const standings: Standing[] = [];
  for (const platform of platforms) {
    const state = failed ? "failed" : knownState(platform.verdict);
    if (states.has(platform.platform)) continue;
    states.set(platform.platform, state);
    standings.push({ state, addition: isAddition(platform) });
  }
  for (const { platform } of omitted) {
    if (states.has(platform)) continue;
    states.set(platform, "omitted");
    standings.push({ state: "omitted", addition: false });
  }
  // a release that failed before anything was known of it has to be seen too
  if (failed && states.size === 0) {
    states.set("all platforms", "failed");
    standings.push({ state: "failed", addition: false });
  }
  return { run, release, platforms, omitted, platformsOf, states, standings };
}

/** Whether upstream never released a platform, however its rebuild came out. */
export function isAddition({ origin, level }: NightlyPlatform): boolean {
  return origin === "rebuilt" || level === "no-upstream";
}

function changesBetween(before: ReleasePoint, after: ReleasePoint): Change[] {
  const { recipe, version } = after.release;
  const changes: Change[] = [];
  for (const [platform, to] of after.states) {
    const from = before.states.get(platform);
    if (from !== undefined && from !== to) changes.push({ recipe, version, platform, from, to });
  }
  return changes;
}

function groupByRecipe(releases: Iterable<Growing>, newest: NightlyRun | undefined): RecipeHistory[] {
  const byRecipe = new Map<string, ReleaseHistory[]>();
  for (const { recipe, version, points } of releases) {
    const [first, ...rest] = points.toReversed();
    if (!first) continue;
    const history: ReleaseHistory = { recipe, version, points: [first, ...rest], current: first.run === newest };
    const siblings = byRecipe.get(recipe);
    if (siblings) siblings.push(history);
    else byRecipe.set(recipe, [history]);
  }
  const recipes: RecipeHistory[] = [];
  for (const recipe of [...byRecipe.keys()].sort(byCodeUnit)) {
    const [first, ...rest] = (byRecipe.get(recipe) ?? []).sort((a, b) => compareVersions(b.version, a.version));
    if (first) recipes.push({ recipe, releases: [first, ...rest] });
  }
  return recipes;
}

/** The releases of a recipe that the newest run has; all of them where it has none. */
export function currentReleases({ releases }: RecipeHistory): readonly ReleaseHistory[] {
  const current = releases.filter((release) => release.current);
  return current.length > 0 ? current : releases;
}

/** Since when a platform of a release is in the state it is in: the oldest run of the unbroken row, and how many. */
export function sinceOf(
  { points }: ReleaseHistory,
  platform: string,
): { readonly run: NightlyRun; readonly runs: number } {
  const [newest] = points;
  const state = newest.states.get(platform);
  let run = newest.run;
  let runs = 0;
  for (const point of points) {
    if (point.states.get(platform) !== state) break;
    run = point.run;
    runs += 1;
  }
  return { run, runs };
}
