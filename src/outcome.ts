import type { PlatformComparison, PlatformHeadline } from "./compare/types.ts";
import type { Digest } from "./oci/digest.ts";
import type { PlatformName } from "./oci/platform.ts";

/** What a comparison means for a release's platform. */
export type Verdict =
  | "identical"
  | "equivalent"
  | "drift"
  | "different"
  | "extended"
  | "build-failed"
  | "upstream-unavailable";

/** The result for one platform of a release. */
export interface PlatformOutcome {
  readonly platform: PlatformName;
  /** Whose manifest the release index carries. */
  readonly origin: "upstream" | "rebuilt";
  /** The manifest in the release index. */
  readonly manifest: Digest | null;
  /** The manifest that we built. */
  readonly rebuilt: Digest | null;
  /** Bytes of what we built: manifest, config and compressed layers. */
  readonly size: number | null;
  readonly verdict: Verdict;
  readonly level: PlatformHeadline | "no-upstream" | "build-failed" | "upstream-unavailable";
  readonly unexplained: number;
  readonly buildKey: Digest;
  /** Whether the build was taken from the store. */
  readonly cached: boolean;
  /** The other builder, whose staged build was taken over instead of building. */
  readonly takenOver?: string;
  /** Wall time of build, normalisation, comparison and smoke test. */
  readonly seconds: number;
  /** One sentence for people on how the verdict came about. */
  readonly explanation: string;
  /** The comparison with upstream; with the sibling platform for parity when upstream lacks this one. */
  readonly comparison?: PlatformComparison;
  readonly timings: readonly { readonly stage: string; readonly seconds: number; readonly reused: boolean }[];
  readonly smoke: readonly {
    readonly command: readonly string[];
    readonly stdout: string;
    readonly emulated: boolean;
  }[];
  /** The build's log, whole. */
  readonly log?: string;
  /** Where the log is kept. */
  readonly logFile?: string;
}

/** One pinned input of a release, for the report. */
export interface OutcomeInput {
  readonly kind: "source" | "base" | "toolchain" | "upstream" | "dockerfile" | "patch" | "engine" | "encoder";
  readonly name: string;
  readonly version: string;
  readonly digest: string;
  /** Where it came from this time: `store`, a fork, a mirror, ... */
  readonly origin: string;
}

/** A platform that upstream has and a recipe leaves out: it counts against the recipe. */
export interface OmittedPlatform {
  readonly platform: PlatformName;
  readonly reason: string;
}

/** The result of a rebuild; `refoundry/outcome/v1`. */
export interface Outcome {
  readonly schema: "refoundry/outcome/v1";
  readonly recipe: string;
  readonly version: string;
  readonly destination: string;
  /** The release index; null when nothing was released. */
  readonly index: { readonly digest: Digest; readonly size: number } | null;
  readonly platforms: readonly PlatformOutcome[];
  /** Where the recipe leaves any out. */
  readonly omitted?: readonly OmittedPlatform[];
  readonly inputs: readonly OutcomeInput[];
  readonly seconds: number;
  /** RFC 3339 time at which the rebuild began. */
  readonly startedAt: string;
  /** Path of the HTML page. */
  readonly report: string;
  /** Why it was rebuilt, in a person's words. */
  readonly reason?: string;
  /**
   * Beside what the release records: the same index; another from other inputs; or
   * another from the same ones (upstream's manifests, or the platforms, are others).
   */
  readonly recorded?: "same" | "refreshed" | "other";
}

/** An outcome as it is printed and kept: logs are files of their own. */
export function withoutLogs(outcome: Outcome): Outcome {
  return { ...outcome, platforms: outcome.platforms.map(({ log: _, ...platform }) => platform) };
}
