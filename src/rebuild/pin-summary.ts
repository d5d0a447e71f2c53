import type { Problem } from "../errors.ts";
import type { RecipeUpdates, Updates } from "./pin-updates.ts";

const shownVersions = 10;

/** What is newer, for a terminal, with the commands that take it. */
export function updatesText({ recipes, toolchains }: Updates): string {
  const lines = recipes.flatMap(recipeLines);
  for (const { toolchain, current, change, action, unknown } of toolchains) {
    if (unknown !== undefined)
      lines.push(`${toolchain} (toolchain): not known whether there is something newer: ${unknown}`);
    else if (change === undefined) lines.push(`${toolchain} (toolchain): ${current} is what there is now`);
    else lines.push(`${toolchain} (toolchain): ${change}`, `  ${action ?? ""}`);
  }
  return lines.length === 0 ? "there are no recipes" : lines.join("\n");
}

function recipeLines({ recipe, candidates, newerLock, newerContexts, notes }: RecipeUpdates): string[] {
  const newer = candidates.filter((candidate) => candidate.isNewer).map(({ version }) => version);
  const pinned = candidates.find((candidate) => candidate.isPinned)?.version;
  const has = pinned === undefined ? "nothing is pinned" : `${pinned} is pinned`;
  const lines = [`${recipe}: ${has}, ${newer.length === 0 ? "nothing is newer" : `${newer.length} newer`}`];
  if (newer.length > 0) {
    lines.push(`  refoundry pin ${recipe} ${newer.slice(0, shownVersions).join(" ")}`);
    if (newer.length > shownVersions) lines.push(`  and ${newer.length - shownVersions} that are older than these`);
  }
  if (newerLock)
    lines.push(
      `  ${newerLock.version} pins the toolchain ${newerLock.from}, and there is ${newerLock.to}: refoundry pin ${recipe} ${newerLock.version} --replace`,
    );
  for (const { context, from, to } of newerContexts)
    lines.push(
      `  ${pinned ?? ""} pins ${from} as ${context}, and there is ${to}: refoundry pin ${recipe} ${pinned ?? ""} --replace`,
    );
  return [...lines, ...notes.map((note) => `  ${note}`)];
}

/**
 * What is newer, for programs: `refoundry/updates/v1`. Of one recipe it is what Renovate's
 * custom datasource reads as well: `releases` with `version`, `isStable` and `sourceUrl`.
 */
export function updatesDocument({ recipes, toolchains }: Updates, problems: readonly Problem[]): unknown {
  const all = recipes.map(({ recipe, candidates, sourceUrl, newerLock, newerContexts, notes }) => ({
    recipe,
    ...(sourceUrl !== undefined && { sourceUrl }),
    releases: candidates.map(({ version, isStable, isPinned, isNewer, tag }) => ({
      version,
      isStable,
      isPinned,
      isNewer,
      ...(tag !== undefined && { tag }),
      ...(sourceUrl !== undefined && { sourceUrl }),
    })),
    ...(newerLock && { newerLock }),
    newerContexts,
    notes,
  }));
  const [only] = all;
  return {
    schema: "refoundry/updates/v1",
    ...(only && all.length === 1 && { releases: only.releases, ...(only.sourceUrl && { sourceUrl: only.sourceUrl }) }),
    recipes: all,
    toolchains,
    problems,
  };
}

/**
 * What Renovate's custom datasource reads, by the path of its file: `recipes/NAME.json` with
 * the versions of a recipe, `toolchains/NAME.json` with the lock (or digest) that a toolchain
 * has, and the one it would have. What is not known has no file, so that Renovate says so.
 */
export function renovateDocuments({ recipes, toolchains }: Updates): ReadonlyMap<string, unknown> {
  const files = new Map<string, unknown>();
  for (const { recipe, candidates, sourceUrl } of recipes) {
    const releases = candidates.map(({ version, isStable }) => ({ version, isStable }));
    files.set(`recipes/${recipe}.json`, { releases, ...(sourceUrl !== undefined && { sourceUrl }) });
  }
  for (const { toolchain, current, next, unknown } of toolchains) {
    if (unknown !== undefined) continue;
    const releases = [current, ...(next === undefined ? [] : [next])].map((version) => ({ version }));
    files.set(`toolchains/${toolchain}.json`, { releases });
  }
  return files;
}
