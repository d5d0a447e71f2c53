import type { Plan } from "../plan/types.ts";

/** GitHub Actions runs no matrix of more jobs. */
export const matrixJobsAtMost = 256;

/**
 * A plan as a matrix for GitHub Actions, `{"include":[...]}` in one line, one entry for
 * each build that is due; none when nothing is.
 */
export function renderPlanMatrix({ jobs }: Plan): string {
  const include = jobs
    .filter((job) => job.due)
    .map(({ recipe, version, platform, needs, buildKey, reason, estimatedSeconds }) => ({
      recipe,
      version,
      platform,
      release: `${recipe}@${version}`,
      needs,
      reason: reason.code,
      buildKey,
      estimatedSeconds,
    }));
  return JSON.stringify({ include });
}
