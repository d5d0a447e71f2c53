import type { PlatformName } from "../oci/platform.ts";
import type { Difference } from "./types.ts";
import type { Finding } from "./findings.ts";

/** A difference that somebody answers for, from a recipe. */
export interface Waiver {
  /** The class of the difference while nothing explains it. */
  readonly class: string;
  /** Paths as differences have them; one that ends in `/**` covers all below it. */
  readonly paths: readonly string[];
  /** The platforms of the image on the right that it is for; all when absent. */
  readonly platforms?: readonly PlatformName[] | undefined;
  readonly reason: string;
  readonly owner: string;
  /** The last day on which it holds, `YYYY-MM-DD`. */
  readonly expires: string;
}

/** The waivers that are for a platform, as waivers for whatever they are applied to. */
export function waiversFor(platform: PlatformName, waivers: readonly Waiver[]): Waiver[] {
  return waivers
    .filter(({ platforms }) => platforms === undefined || platforms.includes(platform))
    .map(({ platforms: _, ...waiver }) => waiver);
}

/** The waivers for one platform, and the day that decides which have expired. */
export interface WaiverBook {
  readonly waivers: readonly Waiver[];
  /** `YYYY-MM-DD`, UTC. */
  readonly today: string;
}

/** Declares an unexplained finding that a waiver covers; one that has expired is named and declares nothing. */
export function applyWaivers(finding: Finding, { waivers, today }: WaiverBook): Finding {
  if (finding.weight !== "unexplained") return finding;
  const covering = waivers.filter((waiver) => covers(waiver, finding));
  const valid = covering.find(({ expires }) => expires >= today);
  if (valid) {
    const { reason, owner, expires } = valid;
    return { ...finding, weight: "explained", proof: "declared", waiver: { reason, owner, expires } };
  }
  const [expired] = covering;
  return expired ? { ...finding, note: `the waiver of ${expired.owner} expired on ${expired.expires}` } : finding;
}

function covers(waiver: Waiver, finding: Finding): boolean {
  return waiver.class === finding.class && waiver.paths.some((pattern) => coversPath(pattern, finding.path));
}

/** Whether a path is what a pattern names, or below it where that ends in `/**`. */
export function coversPath(pattern: string, path: string): boolean {
  return pattern.endsWith("/**") ? path.startsWith(pattern.slice(0, -2)) : path === pattern;
}

/** Declares a whole difference of the runtime config, whose paths are keys of it. */
export function waiveDifference(difference: Difference, book: WaiverBook): Difference {
  const { paths, detail, weight, scope } = difference;
  if (weight !== "unexplained") return difference;
  const found = paths.map((path) => applyWaivers({ ...difference, scope, path }, book));
  const [first] = found;
  if (!first) return difference;
  if (found.every(({ proof }) => proof === "declared"))
    return { ...difference, weight: "explained", proof: "declared", ...(first.waiver && { waiver: first.waiver }) };
  const told = found.find(({ note }) => note !== undefined);
  return told ? { ...difference, detail: `${detail}; ${told.note}` } : difference;
}
