import type { Difference, Proof } from "./types.ts";

/** One thing found at one path; differences count findings that are alike. */
export interface Finding {
  readonly class: string;
  readonly scope: Difference["scope"];
  /** As it is shown. */
  readonly path: string;
  readonly detail: string;
  readonly weight: Difference["weight"];
  readonly proof?: Proof;
  readonly waiver?: NonNullable<Difference["waiver"]>;
  /** What else is to be said; findings with another note are counted apart. */
  readonly note?: string;
}

/** How many paths a difference lists where nobody asks for more. */
export const listedPaths = 100;

const weights: readonly Difference["weight"][] = ["unexplained", "drift", "explained", "benign"];

/** Sums findings up by class, proof and waiver, in an order that depends on them alone; each lists `listed` paths. */
export function sumUp(findings: readonly Finding[], listed = listedPaths): Difference[] {
  const groups = new Map<string, { readonly first: Finding; readonly paths: string[] }>();
  for (const finding of findings) {
    const { scope, weight, proof, waiver, note } = finding;
    const key = JSON.stringify([finding.class, scope, weight, proof, waiver, note]);
    const group = groups.get(key);
    if (group) group.paths.push(finding.path);
    else groups.set(key, { first: finding, paths: [finding.path] });
  }
  return [...groups]
    .toSorted(([a, x], [b, y]) => weights.indexOf(x.first.weight) - weights.indexOf(y.first.weight) || (a < b ? -1 : 1))
    .map(([, { first, paths }]) => ({
      class: first.class,
      scope: first.scope,
      count: paths.length,
      paths: paths.toSorted().slice(0, listed),
      detail: first.note === undefined ? first.detail : `${first.detail}; ${first.note}`,
      weight: first.weight,
      ...(first.proof && { proof: first.proof }),
      ...(first.waiver && { waiver: first.waiver }),
    }));
}
