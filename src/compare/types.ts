import type { Digest } from "../oci/digest.ts";
import type { PlatformName } from "../oci/platform.ts";

/** The levels of equality that one platform is evaluated at, strongest first. */
export const platformLevels = ["manifest", "config", "layers", "entries", "filesystem"] as const;

/** A level of equality of one platform. */
export type PlatformLevel = (typeof platformLevels)[number];

/** The headline of a comparison: the strongest level reached, or `different`. */
export type Level = "index" | "index-core" | PlatformLevel | "different";

/** What was found to differ. `detail` is for people; paths are as the image has them. */
export interface Difference {
  /** The kind of difference, in kebab case: `config-created`, `layer-split`, `file-content`, ... */
  readonly class: string;
  /** What has to be equal before this goes away. */
  readonly scope: "manifest" | "config" | "layers" | "entries" | "filesystem" | "runtime-config";
  readonly count: number;
  /** Up to 100 examples, sorted. */
  readonly paths: readonly string[];
  readonly detail: string;
  /**
   * `benign`: in a field that does not change what runs (times, history, compression);
   * `unexplained`: counts against equality at `filesystem`.
   */
  readonly weight: "benign" | "unexplained";
}

/** One side of a platform's comparison. */
export interface ComparedImage {
  readonly manifest: Digest;
  readonly config: Digest;
  readonly layers: readonly {
    readonly digest: Digest;
    readonly diffId: Digest;
    readonly size: number;
    readonly mediaType: string;
  }[];
}

/** How equal two images of one platform are. */
export interface PlatformComparison {
  readonly platform: PlatformName;
  readonly level: PlatformLevel | "different";
  readonly levels: Readonly<Record<PlatformLevel, boolean>>;
  readonly differences: readonly Difference[];
  /** Differences of weight `unexplained`, counted by item. */
  readonly unexplained: number;
  readonly left: ComparedImage;
  readonly right: ComparedImage;
}

/** How equal two images or indexes are; `refoundry/comparison/v1`. */
export interface Comparison {
  readonly schema: "refoundry/comparison/v1";
  readonly left: string;
  readonly right: string;
  readonly level: Level;
  /** Only when both sides are indexes. */
  readonly levels?: { readonly index: boolean; readonly "index-core": boolean };
  readonly platforms: readonly PlatformComparison[];
  /** Platforms that only one side has. */
  readonly onlyLeft: readonly PlatformName[];
  readonly onlyRight: readonly PlatformName[];
}
