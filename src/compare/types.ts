import type { Digest } from "../oci/digest.ts";
import type { PlatformName } from "../oci/platform.ts";

/** The levels of equality that one platform is evaluated at, strongest first. */
export const platformLevels = ["manifest", "config", "layers", "entries", "filesystem", "explained"] as const;

/** A level of equality of one platform. */
export type PlatformLevel = (typeof platformLevels)[number];

/**
 * The strongest level that a platform reaches. `drift`: what is left belongs to packages
 * of other versions, which is no equality; `different`: anything else.
 */
export type PlatformHeadline = PlatformLevel | "drift" | "different";

/** The headline of a comparison: the strongest level that every platform reaches. */
export type Level = "index" | "index-core" | PlatformHeadline;

/** Every headline, strongest first; what `--require` takes. */
export const levels: readonly Level[] = ["index", "index-core", ...platformLevels, "drift", "different"];

/**
 * What makes a difference count as known:
 * - `normalised-equal`: both sides, normalised by the class, were the same bytes
 * - `declared`: a waiver names it, with reason, owner and expiry
 * - `drift`: it belongs to a package that has another version by the package database
 */
export type Proof = "normalised-equal" | "declared" | "drift";

/** What was found to differ. `detail` is for people; paths are as the image has them. */
export interface Difference {
  /** The kind of difference, in kebab case: `config-created`, `layer-split`, `file-content`, ... */
  readonly class: string;
  /** What has to be equal before this goes away. */
  readonly scope: "index" | "manifest" | "config" | "layers" | "entries" | "filesystem" | "runtime-config";
  readonly count: number;
  /** Up to 100 examples, sorted. */
  readonly paths: readonly string[];
  readonly detail: string;
  /**
   * `benign`: in a field that does not change what runs (times, history, compression);
   * `explained`: in a file's content or presence, with a proof;
   * `drift`: in files of packages with other versions;
   * `unexplained`: counts against equality.
   */
  readonly weight: "benign" | "explained" | "drift" | "unexplained";
  /** Absent exactly when the difference is unexplained. */
  readonly proof?: Proof;
  /** The waiver, of a declared difference. */
  readonly waiver?: { readonly reason: string; readonly owner: string; readonly expires: string };
}

/** A layer's blob as one side has it. */
export interface ComparedLayer {
  readonly digest: Digest;
  readonly diffId: Digest;
  /** Bytes of the blob, compressed. */
  readonly size: number;
  readonly mediaType: string;
  /** Who compressed it, where that was looked into and found: `zlib level 6`. */
  readonly encoder?: string;
}

/** One side of a platform's comparison. */
export interface ComparedImage {
  readonly manifest: Digest;
  readonly config: Digest;
  readonly layers: readonly ComparedLayer[];
}

/** A package whose version differs between the two sides; a side without it has none. */
export interface PackageDrift {
  readonly database: "dpkg" | "apk" | "rpm";
  readonly name: string;
  readonly left?: string;
  readonly right?: string;
}

/** How equal two images of one platform are. */
export interface PlatformComparison {
  readonly platform: PlatformName;
  readonly level: PlatformHeadline;
  readonly levels: Readonly<Record<PlatformLevel, boolean>>;
  readonly differences: readonly Difference[];
  /** Differences of weight `unexplained`, counted by item. */
  readonly unexplained: number;
  /** Packages of other versions, by name. */
  readonly packages: readonly PackageDrift[];
  /** The normalisers that an explanation rests on, with their versions, by name. */
  readonly normalisers: readonly { readonly class: string; readonly version: number }[];
  /** What a person should know although it is no difference: a private key in the image. */
  readonly warnings: readonly string[];
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
  /** Of the indexes themselves: attestation children, order, annotations. */
  readonly differences: readonly Difference[];
  readonly platforms: readonly PlatformComparison[];
  /** Platforms that only one side has. */
  readonly onlyLeft: readonly PlatformName[];
  readonly onlyRight: readonly PlatformName[];
}
