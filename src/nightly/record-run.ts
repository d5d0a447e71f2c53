import { readFile } from "node:fs/promises";
import { join } from "node:path";
import { messageOf, RefoundryError } from "../errors.ts";
import type { Emit } from "../events.ts";
import type { NightlyRun } from "../nightly-run.ts";
import type { Outcome } from "../outcome.ts";
import { loadReleaseInputs } from "../recipe/load.ts";
import type { Release } from "../recipe/schema.ts";
import { recordRelease } from "../rebuild/record-release.ts";
import type { Refreshed } from "../report/refresh-markdown.ts";

/**
 * Writes what a night's rebuilds gave into the releases of the checkout at `root`, as far as
 * these record something else or nothing. What came out is read from the results in
 * `outFolder`, so that a night that was cut off and went on records all of it. A release
 * that cannot be recorded is said, and keeps none of the others from it.
 */
export async function recordRun(
  { releases }: NightlyRun,
  { root, outFolder, today, emit }: { root: string; outFolder: string; today: string; emit: Emit },
): Promise<Refreshed[]> {
  const refreshed: Refreshed[] = [];
  for (const { recipe, version, status, reason, index } of releases) {
    if (status !== "rebuilt" && status !== "verified") continue;
    try {
      const outcome = JSON.parse(await readFile(join(outFolder, recipe, version, "outcome.json"), "utf8")) as Outcome;
      // another run may have written there since
      if (outcome.index === null || outcome.index.digest !== index) continue;
      const inputs = await loadReleaseInputs(root, recipe, { version, today });
      if (isRecorded(outcome, inputs.release.expect)) continue;
      const recorded = await recordRelease(root, outcome, inputs);
      if (recorded) refreshed.push({ recipe, version, reason, before: recorded.before, after: recorded.after });
    } catch (error) {
      if (error instanceof RefoundryError && error.kind === "interrupted") throw error;
      const message = `what ${recipe}@${version} gave could not be recorded: ${messageOf(error)}`;
      emit({ type: "notice", severity: "warning", message });
    }
  }
  return refreshed;
}

/** Whether a release records these images from these build keys, with these verdicts; what it says of them besides is no refresh. */
function isRecorded({ index, platforms }: Outcome, expect: Release["expect"]): boolean {
  if (!expect || index?.digest !== expect.index) return false;
  return platforms.every(({ platform, rebuilt, buildKey, verdict, level }) => {
    const before = expect.platforms[platform];
    return (
      before !== undefined &&
      before.manifest === rebuilt &&
      before.buildKey === buildKey &&
      before.verdict === verdict &&
      (verdict === "extended" || before.level === level)
    );
  });
}
