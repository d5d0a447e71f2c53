import type { Difference, PlatformComparison } from "../compare/types.ts";
import type { Digest } from "../oci/digest.ts";
import type { PlatformName } from "../oci/platform.ts";
import type { PlatformOutcome, Verdict } from "../outcome.ts";
import { version } from "../version.ts";
import { digestSet, predicateTypes, type ResourceDescriptor, type Statement, statementOf } from "./statement.ts";

/** How equal a rebuilt image is to upstream's; the predicate of an image equivalence. */
export interface Equivalence {
  readonly platform: PlatformName;
  /** Compared against: upstream's image, or a sibling platform's where upstream has none. */
  readonly against: "upstream" | "sibling";
  readonly left: ResourceDescriptor;
  readonly right: ResourceDescriptor;
  readonly verdict: Verdict;
  readonly level: PlatformOutcome["level"];
  readonly levels: PlatformComparison["levels"];
  /** By class, with the kind of proof; a waiver with its reason, owner and expiry. */
  readonly differences: readonly Pick<Difference, "class" | "scope" | "count" | "weight" | "proof" | "waiver">[];
  readonly unexplained: number;
  readonly packages: PlatformComparison["packages"];
  readonly normalisers: PlatformComparison["normalisers"];
  readonly comparator: { readonly name: "refoundry"; readonly version: string };
}

/**
 * Says how equal the image we built is to upstream's, about both; for a platform that
 * upstream never had, how it holds up beside its sibling, about ours alone. Undefined
 * where nothing was compared.
 */
export function equivalenceOf(name: string, platform: PlatformOutcome): Statement<Equivalence> | undefined {
  const { comparison, rebuilt, origin, manifest, verdict, level } = platform;
  if (!comparison || !rebuilt) return undefined;
  const against = origin === "upstream" ? "upstream" : "sibling";
  const image = (label: string, digest: Digest): ResourceDescriptor => ({ name: label, digest: digestSet(digest) });
  const subject = [
    ...(origin === "upstream" && manifest ? [image(`${name} (upstream)`, manifest)] : []),
    // where both are one manifest it is named once
    ...(rebuilt === manifest && origin === "upstream" ? [] : [image(`${name} (rebuilt)`, rebuilt)]),
  ];
  return statementOf(predicateTypes.equivalence, subject, {
    platform: platform.platform,
    against,
    left: image(against, comparison.left.manifest),
    right: image("rebuilt", comparison.right.manifest),
    verdict,
    level,
    levels: comparison.levels,
    differences: comparison.differences.map((difference) => {
      const { class: kind, scope, count, weight, proof, waiver } = difference;
      return { class: kind, scope, count, weight, ...(proof && { proof }), ...(waiver && { waiver }) };
    }),
    unexplained: platform.unexplained,
    packages: comparison.packages,
    normalisers: comparison.normalisers,
    comparator: { name: "refoundry", version },
  });
}
