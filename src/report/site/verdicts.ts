import type { Verdict } from "../../outcome.ts";

/** How one platform of a release stands in a run: its verdict, that the recipe leaves it out, or that the rebuild failed. */
export type State = Verdict | "omitted" | "failed";

/** A state as it is shown: never by colour alone. */
export interface StateWords {
  readonly symbol: string;
  /** For a sentence: `2 identical to upstream`. */
  readonly phrase: string;
  /** How much it asks for a person: 0 not at all, more is more. */
  readonly urgency: number;
}

/** Every state, from the best to what asks for a person. */
export const states: readonly State[] = [
  "identical",
  "equivalent",
  "extended",
  "drift",
  "upstream-unavailable",
  "omitted",
  "different",
  "build-failed",
  "failed",
];

const words: Readonly<Record<State, StateWords>> = {
  identical: { symbol: "✓", phrase: "identical to upstream", urgency: 0 },
  equivalent: { symbol: "✓", phrase: "equivalent to upstream", urgency: 0 },
  extended: { symbol: "+", phrase: "added, which upstream never released", urgency: 0 },
  drift: { symbol: "~", phrase: "drifted from upstream", urgency: 1 },
  "upstream-unavailable": { symbol: "?", phrase: "without an upstream to compare with", urgency: 2 },
  omitted: { symbol: "–", phrase: "left out, which upstream has", urgency: 0 },
  different: { symbol: "≠", phrase: "different", urgency: 4 },
  "build-failed": { symbol: "✗", phrase: "not built", urgency: 3 },
  failed: { symbol: "✗", phrase: "of releases that failed", urgency: 3 },
};

/** The words of a state; what a run of another version calls its verdicts is taken as a failure. */
export function wordsOf(state: State): StateWords {
  return words[state] ?? words.failed;
}

/** A verdict that this version knows; anything else is a failure. */
export function knownState(verdict: string): State {
  return states.find((state) => state === verdict && state !== "omitted") ?? "failed";
}

/** How many platforms are in each state, and how many of all of them upstream never released. */
export interface StateCounts extends Readonly<Record<State, number>> {
  readonly additions: number;
}

/** A platform as it is counted. */
export interface Standing {
  readonly state: State;
  /** Upstream never released it, however its rebuild came out. */
  readonly addition: boolean;
}

/** Counts platforms. */
export function countStates(all: Iterable<Standing>): StateCounts {
  const counts: Record<State | "additions", number> = {
    identical: 0,
    equivalent: 0,
    extended: 0,
    drift: 0,
    "upstream-unavailable": 0,
    omitted: 0,
    different: 0,
    "build-failed": 0,
    failed: 0,
    additions: 0,
  };
  for (const { state, addition } of all) {
    counts[state] += 1;
    // an extension has nothing to match, whatever else a damaged run says of it
    if (addition || state === "extended") counts.additions += 1;
  }
  return counts;
}

/** Platforms that upstream released, and how many of them came out the same. */
export function reproduced(counts: StateCounts): { readonly same: number; readonly of: number } {
  const all = states.reduce((sum, state) => sum + counts[state], 0);
  const of = all - counts.additions;
  return { same: Math.min(of, counts.identical + counts.equivalent), of };
}

/** `3 identical to upstream, 1 different`; `no platform` where there is none. */
export function describeCounts(counts: StateCounts): string {
  const said = states.filter((state) => counts[state] > 0).map((state) => `${counts[state]} ${wordsOf(state).phrase}`);
  return said.length === 0 ? "no platform" : said.join(", ");
}
