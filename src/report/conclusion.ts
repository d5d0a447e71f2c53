import type { Outcome, PlatformOutcome, Verdict } from "../outcome.ts";

const meanings: readonly (readonly [Verdict, string])[] = [
  ["identical", "identical to upstream"],
  ["equivalent", "equivalent to upstream"],
  ["extended", "added, which upstream never released"],
  ["different", "different"],
  ["drift", "drifted from upstream"],
  ["build-failed", "failed"],
  ["upstream-unavailable", "without an upstream to compare with"],
];

/** One sentence on how the platforms came out: how many of each kind, matches, additions and what is left out told apart. */
export function conclude({ platforms, omitted = [] }: Pick<Outcome, "platforms" | "omitted">): string {
  const said = meanings
    .map(([meant, words]) => [platforms.filter(({ verdict }) => verdict === meant).length, words] as const)
    .filter(([count]) => count > 0)
    .map(([count, words]) => `${count} ${words}`);
  const noun = platforms.length === 1 ? "platform" : "platforms";
  const leftOut = omitted.length === 0 ? "" : `; ${omitted.length} left out, which upstream has`;
  return (said.length === 0 ? "no platform was rebuilt" : `${platforms.length} ${noun}: ${said.join(", ")}`) + leftOut;
}

/** Whether upstream never released the platform, however its rebuild came out. */
export function isAddition(platform: PlatformOutcome): boolean {
  return platform.level === "no-upstream" || platform.origin === "rebuilt";
}

/** What stands in for levels where upstream never released the platform: it has nothing to match. */
export function describeAddition(platform: PlatformOutcome): string {
  const { comparison, verdict } = platform;
  const sibling = comparison?.platform;
  if (verdict === "build-failed") return "never released upstream; the rebuild failed";
  if (sibling === undefined) return "never released upstream; no sibling platform to compare with";
  return `never released upstream; ${verdict === "extended" ? "parity" : "no parity"} with ${sibling}`;
}
