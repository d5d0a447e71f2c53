import { createHash } from "node:crypto";
import { infrastructureError } from "../errors.ts";
import type { Digest } from "../oci/digest.ts";
import { openLayer } from "../oci/layer.ts";
import { readTar, type TarEntry } from "../oci/tar/read.ts";
import type { ContentReader, Descriptor } from "../oci/types.ts";

/** What of an entry counts for equality. */
export interface EntryFacts {
  readonly type: TarEntry["type"];
  /** Permission bits with setuid, setgid and sticky. */
  readonly mode: number;
  readonly uid: string;
  readonly gid: string;
  /** A link's target as written; empty for other types. */
  readonly linkName: string;
  /** `name=hex` of each extended attribute, sorted. */
  readonly xattrs: string;
  /** `major:minor` of a device; empty for other types. */
  readonly device: string;
  /** sha256 of a file's content in hex; empty for other types. */
  readonly content: string;
}

/** A layer's entries by path, and what of it does not count but is told. */
export interface LayerEntries {
  readonly diffId: Digest;
  /** Later entries of one path have replaced earlier ones; a hard link's `linkName` is a path in this form. */
  readonly entries: ReadonlyMap<string, EntryFacts>;
  /** Fingerprints of what is told on its own. */
  readonly order: string;
  readonly times: string;
  readonly dialect: string;
}

/** A path without `./` before it and `/` behind it; the root is the empty path. */
function normalisePath(path: string): string {
  const names = path.split("/").filter((name) => name !== "" && name !== ".");
  return names.join("/");
}

/** Reads a layer: each entry's facts, file contents hashed as they pass. */
export async function readLayerEntries(
  reader: ContentReader,
  layer: Descriptor,
  signal?: AbortSignal,
): Promise<LayerEntries> {
  const open = openLayer(reader, layer, signal);
  const entries = new Map<string, EntryFacts>();
  const order = createHash("sha256");
  const times: [string, string][] = [];
  const dialects = new Set<string>();
  for await (const entry of readTar(open.chunks)) {
    const path = normalisePath(entry.path);
    if (path.split("/").includes(".."))
      throw infrastructureError(
        `${reader.name}: the layer ${layer.digest} has a path that leads out of the image: ${JSON.stringify(entry.path)}`,
      );
    entries.set(path, await factsOf(entry));
    order.update(`${path}\0`);
    times.push([path, entry.mtime]);
    dialects.add(`${entry.dialect}${entry.path.startsWith("./") ? " with ./" : ""}`);
  }
  times.sort(([a], [b]) => (a < b ? -1 : a > b ? 1 : 0));
  return {
    diffId: open.diffId(),
    entries,
    order: order.digest("hex"),
    times: createHash("sha256").update(JSON.stringify(times)).digest("hex"),
    dialect: [...dialects].toSorted().join(", "),
  };
}

async function factsOf(entry: TarEntry): Promise<EntryFacts> {
  const { type } = entry;
  const isDevice = type === "character-device" || type === "block-device";
  return {
    type,
    mode: entry.mode & 0o7777,
    uid: String(entry.uid),
    gid: String(entry.gid),
    linkName: type === "symlink" ? entry.linkName : type === "hardlink" ? normalisePath(entry.linkName) : "",
    xattrs: [...entry.xattrs]
      .map(([name, value]) => `${name}=${value.toString("hex")}`)
      .toSorted()
      .join("\n"),
    device: isDevice ? `${entry.deviceMajor}:${entry.deviceMinor}` : "",
    content: type === "file" ? await hashOf(entry.content) : "",
  };
}

async function hashOf(content: AsyncIterable<Uint8Array>): Promise<string> {
  const hash = createHash("sha256");
  for await (const chunk of content) hash.update(chunk);
  return hash.digest("hex");
}

/**
 * A layer's entries with hard links resolved inside the layer: every name of a file has
 * the file's own facts and the group of its names, whichever of them the archive wrote
 * as the file. A link to a file of a lower layer stays a link.
 */
export function groupHardLinks(
  entries: ReadonlyMap<string, EntryFacts>,
): Map<string, EntryFacts & { readonly group: string }> {
  const targetOf = (path: string): string => {
    let at = path;
    for (let steps = 0; steps < 100; steps += 1) {
      const facts = entries.get(at);
      if (facts?.type !== "hardlink" || !entries.has(facts.linkName) || facts.linkName === at) return at;
      at = facts.linkName;
    }
    return at;
  };
  const groups = new Map<string, string[]>();
  for (const path of entries.keys()) {
    const target = targetOf(path);
    groups.set(target, [...(groups.get(target) ?? []), path]);
  }
  const grouped = new Map<string, EntryFacts & { group: string }>();
  for (const [target, paths] of groups) {
    const facts = entries.get(target);
    if (!facts) continue;
    const group = paths.length > 1 ? (paths.toSorted()[0] ?? "") : "";
    for (const path of paths) grouped.set(path, { ...facts, group });
  }
  return grouped;
}
