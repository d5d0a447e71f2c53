import { createHash, type Hash, hash as hashOnce } from "node:crypto";
import type { Digest } from "../oci/digest.ts";
import type { TarHeader } from "../oci/tar/walk.ts";
import type { ContentReader, Descriptor } from "../oci/types.ts";
import { type AttributeTable, type LayerEntry } from "./entry.ts";
import { createFingerprintCollector, type Fingerprints } from "./fingerprints.ts";
import { normalisePath, walkLayer } from "./walk-layer.ts";

/** A layer's entries in the archive's order, and what of it does not count but is told. */
export interface LayerEntries {
  readonly diffId: Digest;
  readonly entries: readonly LayerEntry[];
  readonly fingerprints: Fingerprints;
}

/** Reads a layer: each entry's facts, file contents hashed as they pass. Throws as {@link walkLayer} does. */
export async function readLayerEntries(
  reader: ContentReader,
  layer: Descriptor,
  attributes: AttributeTable,
  signal?: AbortSignal,
): Promise<LayerEntries> {
  const entries: LayerEntry[] = [];
  const fingerprints = createFingerprintCollector();
  let current: { readonly header: TarHeader; readonly path: string } | undefined;
  let content = createContentHash(0);
  const walked = await walkLayer(
    reader,
    layer,
    {
      entry(header, path) {
        fingerprints.add(header, path);
        current = { header, path };
        content = createContentHash(header.size);
      },
      content: (piece) => content.update(piece),
      endEntry() {
        if (current) entries.push(entryOf(current.header, current.path, content, attributes));
      },
    },
    signal,
  );
  if (!walked) throw new Error("a walk that nobody stopped ended early");
  return { diffId: walked.diffId, entries, fingerprints: fingerprints.finish(walked.padding) };
}

interface ContentHash {
  update(piece: Uint8Array): void;
  /** sha256, one character for each byte. */
  digest(): string;
}

/** A file of that size that comes in one piece, as most do, is hashed in one call: that costs less than a hash object. */
function createContentHash(size: number): ContentHash {
  let digest: string | undefined;
  let running: Hash | undefined;
  return {
    update(piece) {
      if (!running && piece.length === size) digest = hashOnce("sha256", piece, "binary");
      else running = (running ?? createHash("sha256")).update(piece);
    },
    digest: () => digest ?? (running ?? createHash("sha256")).digest("binary"),
  };
}

function entryOf(header: TarHeader, path: string, content: ContentHash, table: AttributeTable): LayerEntry {
  const { type } = header;
  const isDevice = type === "character-device" || type === "block-device";
  return {
    path,
    attributes: table({
      type,
      mode: header.mode & 0o7777,
      uid: String(header.uid),
      gid: String(header.gid),
      xattrs: header.xattrs.size > 0 ? describeXattrs(header.xattrs) : "",
      device: isDevice ? `${header.deviceMajor}:${header.deviceMinor}` : "",
    }),
    linkName: type === "symlink" ? header.linkName : type === "hardlink" ? normalisePath(header.linkName) : "",
    content: type === "file" ? content.digest() : "",
    size: header.size,
  };
}

function describeXattrs(xattrs: ReadonlyMap<string, Buffer>): string {
  const list = [...xattrs].map(([name, value]): [string, string] => [name, value.toString("hex")]);
  return JSON.stringify(list.toSorted(([a], [b]) => (a < b ? -1 : 1)));
}

/**
 * Whether two layers have equal entries whatever their order and times. Hard links are
 * resolved inside each layer: every name of a file counts with the file's own facts and
 * the group of its names, whichever of them the archive wrote as the file. A link to a
 * file of a lower layer stays a link. Of entries with one path the last counts.
 */
export function sameEntries(left: readonly LayerEntry[], right: readonly LayerEntry[]): boolean {
  if (!left.some(isHardLink) && !right.some(isHardLink)) return samePlainEntries(left, right);
  const [a, b] = [groupHardLinks(left), groupHardLinks(right)];
  if (a.size !== b.size) return false;
  for (const [path, { entry, group }] of a) {
    const other = b.get(path);
    if (!other || group !== other.group || !sameFacts(entry, other.entry)) return false;
  }
  return true;
}

function isHardLink({ attributes }: LayerEntry): boolean {
  return attributes.type === "hardlink";
}

function samePlainEntries(left: readonly LayerEntry[], right: readonly LayerEntry[]): boolean {
  // nearly always one is written in the other's order
  const isSameInOrder = (entry: LayerEntry, position: number): boolean => {
    const other = right[position];
    return other !== undefined && entry.path === other.path && sameFacts(entry, other);
  };
  if (left.length === right.length && left.every(isSameInOrder)) return true;
  const [a, b] = [lastByPath(left), lastByPath(right)];
  if (a.size !== b.size) return false;
  for (const [path, entry] of a) {
    const other = b.get(path);
    if (!other || !sameFacts(entry, other)) return false;
  }
  return true;
}

function lastByPath(layer: readonly LayerEntry[]): Map<string, LayerEntry> {
  return new Map(layer.map((entry) => [entry.path, entry]));
}

/** Whether two entries agree in all that counts. */
function sameFacts(a: LayerEntry, b: LayerEntry): boolean {
  // attributes of one comparison are one object when they are equal
  return a === b || (a.content === b.content && a.linkName === b.linkName && a.attributes === b.attributes);
}

interface GroupedEntry {
  readonly entry: LayerEntry;
  /** The first name of its hard-linked names; empty when it has one. */
  readonly group: string;
}

/** A chain of hard links longer than this is left as it is. */
const maxLinkSteps = 100;

function groupHardLinks(layer: readonly LayerEntry[]): Map<string, GroupedEntry> {
  const grouped = new Map(layer.map((entry): [string, GroupedEntry] => [entry.path, { entry, group: "" }]));
  const targetOf = (path: string): string => {
    let at = path;
    for (let steps = 0; steps < maxLinkSteps; steps += 1) {
      const entry = grouped.get(at)?.entry;
      if (!entry || !isHardLink(entry) || !grouped.has(entry.linkName) || entry.linkName === at) return at;
      at = entry.linkName;
    }
    return at;
  };
  const groups = new Map<string, string[]>();
  for (const [path, { entry }] of grouped) {
    if (!isHardLink(entry)) continue;
    const target = targetOf(path);
    if (target === path) continue;
    const known = groups.get(target);
    if (known) known.push(path);
    else groups.set(target, [target, path]);
  }
  for (const [target, paths] of groups) {
    const file = grouped.get(target)?.entry;
    const group = paths.toSorted()[0] ?? "";
    if (file) for (const path of paths) grouped.set(path, { entry: file, group });
  }
  return grouped;
}
