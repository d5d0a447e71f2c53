import type { TarEntry } from "../oci/tar/read.ts";

/** What of an entry counts for equality. */
export interface EntryFacts {
  readonly type: TarEntry["type"];
  /** Permission bits with setuid, setgid and sticky. */
  readonly mode: number;
  readonly uid: string;
  readonly gid: string;
  /** A link's target as written; empty for other types. */
  readonly linkName: string;
  /** Name and value in hex of each extended attribute, sorted, as JSON; empty when there are none. */
  readonly xattrs: string;
  /** `major:minor` of a device; empty for other types. */
  readonly device: string;
  /** sha256 of a file's content in hex; empty for other types. */
  readonly content: string;
}

/** One entry of a layer. */
export interface LayerEntry {
  /** Without `./` before it and `/` behind it; the root is the empty path. */
  readonly path: string;
  /** A hard link's `linkName` is a path in the same form. */
  readonly facts: EntryFacts;
}

/** What a path of the flattened image is. */
export interface FlatEntry extends EntryFacts {
  /** The first name of the hard-linked files it belongs to; empty when it has one name. */
  readonly group: string;
  /** What a hard link's own header says of mode, owner and xattrs when its file says otherwise. */
  readonly linkHeader?: string;
}

/** How the first part of a whiteout's file name marks it (image-spec, layer.md). */
export const whiteoutPrefix = ".wh.";
/** The file name that hides all that lower layers put beside it. */
export const opaqueMarker = ".wh..wh..opq";
