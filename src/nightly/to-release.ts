import type { NightlyPlatform, NightlyRelease } from "../nightly-run.ts";
import type { PlatformOutcome } from "../outcome.ts";
import type { Attempted } from "./attempts.ts";
import type { NightlyTask } from "./choose.ts";

const mostPaths = 20;

/** What a run keeps of a release that was rebuilt, or could not be. */
export function releaseOf(
  { recipe, version, action, reason }: NightlyTask,
  { attempts, outcome, failure }: Attempted,
  seconds: number,
  report: string | undefined,
): NightlyRelease {
  return {
    recipe,
    version,
    status: failure ? "failed" : action === "verify" ? "verified" : "rebuilt",
    reason,
    index: outcome?.index?.digest ?? null,
    ...(outcome?.recorded && { recorded: outcome.recorded }),
    seconds,
    attempts,
    ...(failure && { failure }),
    platforms: (outcome?.platforms ?? []).map(platformOf),
    ...(outcome?.omitted && { omitted: outcome.omitted }),
    ...(report !== undefined && outcome && { report }),
  };
}

/** What a run keeps of a release that was not due. */
export function keptRelease({ recipe, version, reason }: NightlyTask): NightlyRelease {
  return { recipe, version, status: "kept", reason, index: null, seconds: 0, attempts: 0, platforms: [] };
}

/** A release whose plan found a fault: nothing is built of it, and somebody has to look. */
export function faultyRelease(task: NightlyTask): NightlyRelease {
  const errorClass = task.reason.code === "not-deterministic" ? "nondeterminism" : "compare";
  const failure = { errorClass, message: task.reason.sentence } as const;
  return { ...keptRelease(task), status: "failed", failure };
}

/** A release that was not tried. */
export function untriedRelease(task: NightlyTask, errorClass: "blocked" | "infra", message: string): NightlyRelease {
  return { ...keptRelease(task), status: "failed", failure: { errorClass, message } };
}

function platformOf(platform: PlatformOutcome): NightlyPlatform {
  const { verdict, level, origin, unexplained, buildKey, manifest, rebuilt, cached, seconds, explanation } = platform;
  return {
    platform: platform.platform,
    verdict,
    level,
    origin,
    unexplained,
    buildKey,
    manifest,
    rebuilt,
    cached,
    seconds,
    explanation,
    // beside a sibling platform other machine code is no difference that anybody asks about
    differences: (origin === "upstream" ? (platform.comparison?.differences ?? []) : []).map((difference) => ({
      class: difference.class,
      count: difference.count,
      weight: difference.weight,
      detail: difference.detail,
      paths: difference.paths.slice(0, mostPaths),
    })),
  };
}
