import type { Digest } from "./oci/digest.ts";
import type { PlatformName } from "./oci/platform.ts";
import type { OmittedPlatform, Outcome, PlatformOutcome, Verdict } from "./outcome.ts";

/**
 * Why a release's rebuild did not come out, or was not tried.
 * - `fetch`: a source, a package or upstream's image could not be had; tried again
 * - `infra`: the engine, the registry that is pushed to, the disk, a defect; tried again
 * - `build`: the build or the smoke test failed
 * - `compare`: what came out, or what was fetched, is not what the release promises
 * - `nondeterminism`: another digest from the same inputs
 * - `refresh`: other inputs gave another image, and the tag of the release that is out does not move
 * - `usage`: a recipe, a lock or the command line is wrong
 * - `blocked`: a release that it stands on failed
 */
export type ErrorClass = "infra" | "fetch" | "build" | "compare" | "nondeterminism" | "refresh" | "usage" | "blocked";

/** One platform of a release in a nightly run. */
export interface NightlyPlatform {
  readonly platform: PlatformName;
  readonly verdict: Verdict;
  readonly level: PlatformOutcome["level"];
  readonly origin: PlatformOutcome["origin"];
  readonly unexplained: number;
  readonly buildKey: Digest;
  readonly manifest: Digest | null;
  readonly rebuilt: Digest | null;
  readonly cached: boolean;
  readonly seconds: number;
  readonly explanation: string;
  /** Differences by class, as the comparison had them. */
  readonly differences: readonly {
    readonly class: string;
    readonly count: number;
    readonly weight: "benign" | "explained" | "drift" | "unexplained";
    readonly detail: string;
    /** Up to 20 examples. */
    readonly paths: readonly string[];
  }[];
}

/** One release in a nightly run. */
export interface NightlyRelease {
  readonly recipe: string;
  readonly version: string;
  /** `rebuilt`: it was due; `verified`: it was not, and was rebuilt from nothing as a sample; `kept`: it was not due. */
  readonly status: "rebuilt" | "verified" | "kept" | "failed";
  /** Why it was due, or is not. */
  readonly reason: { readonly code: string; readonly sentence: string };
  readonly index: Digest | null;
  /** Beside what the release recorded: the same index, another from other inputs, another from the same; as an outcome says it. */
  readonly recorded?: Outcome["recorded"];
  readonly seconds: number;
  readonly attempts: number;
  /** Of what failed. */
  readonly failure?: { readonly errorClass: ErrorClass; readonly message: string };
  readonly platforms: readonly NightlyPlatform[];
  /** Platforms that upstream has and the recipe leaves out, where there are any. */
  readonly omitted?: readonly OmittedPlatform[];
  /** Path of the release's own report, relative to the run's folder. */
  readonly report?: string;
}

/** What was noticed that needs a person: a tag that moved, a platform upstream began to release, a fork gone. */
export interface NightlyNotice {
  readonly code:
    | "upstream-moved"
    | "upstream-gone"
    | "upstream-added-platform"
    | "fork-gone"
    | "fork-renamed"
    | "package-gone"
    | "tag-moved"
    | "waiver-expires";
  readonly recipe: string;
  readonly version?: string;
  readonly sentence: string;
}

/** A nightly run; `refoundry/nightly/v1`. Kept as an artifact in the history repository, one tag a run. */
export interface NightlyRun {
  readonly schema: "refoundry/nightly/v1";
  /** `2026-11-23T020000Z`: when it began; its tag is `nightly-` and this. */
  readonly id: string;
  /** RFC 3339. */
  readonly startedAt: string;
  readonly finishedAt: string;
  readonly factory: string;
  readonly releases: readonly NightlyRelease[];
  readonly notices: readonly NightlyNotice[];
}
