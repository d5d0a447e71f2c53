import { createHash } from "node:crypto";
import { infrastructureError, RefoundryError } from "../errors.ts";
import type { Digest } from "../oci/digest.ts";
import { openLayer } from "../oci/layer.ts";
import { readTar, type TarEntry } from "../oci/tar/read.ts";
import type { ContentReader, Descriptor } from "../oci/types.ts";
import { type EntryFacts, type FlatEntry, type LayerEntry, whiteoutPrefix } from "./entry.ts";

/** A layer's entries in the archive's order, and what of it does not count but is told. */
export interface LayerEntries {
  readonly diffId: Digest;
  readonly entries: readonly LayerEntry[];
  /** Fingerprints of what is told on its own. */
  readonly order: string;
  readonly times: string;
  readonly dialect: string;
}

/** Linux's PATH_MAX: nothing unpacks what is longer. */
const maxPathBytes = 4096;
/** A chain of hard links longer than this is left as it is. */
const maxLinkSteps = 100;
/** Global pax records that say nothing of what the entries are. */
const harmlessGlobals = /^(comment|mtime|atime|ctime|charset|hdrcharset)$/;

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
  const entries: LayerEntry[] = [];
  const order = createHash("sha256");
  const times: [string, string][] = [];
  const dialects = new Set<string>();
  for await (const entry of named(readTar(open.chunks), reader, layer)) {
    const path = normalisePath(entry.path);
    const problem = problemOf(entry, path);
    if (problem !== undefined)
      throw infrastructureError(
        `${reader.name}: the layer ${layer.digest} ${problem}: ${JSON.stringify(entry.path.slice(0, 200))}`,
      );
    entries.push({ path, facts: await factsOf(entry) });
    order.update(`${path}\0`);
    times.push([path, entry.mtime]);
    dialects.add(`${entry.dialect}${entry.path.startsWith("./") ? " with ./" : ""}`);
  }
  times.sort(([a], [b]) => (a < b ? -1 : a > b ? 1 : 0));
  const timesHash = createHash("sha256");
  for (const time of times) timesHash.update(JSON.stringify(time));
  return {
    diffId: open.diffId(),
    entries,
    order: order.digest("hex"),
    times: timesHash.digest("hex"),
    dialect: [...dialects].toSorted().join(", "),
  };
}

/** Says in the archive's own failures which layer it is. */
async function* named(
  entries: AsyncIterable<TarEntry>,
  reader: ContentReader,
  layer: Descriptor,
): AsyncGenerator<TarEntry> {
  try {
    yield* entries;
  } catch (cause) {
    if (!(cause instanceof RefoundryError) || cause.kind !== "infrastructure" || cause.message.includes(layer.digest))
      throw cause;
    throw infrastructureError(`${reader.name}: the layer ${layer.digest}: ${cause.message}`, { cause });
  }
}

/** What makes an entry one that runtimes refuse, or that they and we might read differently. */
function problemOf(entry: TarEntry, path: string): string | undefined {
  const names = path.split("/");
  if (names.includes("..")) return "has a path with .. in it";
  if (entry.rawPath.length > maxPathBytes || entry.linkName.length > maxPathBytes)
    return `has a path of more than ${maxPathBytes} bytes, which nothing unpacks`;
  if (entry.type !== "directory" && entry.rawPath.at(-1) === 0x2f)
    return `has a ${entry.type} whose name ends in a slash, which readers disagree about`;
  const name = names.at(-1) ?? "";
  if ([whiteoutPrefix, `${whiteoutPrefix}.`, `${whiteoutPrefix}..`].includes(name)) return "has an invalid whiteout";
  const global = [...entry.globalPax.keys()].find((key) => !harmlessGlobals.test(key));
  return global === undefined
    ? undefined
    : `has a global pax record ${JSON.stringify(global)}, which runtimes ignore and tar applies`;
}

async function factsOf(entry: TarEntry): Promise<EntryFacts> {
  const { type } = entry;
  const isDevice = type === "character-device" || type === "block-device";
  const xattrs = [...entry.xattrs].map(([name, value]): [string, string] => [name, value.toString("hex")]);
  xattrs.sort(([a], [b]) => (a < b ? -1 : 1));
  return {
    type,
    mode: entry.mode & 0o7777,
    uid: String(entry.uid),
    gid: String(entry.gid),
    linkName: type === "symlink" ? entry.linkName : type === "hardlink" ? normalisePath(entry.linkName) : "",
    xattrs: xattrs.length > 0 ? JSON.stringify(xattrs) : "",
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
 * A layer's entries by path with hard links resolved inside the layer: every name of a
 * file has the file's own facts and the group of its names, whichever of them the
 * archive wrote as the file. A link to a file of a lower layer stays a link. Of entries
 * with one path the last counts.
 */
export function groupHardLinks(layer: readonly LayerEntry[]): Map<string, FlatEntry> {
  const entries = new Map(layer.map(({ path, facts }) => [path, facts]));
  const targetOf = (path: string): string => {
    let at = path;
    for (let steps = 0; steps < maxLinkSteps; steps += 1) {
      const facts = entries.get(at);
      if (facts?.type !== "hardlink" || !entries.has(facts.linkName) || facts.linkName === at) return at;
      at = facts.linkName;
    }
    return at;
  };
  const groups = new Map<string, string[]>();
  for (const path of entries.keys()) {
    const target = targetOf(path);
    const known = groups.get(target);
    if (known) known.push(path);
    else groups.set(target, [path]);
  }
  const grouped = new Map<string, FlatEntry>();
  for (const [target, paths] of groups) {
    const facts = entries.get(target);
    if (!facts) continue;
    const group = paths.length > 1 ? (paths.toSorted()[0] ?? "") : "";
    for (const path of paths) grouped.set(path, { ...facts, group });
  }
  return grouped;
}
