import type { Digest } from "../oci/digest.ts";
import type { Outcome } from "../outcome.ts";
import { digestSet, predicateTypes, type Statement, statementOf } from "./statement.ts";

/** A rebuild of something that was good before, and did not come out; the predicate. */
export interface RebuildFailure {
  readonly recipe: string;
  readonly version: string;
  readonly phase: "build" | "smoke" | "compare" | "upstream";
  readonly errorClass: "infra" | "fetch" | "build" | "compare";
  readonly failedAt: string;
  readonly platforms: readonly {
    readonly platform: string;
    readonly verdict: string;
    readonly buildKey: string;
    readonly explanation: string;
  }[];
  /** The release index that stands since the last good run. */
  readonly lastGood: Readonly<Record<string, string>>;
}

const longestExplanation = 500;

/**
 * Says that a rebuild failed of a release whose index is out already, about that index.
 * Undefined when nothing failed.
 */
export function rebuildFailureOf(outcome: Outcome, lastGood: Digest): Statement<RebuildFailure> | undefined {
  const failed = outcome.platforms.filter(({ verdict }) =>
    ["build-failed", "different", "upstream-unavailable"].includes(verdict),
  );
  const [first] = failed;
  if (!first) return undefined;
  const phases = {
    "build-failed": { phase: "build", errorClass: "build" },
    different: { phase: "compare", errorClass: "compare" },
    "upstream-unavailable": { phase: "upstream", errorClass: "fetch" },
  } as const;
  const known = phases[first.verdict as keyof typeof phases];
  return statementOf(predicateTypes.failure, [{ name: outcome.recipe, digest: digestSet(lastGood) }], {
    recipe: outcome.recipe,
    version: outcome.version,
    ...known,
    failedAt: outcome.startedAt,
    platforms: failed.map(({ platform, verdict, buildKey, explanation }) => ({
      platform,
      verdict,
      buildKey,
      explanation: explanation.slice(0, longestExplanation),
    })),
    lastGood: digestSet(lastGood),
  });
}
