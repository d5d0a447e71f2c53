import type { PlatformName } from "../../oci/platform.ts";

/** What people look at to understand a comparison; bounded, beside the comparison itself. */
export interface Evidence {
  readonly platforms: readonly PlatformEvidence[];
}

/** What there is to see of one platform. */
export interface PlatformEvidence {
  readonly platform: PlatformName;
  /** Manifests and configs as JSON of two spaces, where they differ. */
  readonly documents: readonly { readonly name: "manifest" | "config"; readonly shown: Shown }[];
  /** Files that differ, by path; at most {@link evidenceLimits}.files. */
  readonly files: readonly FileEvidence[];
  /** Files that differ and are not among `files`. */
  readonly omitted: number;
}

/** One path that differs. */
export interface FileEvidence {
  /** With a slash before it, as in `differences[].paths`. */
  readonly path: string;
  /** The classes of `differences` that name the path. */
  readonly classes: readonly string[];
  readonly weight: "explained" | "drift" | "unexplained";
  /** Type, mode, owner, link target, xattrs, device, size and digest of each side, by name; absent where a side has no such file. */
  readonly left?: Readonly<Record<string, string>>;
  readonly right?: Readonly<Record<string, string>>;
  /** What differs in the content, where it was read. */
  readonly shown?: Shown;
}

/** A difference of two contents, ready to be drawn. */
export type Shown =
  | { readonly kind: "text"; readonly hunks: readonly TextHunk[]; readonly truncated: boolean }
  | { readonly kind: "binary"; readonly windows: readonly BinaryWindow[]; readonly truncated: boolean };

/** Lines side by side; line numbers from 1. */
export interface TextHunk {
  readonly leftStart: number;
  readonly rightStart: number;
  readonly rows: readonly TextRow[];
}

/** A pair of lines; a side without one has none. Equal lines are context. */
export interface TextRow {
  readonly left?: string;
  readonly right?: string;
}

/** Sixteen-byte rows round bytes that differ, in hex. */
export interface BinaryWindow {
  /** Offset of the first byte in both contents. */
  readonly offset: number;
  readonly left: string;
  readonly right: string;
}

/** Bounds on what is kept to look at. */
export const evidenceLimits = {
  files: 500,
  hunks: 20,
  rows: 400,
  lineCharacters: 400,
  windows: 16,
  windowBytes: 64,
  textBytes: 512 * 1024,
} as const;
