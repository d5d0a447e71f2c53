import type { Difference } from "./types.ts";

/** A difference that changes nothing that runs. */
export type BenignDifference = Difference & { readonly weight: "benign"; readonly proof: "normalised-equal" };

/** A difference that changes nothing that runs; one item, without paths. */
export function benign(name: string, scope: Difference["scope"], detail: string): BenignDifference {
  return { class: name, scope, count: 1, paths: [], detail, weight: "benign", proof: "normalised-equal" };
}
