import { infrastructureError, RefoundryError } from "../errors.ts";
import type { Digest } from "../oci/digest.ts";
import { openLayer, releaseChunk } from "../oci/layer.ts";
import { type TarHeader, walkTar } from "../oci/tar/walk.ts";
import type { ContentReader, Descriptor } from "../oci/types.ts";
import { isWhiteout, whiteoutPrefix } from "./entry.ts";

/** What is told of a layer while it is walked, in the archive's order. */
export interface LayerVisitor {
  /** An entry begins. `path` is without `./` before it and `/` behind it; the root is the empty path. */
  entry(header: TarHeader, path: string): void;
  /** A piece of the entry's content; its bytes are only there until the call returns. */
  content(piece: Uint8Array): void;
  /** The entry is whole. */
  endEntry(): void;
  /** What has to happen before more is read. Gives true when nothing more is wanted. */
  afterChunk?(): Promise<boolean>;
}

/** Linux's PATH_MAX: nothing unpacks what is longer. */
const maxPathBytes = 4096;
/** An image of more entries than this is refused: what is held of each has to fit into memory. */
const maxEntries = 1_000_000;
/** Global pax records that say nothing of what the entries are. */
const harmlessGlobals = /^(comment|mtime|atime|ctime|charset|hdrcharset)$/;

/**
 * Walks a layer's tar. Gives its diffID and the bytes after the last entry, or nothing
 * when the visitor wanted no more. Throws an infrastructure error for archives that
 * cannot be read, that runtimes refuse, or that readers read differently.
 */
export async function walkLayer(
  reader: ContentReader,
  layer: Descriptor,
  visitor: LayerVisitor,
  signal?: AbortSignal,
): Promise<{ readonly diffId: Digest; readonly padding: number } | undefined> {
  const open = openLayer(reader, layer, signal);
  const { feed, steps } = walkTar();
  let entries = 0;
  let end = 0;

  /** Walks as far as the bytes go that were fed. */
  function advance(): void {
    for (;;) {
      const step = steps.next();
      if (!step.done && !step.value) return;
      if (step.value instanceof Uint8Array) {
        visitor.content(step.value);
        continue;
      }
      if (entries > 0) visitor.endEntry();
      if (!step.value) return;
      const header = step.value;
      end = header.stored.offset + header.stored.size;
      const path = normalisePath(header.path);
      entries += 1;
      const problem = entries > maxEntries ? `has more than ${maxEntries} entries` : problemOf(header, path);
      if (problem !== undefined)
        throw infrastructureError(
          `${reader.name}: the layer ${layer.digest} ${problem}: ${JSON.stringify(header.path.slice(0, 200))}`,
        );
      visitor.entry(header, path);
    }
  }

  try {
    for await (const chunk of open.chunks) {
      feed.push(chunk);
      advance();
      if (await visitor.afterChunk?.()) return undefined;
      releaseChunk(chunk);
    }
    feed.end();
    advance();
    await visitor.afterChunk?.();
  } catch (cause) {
    if (!(cause instanceof RefoundryError) || cause.kind !== "infrastructure" || cause.message.includes(layer.digest))
      throw cause;
    throw infrastructureError(`${reader.name}: the layer ${layer.digest}: ${cause.message}`, { cause });
  }
  return { diffId: open.diffId(), padding: feed.position() - end };
}

/** A path without `./` before it and `/` behind it; the root is the empty path. */
export function normalisePath(path: string): string {
  if (!/^\.?\/|\/\.?\/|\/\.?$|^\.$/.test(path)) return path;
  const names = path.split("/").filter((name) => name !== "" && name !== ".");
  return names.join("/");
}

/** What makes an entry one that runtimes refuse, or that they and we might read differently. */
function problemOf(entry: TarHeader, path: string): string | undefined {
  if (path.includes("..") && path.split("/").includes("..")) return "has a path with .. in it";
  if (entry.rawPath.length > maxPathBytes || entry.linkName.length > maxPathBytes)
    return `has a path of more than ${maxPathBytes} bytes, which nothing unpacks`;
  if (entry.type !== "directory" && entry.rawPath.at(-1) === 0x2f)
    return `has a ${entry.type} whose name ends in a slash, which readers disagree about`;
  if (isWhiteout(path)) {
    const name = path.slice(path.lastIndexOf("/") + 1);
    if ([whiteoutPrefix, `${whiteoutPrefix}.`, `${whiteoutPrefix}..`].includes(name)) return "has an invalid whiteout";
  }
  if (entry.globalPax.size === 0) return undefined;
  const global = [...entry.globalPax.keys()].find((key) => !harmlessGlobals.test(key));
  return global === undefined
    ? undefined
    : `has a global pax record ${JSON.stringify(global)}, which runtimes ignore and tar applies`;
}
