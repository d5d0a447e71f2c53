import { canonicalJson } from "../json.ts";
import type { Outcome } from "../outcome.ts";
import { recordedInputs } from "../plan/build-inputs.ts";
import { writeRelease } from "../recipe/write.ts";
import type { Release } from "../recipe/schema.ts";
import type { ReleaseInputs } from "./types.ts";

/** What a release records of a rebuild: digests, verdicts, build keys and what they were made from. Undefined where nothing was released. */
function expectedOf(outcome: Outcome, inputs: ReleaseInputs): Release["expect"] {
  if (!outcome.index) return undefined;
  const platforms: NonNullable<Release["expect"]>["platforms"] = {};
  for (const { platform, rebuilt, buildKey, verdict, level, size, comparison } of outcome.platforms) {
    if (!rebuilt || verdict === "build-failed" || verdict === "upstream-unavailable") continue;
    const waived = comparison?.differences.filter(({ waiver }) => waiver !== undefined).length ?? 0;
    platforms[platform] = {
      manifest: rebuilt,
      buildKey,
      verdict,
      ...(verdict !== "extended" && { level }),
      ...(size !== null && { size }),
      ...(verdict !== "extended" && waived > 0 && { waived }),
    };
  }
  const recorded = recordedInputs(outcome, inputs);
  return { index: outcome.index.digest, platforms, ...(recorded && { inputs: recorded }) };
}

/**
 * Writes what came of a rebuild into its release, in the checkout at `root`. Gives what it
 * recorded before and now, and the file; undefined where it records that already.
 */
export async function recordRelease(
  root: string,
  outcome: Outcome,
  inputs: ReleaseInputs,
): Promise<
  | { readonly path: string; readonly before: Release["expect"]; readonly after: NonNullable<Release["expect"]> }
  | undefined
> {
  const after = expectedOf(outcome, inputs);
  const before = inputs.release.expect;
  if (!after || (before && canonicalJson(before) === canonicalJson(after))) return undefined;
  const path = await writeRelease(root, inputs.recipe.image, { ...inputs.release, expect: after }, { replace: true });
  return { path, before, after };
}
