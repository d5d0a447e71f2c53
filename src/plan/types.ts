import type { Digest } from "../oci/digest.ts";
import type { PlatformName } from "../oci/platform.ts";
import type { Recipe } from "../recipe/schema.ts";
import type { BuildInputs, ChangeCode, InputChange, ToolchainKind } from "./changes.ts";

/** Why a build is due or is not. */
export type ReasonCode =
  | ChangeCode
  | "wrong-upstream"
  | "not-deterministic"
  | "tag-moved"
  | "waiver-expired"
  | "new-release"
  | "platform-added"
  | "upstream-repinned"
  | "recipe-changed"
  | "inputs-changed"
  | "never-built"
  | "not-varied"
  | "unreleased"
  | "unrecorded"
  | "attestation-missing"
  | "upstream-gone"
  | "upstream-moved"
  | "up-to-date";

/** What a registry says of a name: the digest it has, nothing by that name, or that it was not asked. */
export type Answer = Digest | "absent" | "not-asked";

/** A release as it was at another revision. */
export type Earlier =
  | { readonly state: "absent" }
  /** It was there and could not be read by today's rules. */
  | { readonly state: "unreadable" }
  | {
      readonly state: "there";
      readonly inputs: Omit<BuildInputs, "builder" | "exporter" | "normaliser">;
      readonly platforms: readonly PlatformName[];
      /** Digest of the upstream image that was pinned. */
      readonly upstream: Digest;
      /** What is checked, as opposed to built: smoke tests, waivers, where upstream is. */
      readonly checks: Digest;
      /** Files of the build context that are not as they were. */
      readonly files: readonly string[];
    };

/** All that is known of one release, for its reasons to be found; nothing here is asked of anything any more. */
export interface ReleaseFacts {
  readonly recipe: string;
  readonly version: string;
  readonly inputs: BuildInputs;
  readonly toolchain: ToolchainKind;
  readonly checks: Digest;
  /** Digest of the upstream image that is pinned. */
  readonly upstream: Digest;
  readonly platforms: readonly PlatformFacts[];
  /** Releases whose images this one stands on; without a platform, the same as what is built. */
  readonly standsOn: readonly { readonly recipe: string; readonly version: string; readonly platform?: PlatformName }[];
  /** Waivers whose time is up. */
  readonly expiredWaivers: readonly Pick<Recipe["waivers"][number], "class" | "platforms" | "expires">[];
  /** What is wrong with the pins of upstream's image, one sentence each; with the platform where it is about one. */
  readonly wrongPins: readonly { readonly platform?: PlatformName; readonly message: string }[];
  /** What the release records of when it was built last. */
  readonly recorded?: {
    readonly index: Digest;
    readonly inputs?: BuildInputs;
  };
  /** With `--since`: the release at that revision, which is named so. */
  readonly since?: { readonly name: string; readonly earlier: Earlier };
  /** Whether the recipe lets the release's own tag come to name another index. */
  readonly tagMoves: boolean;
  /** Where the release is or should be, when the registry was asked: `HOST/NAME:TAG`. */
  readonly released?: {
    readonly name: string;
    readonly index: Answer;
    /** Which of signature and provenance the index lacks; absent when that was not asked. */
    readonly missing?: readonly string[];
  };
  /** What upstream's tag names now: `HOST/NAME:TAG`. */
  readonly upstreamTag?: { readonly name: string; readonly digest: Answer };
}

/** What is known of one platform of a release. */
export interface PlatformFacts {
  readonly platform: PlatformName;
  /** Upstream never had it: two varied builds have to agree. */
  readonly extended: boolean;
  readonly buildKey: Digest;
  /** The build that the store has under the key. */
  readonly stored?: { readonly manifest: Digest; readonly varied: boolean; readonly seconds: number };
  /** What the release records. */
  readonly recorded?: { readonly manifest: Digest; readonly buildKey: Digest };
  /** Seconds that the recorded build took, where the store knows. */
  readonly recordedSeconds?: number;
}

/** What has to be done about a build, and by whom. */
export type Needs = "build" | "publish" | "person" | "nothing";

/** One build that is due or not, and why: a row of `refoundry/plan/v1`. */
export interface PlanJob {
  readonly recipe: string;
  readonly version: string;
  readonly platform: PlatformName;
  readonly due: boolean;
  readonly needs: Needs;
  readonly buildKey: Digest;
  /** What the release records: the image that came out, and the build key it came from. */
  readonly recorded?: { readonly manifest: Digest; readonly buildKey: Digest };
  readonly reason: { readonly code: ReasonCode; readonly sentence: string };
  /** The inputs that changed, with what they were and are. */
  readonly changes: readonly InputChange[];
  /** What a build is expected to take, from earlier ones; null where there were none. 0 for what is not built. */
  readonly estimatedSeconds: number | null;
  /** Builds that have to be done before, as `recipe@version platform`. */
  readonly dependsOn: readonly string[];
}

/** Something noticed that is no build's reason alone. */
export interface PlanNotice {
  readonly code: "upstream-moved" | "upstream-gone" | "upstream-unreachable" | "builder-unknown";
  /** Absent where it is about no release. */
  readonly recipe?: string;
  readonly version?: string;
  readonly sentence: string;
}

/** A plan; `refoundry/plan/v1`. */
export interface Plan {
  readonly schema: "refoundry/plan/v1";
  readonly jobs: readonly PlanJob[];
  readonly notices: readonly PlanNotice[];
  readonly totals: {
    readonly jobs: number;
    readonly due: number;
    /** Releases with a build that is due. */
    readonly dueReleases: number;
    /** Of the jobs that have an estimate. */
    readonly estimatedSeconds: number;
    /** How many due jobs have none. */
    readonly unestimated: number;
    /** How many jobs stand for a fault: another digest under the same key, a tag that moved, a pin that is wrong. */
    readonly faults: number;
  };
}
