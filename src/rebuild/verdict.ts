import type { Difference, PlatformComparison } from "../compare/types.ts";
import type { Verdict } from "../outcome.ts";
import type { Recipe } from "../recipe/schema.ts";

type Waiver = Recipe["waivers"][number];

/** A verdict with the sentence that explains it, and whether it lets the release go out. */
export interface Judgement {
  readonly verdict: Verdict;
  readonly explanation: string;
  readonly releasable: boolean;
}

/** What a comparison with upstream means. `waivers` are those that have not expired. */
export function judgeReproduction(comparison: PlatformComparison, waivers: readonly Waiver[]): Judgement {
  const { level } = comparison;
  if (level === "manifest")
    return judgement("identical", "the manifest has upstream's digest, so every byte is upstream's");
  if (level === "config")
    return judgement("identical", "config and layers have upstream's digests; only compression or annotations differ");
  const kinds = [...new Set(comparison.differences.filter(isBenign).map((difference) => difference.class))].join(", ");
  const rest = kinds === "" ? "" : `; what differs does not change what runs (${kinds})`;
  if (level === "layers") return judgement("equivalent", `the layers are upstream's, byte for byte${rest}`);
  if (level === "entries")
    return judgement("equivalent", `every file in every layer equals upstream's in content, mode and owner${rest}`);
  if (level === "filesystem")
    return judgement(
      "equivalent",
      `the file system equals upstream's in content, modes and owners, layered otherwise${rest}`,
    );
  return judgeDifferent(
    comparison.differences.filter((difference) => !isBenign(difference)),
    waivers,
    "upstream's",
  );
}

/**
 * What parity with a sibling platform means for a platform that upstream never released:
 * the same paths, types, modes, owners and runtime config; contents are of course others.
 */
export function judgeExtension(
  parity: PlatformComparison | undefined,
  sibling: string,
  waivers: readonly Waiver[],
): Judgement {
  if (!parity)
    return judgement(
      "extended",
      "upstream never released this platform; two varied rebuilds agree, and there is no sibling to compare with",
    );
  const broken = parity.differences.filter(breaksParity);
  if (broken.length === 0) {
    return judgement(
      "extended",
      `upstream never released this platform; two varied rebuilds agree, and tree and config match ${sibling}`,
    );
  }
  return judgeDifferent(broken, waivers, `those of ${sibling}`);
}

/** Whether a difference between two platforms of one image is more than other machine code and the name of the platform. */
function breaksParity(difference: Difference): boolean {
  const names =
    difference.class === "config-platform" &&
    difference.paths.every((path) => path === "architecture" || path === "variant");
  return !isBenign(difference) && difference.class !== "file-content" && !names;
}

function judgeDifferent(differences: readonly Difference[], waivers: readonly Waiver[], whose: string): Judgement {
  const covering = differences.map((difference) => waivers.find((waiver) => covers(waiver, difference)));
  const what = differences.map((difference) => `${difference.class} (${difference.count})`).join(", ");
  if (covering.every((waiver) => waiver !== undefined) && covering.length > 0) {
    const reasons = [
      ...new Set(covering.map((waiver) => `${waiver.reason} (${waiver.owner}, until ${waiver.expires})`)),
    ].join("; ");
    return {
      verdict: "different",
      explanation: `differs from ${whose} in ${what}; waived: ${reasons}`,
      releasable: true,
    };
  }
  return { verdict: "different", explanation: `differs from ${whose} in ${what}`, releasable: false };
}

function covers(waiver: Waiver, difference: Difference): boolean {
  return (
    waiver.class === difference.class &&
    difference.paths.length === difference.count &&
    difference.paths.every((path) => waiver.paths.includes(path))
  );
}

function isBenign(difference: Difference): boolean {
  return difference.weight === "benign";
}

function judgement(verdict: Verdict, explanation: string): Judgement {
  return { verdict, explanation, releasable: true };
}
