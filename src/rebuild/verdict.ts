import type { Difference, PlatformComparison } from "../compare/types.ts";
import type { Verdict } from "../outcome.ts";
import { parityBreaks } from "./parity.ts";

/** A verdict with the sentence that explains it, and whether it lets the release go out. */
export interface Judgement {
  readonly verdict: Verdict;
  readonly explanation: string;
  readonly releasable: boolean;
}

/** What a comparison with upstream means. */
export function judgeReproduction(comparison: PlatformComparison): Judgement {
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
  const residuals = comparison.differences.filter((difference) => !isBenign(difference));
  if (level === "explained")
    return judgement(
      "equivalent",
      `what differs from upstream's has a proof: ${listed(residuals)}${declared(residuals)}${rest}`,
    );
  if (level === "drift") {
    const packages = comparison.packages.map(
      ({ name, left, right }) => `${name} ${left ?? "absent"} -> ${right ?? "absent"}`,
    );
    const more = packages.length > 5 ? ` and ${packages.length - 5} more` : "";
    return judgement(
      "drift",
      `differs from upstream's in packages of other versions: ${packages.slice(0, 5).join(", ")}${more}`,
    );
  }
  return judgeDifferent(residuals, "upstream's");
}

/**
 * What parity with a sibling platform means for a platform that upstream never released:
 * the same paths, types, modes, owners and runtime config, but for the names that each
 * platform has for its libraries; contents are of course others.
 */
export function judgeExtension(parity: PlatformComparison | undefined, sibling: string): Judgement {
  if (!parity)
    return judgement(
      "extended",
      "upstream never released this platform; two varied rebuilds agree, and there is no sibling to compare with",
    );
  const broken = parityBreaks(parity.differences);
  if (broken.length === 0) {
    return judgement(
      "extended",
      `upstream never released this platform; two varied rebuilds agree, and tree and config match ${sibling}${declared(parity.differences)}`,
    );
  }
  return judgeDifferent(broken, `those of ${sibling}`);
}

function judgeDifferent(differences: readonly Difference[], whose: string): Judgement {
  const open = differences.filter(({ weight }) => weight === "unexplained");
  return { verdict: "different", explanation: `differs from ${whose} in ${listed(open)}`, releasable: false };
}

function listed(differences: readonly Difference[]): string {
  return differences.map((difference) => `${difference.class} (${difference.count})`).join(", ");
}

/** Who answers for what has no proof. */
function declared(differences: readonly Difference[]): string {
  const waivers = differences.flatMap(({ waiver }) => (waiver ? [waiver] : []));
  const reasons = new Set(waivers.map(({ reason, owner, expires }) => `${reason} (${owner}, until ${expires})`));
  return reasons.size > 0 ? `; waived: ${[...reasons].join("; ")}` : "";
}

function isBenign(difference: Difference): boolean {
  return difference.weight === "benign";
}

function judgement(verdict: Verdict, explanation: string): Judgement {
  return { verdict, explanation, releasable: true };
}
