import type { PlatformName } from "../oci/platform.ts";
import { isDue, isFault, reasonOf, upstreamSentence } from "./reason.ts";
import type { Plan, PlanJob, PlanNotice, PlatformFacts, ReleaseFacts } from "./types.ts";

/** A plan from facts alone: a reason for every platform of every release, what it will take, what was noticed. */
export function planOf(releases: readonly ReleaseFacts[], noticed: readonly PlanNotice[] = []): Plan {
  const estimate = estimatorOf(releases);
  const jobs = releases.flatMap((release) =>
    release.platforms.map((platform): PlanJob => {
      const reason = reasonOf(release, platform);
      const { code, sentence, needs, changes } = reason;
      const due = isDue(reason);
      return {
        recipe: release.recipe,
        version: release.version,
        platform: platform.platform,
        due,
        needs,
        buildKey: platform.buildKey,
        ...(platform.recorded && { recorded: platform.recorded }),
        reason: { code, sentence },
        changes,
        estimatedSeconds: due && needs === "build" ? estimate(release.recipe, platform) : 0,
        dependsOn: release.standsOn.map(
          (needed) => `${needed.recipe}@${needed.version} ${needed.platform ?? platform.platform}`,
        ),
      };
    }),
  );
  const due = jobs.filter((job) => job.due);
  return {
    schema: "refoundry/plan/v1",
    jobs,
    notices: [...noticed, ...releases.flatMap(upstreamNotice)],
    totals: {
      jobs: jobs.length,
      due: due.length,
      dueReleases: new Set(due.map((job) => `${job.recipe}@${job.version}`)).size,
      estimatedSeconds: due.reduce((sum, job) => sum + (job.estimatedSeconds ?? 0), 0),
      unestimated: due.filter((job) => job.estimatedSeconds === null).length,
      faults: jobs.filter((job) => isFault(job.reason.code)).length,
    },
  };
}

function upstreamNotice({ recipe, version, upstream, upstreamTag }: ReleaseFacts): PlanNotice[] {
  if (!upstreamTag || upstreamTag.digest === "not-asked" || upstreamTag.digest === upstream) return [];
  const { name, digest } = upstreamTag;
  return digest === "absent"
    ? [{ code: "upstream-gone", recipe, version, sentence: upstreamSentence(name, undefined, upstream) }]
    : [{ code: "upstream-moved", recipe, version, sentence: upstreamSentence(name, digest, upstream) }];
}

type Estimate = (recipe: string, platform: PlatformFacts) => number | null;

/**
 * Seconds that a build will take: what the recorded one took, else the mean of the
 * recipe's builds for the platform, of its builds, or of all builds that are known. What
 * upstream never had is built twice.
 */
function estimatorOf(releases: readonly ReleaseFacts[]): Estimate {
  const means = new Map<string, { sum: number; count: number }>();
  const add = (key: string, seconds: number): void => {
    const mean = means.get(key) ?? { sum: 0, count: 0 };
    means.set(key, { sum: mean.sum + seconds, count: mean.count + 1 });
  };
  const keysOf = (recipe: string, platform: PlatformName): string[] => [`${recipe} ${platform}`, recipe, ""];
  for (const { recipe, platforms } of releases) {
    for (const { platform, stored, recordedSeconds } of platforms) {
      const seconds = stored?.seconds ?? recordedSeconds;
      if (seconds !== undefined) for (const key of keysOf(recipe, platform)) add(key, seconds);
    }
  }
  return (recipe, { platform, extended, stored, recordedSeconds }) => {
    const mean = keysOf(recipe, platform).flatMap((key) => means.get(key) ?? [])[0];
    const once = stored?.seconds ?? recordedSeconds ?? (mean && mean.sum / mean.count);
    if (once === undefined) return null;
    // a build that is there already has only to be varied
    return extended && !stored ? 2 * once : once;
  };
}
