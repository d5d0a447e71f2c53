import { currentReleases, type SiteModel } from "./model.ts";
import type { Links } from "./parts.ts";
import { countStates, reproduced } from "./verdicts.ts";

/**
 * The site for machines, `refoundry/site/v1`: every run's counts, and each recipe with the
 * releases it has, their pages, and every platform's state, level and digests. Examples of
 * differences stay in the runs themselves. One line a run and a release.
 */
export function renderData({ runs, recipes }: SiteModel, links: Links, siteTitle: string): string {
  const lines = (items: readonly unknown[]): string => items.map((item) => `\n    ${JSON.stringify(item)}`).join(",");
  const allRuns = runs.map(({ run, counts, changes }) => ({
    id: run.id,
    startedAt: run.startedAt,
    finishedAt: run.finishedAt,
    page: links.run(run.id),
    releases: run.releases.length,
    changes: changes.length,
    reproduced: reproduced(counts),
    platforms: counts,
  }));
  const allRecipes = recipes.map((recipe) => {
    const counts = countStates(currentReleases(recipe).flatMap(({ points }) => points[0].standings));
    return {
      recipe: recipe.recipe,
      page: links.recipe(recipe.recipe),
      badge: links.badge(recipe.recipe),
      reproduced: reproduced(counts),
      platforms: counts,
    };
  });
  const allReleases = recipes.flatMap(({ releases }) =>
    releases.map(
      ({ recipe, version, current, points: [{ run, release, platforms, omitted, platformsOf, states }] }) => ({
        recipe,
        version,
        page: links.release(recipe, version),
        current,
        run: run.id,
        status: release.status,
        ...(release.failure && { errorClass: release.failure.errorClass }),
        index: release.index,
        platformsOf: platformsOf.id,
        platforms: platforms.map(({ platform, level, origin, unexplained, manifest, rebuilt, buildKey, verdict }) => ({
          platform,
          state: states.get(platform) ?? verdict,
          level,
          origin,
          unexplained,
          manifest,
          rebuilt,
          buildKey,
        })),
        ...(omitted.length > 0 && { omitted }),
      }),
    ),
  );
  return `{\n  "schema": "refoundry/site/v1",\n  "title": ${JSON.stringify(siteTitle)},\n  "newestRun": ${JSON.stringify(runs[0]?.run.id ?? null)},\n  "runs": [${lines(allRuns)}],\n  "recipes": [${lines(allRecipes)}],\n  "releases": [${lines(allReleases)}]\n}\n`;
}
