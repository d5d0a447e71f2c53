import type { TarEntryType } from "../oci/tar/read.ts";

/**
 * What of an entry counts beside its name, its link's target and its content. Within a
 * comparison equal attributes are one object, since thousands of entries share them.
 */
export interface Attributes {
  readonly type: TarEntryType;
  /** Permission bits with setuid, setgid and sticky. */
  readonly mode: number;
  readonly uid: string;
  readonly gid: string;
  /** Name and value in hex of each extended attribute, sorted, as JSON; empty when there are none. */
  readonly xattrs: string;
  /** `major:minor` of a device; empty for other types. */
  readonly device: string;
}

/** What of an entry counts for equality. */
export interface EntryFacts {
  readonly attributes: Attributes;
  /** A link's target as written; empty for other types. */
  readonly linkName: string;
  /** sha256 of a file's content, one character for each byte; empty for other types. */
  readonly content: string;
  /** Bytes of a file's content. */
  readonly size: number;
}

/** One entry of a layer. */
export interface LayerEntry extends EntryFacts {
  /** Without `./` before it and `/` behind it; the root is the empty path. A hard link's `linkName` is in the same form. */
  readonly path: string;
}

/** What a path of the flattened image is. */
export interface FlatEntry {
  readonly facts: EntryFacts;
  /** The first name of the hard-linked files it belongs to; empty when it has one name. */
  readonly group: string;
  /** What a hard link's own header says of mode, owner and xattrs when its file says otherwise; else empty. */
  readonly linkHeader: string;
}

/** Gives the one object for all equal attributes. */
export type AttributeTable = (attributes: Attributes) => Attributes;

/** An empty {@link AttributeTable}. */
export function createAttributeTable(): AttributeTable {
  const known = new Map<string, Attributes>();
  return (attributes) => {
    const { type, mode, uid, gid, xattrs, device } = attributes;
    const key = `${type} ${mode} ${uid} ${gid} ${device} ${xattrs}`;
    const found = known.get(key);
    if (!found) known.set(key, attributes);
    return found ?? attributes;
  };
}

/** How the first part of a whiteout's file name marks it (image-spec, layer.md). */
export const whiteoutPrefix = ".wh.";
/** The file name that hides all that lower layers put beside it. */
export const opaqueMarker = ".wh..wh..opq";

/** Whether a path is that of a whiteout or an opaque marker. */
export function isWhiteout(path: string): boolean {
  return path.startsWith(whiteoutPrefix, path.lastIndexOf("/") + 1);
}
