import type { Digest } from "../oci/digest.ts";
import type { Repository } from "../oci/repository.ts";
import type { Descriptor } from "../oci/types.ts";

/** What a copy says while it runs. */
export type CopyProgress =
  | { readonly type: "blob"; readonly blob: Descriptor; readonly outcome: "copying" | "copied" | "there" }
  /** Bytes of a blob that were read and sent since the last of these. */
  | { readonly type: "bytes"; readonly bytes: number }
  | { readonly type: "manifest"; readonly manifest: Descriptor; readonly outcome: "copied" | "there" }
  | { readonly type: "notice"; readonly message: string };

/** How a tree is copied. */
export interface CopyTreeOptions {
  /** The tag that the copy gets, after all else is there. Without it the copy is found by digest only. */
  readonly tag?: string;
  /** The bytes of the descriptor's document, when the caller has them: they are not read again. */
  readonly document?: Uint8Array;
  /** Whether what refers to the tree is copied too: signatures, attestations, and what refers to them. Default: true. */
  readonly referrers?: boolean;
  /** Whether cosign's tags for what was copied (`sha256-HEX.sig`, `.att`, `.sbom`) are copied too; they count as referrers. Default: false. */
  readonly signatureTags?: boolean;
  /** Name of the source's repository, where source and destination are one registry. */
  readonly mountFrom?: string;
  /**
   * What is believed to be whole where it is there. `manifest` (the default): an image, by
   * its manifest, as registries take none whose blobs they lack; children of an index are
   * each asked for. `index`: an index too, as crane does it. `blobs`: nothing; each blob is
   * asked for, and a missing one copied again, for a destination that may have lost some.
   */
  readonly trust?: "index" | "manifest" | "blobs";
  readonly limits?: Partial<CopyLimits>;
  readonly signal?: AbortSignal;
  readonly onProgress?: (progress: CopyProgress) => void;
}

/** How much one copy may be, whatever the source says. */
export interface CopyLimits {
  /** Indexes in indexes. */
  readonly indexDepth: number;
  /** Referrers of referrers. */
  readonly referrerDepth: number;
  /** Manifests and indexes in all, referrers too. */
  readonly manifests: number;
  /** Bytes of these in all; those whose content is on its way are in memory. */
  readonly manifestBytes: number;
}

/** What a copy came to. */
export interface CopyResult {
  /** What was copied, and what the tag names. */
  readonly descriptor: Descriptor;
  /** Different blobs that were looked at; those below manifests that were there already are not. */
  readonly blobs: number;
  /** Bytes of blobs, manifests and indexes that were sent. */
  readonly bytesCopied: number;
  /** Bytes of blobs, manifests and indexes that were found there, or that the registry mounted by itself. */
  readonly bytesThere: number;
  /** Manifests and indexes of the tree, without referrers. */
  readonly manifests: number;
  /** Manifests and indexes that refer to it, with what is below them. */
  readonly referrers: number;
  /** Layers that were left out because their media type forbids to pass them on. */
  readonly foreignLayers: number;
}

/** What the parts of one copy share. */
export interface Copying {
  readonly from: Repository;
  readonly to: Repository;
  readonly signal: AbortSignal;
  readonly limits: CopyLimits;
  /** Every manifest and index that was come across, in that order; the same ones come across once. */
  readonly seen: ReadonlyMap<Digest, Descriptor>;
  readonly tell: (progress: CopyProgress) => void;
  /** Runs work whose failure stops the whole copy, which fails with the first one at its end. */
  readonly guarded: (work: () => Promise<void>) => Promise<void>;
  /** Copies a manifest or index and all below it; `again`: writes it also where it is there. */
  readonly copyContent: (descriptor: Descriptor, again?: boolean) => Promise<void>;
}
