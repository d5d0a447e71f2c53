import type { Digest } from "../oci/digest.ts";
import type { PlatformName } from "../oci/platform.ts";

/** A licence as an SPDX expression (SPDX 2.3, annex D), or as it is called where it is none. */
export type Licence = { readonly expression: string } | { readonly name: string };

/** A package of a distribution or a module of a Go program. */
export interface BillPackage {
  readonly type: "deb" | "apk" | "golang";
  readonly name: string;
  /** Empty for what has none, as the main module of a Go program may. */
  readonly version: string;
  /** In the words of the distribution; empty for Go modules. */
  readonly architecture: string;
  /** Package URL (purl-spec). */
  readonly purl: string;
  /** The source package, where a distribution has one. */
  readonly source?: { readonly name: string; readonly version: string; readonly purl?: string };
  readonly licence?: Licence;
  /** The distribution. */
  readonly supplier?: string;
  /** Of the package's file in hex, where it is pinned. */
  readonly sha256?: string;
  /** Programs of the image in which a module was found, as absolute paths. */
  readonly programs: readonly string[];
}

/** A program (ELF) of the image that no package owns, or that Go made. */
export interface BillProgram {
  /** Absolute. */
  readonly path: string;
  /** In hex. */
  readonly sha256: string;
  readonly size: number;
}

/** What was found in an image. */
export interface ImageContents {
  readonly packages: readonly BillPackage[];
  readonly programs: readonly BillProgram[];
  /** What could not be read, as sentences: what is listed is then not all there is. */
  readonly gaps: readonly string[];
}

/** A file that was pinned by its digest. */
export interface PinnedFile {
  readonly name: string;
  /** In hex. */
  readonly sha256: string;
}

/** The source from which an image was built. */
export interface BillSource {
  readonly name: string;
  readonly version: string;
  /** Where upstream keeps it, as the recipe names it. */
  readonly origin: string;
  readonly commit: string;
  readonly tree: string;
  /** Of the canonical tar of the tree. */
  readonly archive: Digest;
  readonly licence?: Licence;
  /** The Debian source package it was imported from; its commit is then ours and not upstream's. */
  readonly debian?: { readonly purl: string; readonly version: string; readonly files: readonly PinnedFile[] };
}

/** A bill of one image for one platform: what is in it, and what it was made from. */
export interface ImageBill {
  readonly image: {
    readonly name: string;
    readonly version: string;
    readonly platform: PlatformName;
    /** Of the manifest. */
    readonly digest: Digest;
  };
  /** SOURCE_DATE_EPOCH: the bill's time too, so that it does not depend on when it was written. */
  readonly createdEpoch: number;
  readonly packages: readonly BillPackage[];
  readonly programs: readonly BillProgram[];
  readonly gaps: readonly string[];
  readonly source: BillSource;
  /** The Dockerfile and what lies beside it. */
  readonly context: { readonly dockerfile: string; readonly digest: Digest };
  readonly toolchain: {
    readonly name: string;
    /** The lock, or the pinned reference. */
    readonly version: string;
    readonly digest: Digest;
  };
  /** What the toolchain was made from: used by the build, and not in the image. */
  readonly toolchainPackages: readonly BillPackage[];
  readonly upstream: {
    readonly name: string;
    readonly digest: Digest;
    /** The manifest for this platform; absent where upstream has none. */
    readonly manifest?: Digest;
    /** The published packages that upstream's image was put together from. */
    readonly files: readonly PinnedFile[];
  };
}
