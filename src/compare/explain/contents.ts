import { hash, randomUUID } from "node:crypto";
import { type FileHandle, open, rm } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { infrastructureError } from "../../errors.ts";
import type { ContentReader, Descriptor } from "../../oci/types.ts";
import type { EntryFacts, LayerEntry } from "../entry.ts";
import type { Tree } from "../flatten.ts";
import { walkLayer } from "../walk-layer.ts";

/** One side's layers as they were read the first time. */
export interface ReadLayers {
  readonly reader: ContentReader;
  readonly layers: readonly { readonly layer: Descriptor; readonly entries: readonly LayerEntry[] }[];
}

/** One side of what is to be explained. */
export interface ExplainedSide {
  readonly layers: ReadLayers;
  readonly tree: Tree;
}

/**
 * Contents of files that were read a second time, kept in one file of our own that no
 * image names, and that is gone with the process whatever happens.
 */
export interface ContentStore {
  /** Reads what is wanted and not there yet from the layers, and keeps it. */
  gather(sides: readonly ReadLayers[], wanted: Iterable<EntryFacts>, signal?: AbortSignal): Promise<void>;
  /** A file's whole content; nothing when it was not gathered. */
  read(facts: EntryFacts): Promise<Buffer | undefined>;
  close(): Promise<void>;
}

/** Bounds on what is looked into; what lies beyond stays unexplained. */
export interface ContentLimits {
  /** Largest file, in bytes. */
  readonly fileBytes: number;
  /** All files together, in bytes. */
  readonly totalBytes: number;
}

/** Makes an empty store. */
export async function openContentStore(limits: ContentLimits): Promise<ContentStore> {
  const path = join(tmpdir(), `refoundry-contents-${randomUUID()}`);
  const file = await open(path, "wx+", 0o600);
  // without a name it cannot be left behind
  await rm(path);
  const places = new Map<string, { readonly offset: number; readonly size: number }>();
  let end = 0;

  async function keep(facts: EntryFacts, pieces: readonly Uint8Array[]): Promise<void> {
    if (places.has(facts.content)) return;
    const bytes = Buffer.concat(pieces);
    if (bytes.length !== facts.size || hash("sha256", bytes, "binary") !== facts.content)
      throw infrastructureError("a layer had other content when it was read again");
    await writeAll(file, bytes, end);
    places.set(facts.content, { offset: end, size: bytes.length });
    end += bytes.length;
  }

  return {
    async gather(sides, wanted, signal) {
      const missing = new Set<string>();
      let budget = limits.totalBytes - end;
      for (const { content, size } of wanted) {
        if (content === "" || places.has(content) || missing.has(content)) continue;
        if (size > limits.fileBytes || size > budget) continue;
        budget -= size;
        missing.add(content);
      }
      for (const { reader, layers } of sides)
        for (const { layer, entries } of layers) await gatherFrom(reader, layer, entries, missing, keep, signal);
    },
    async read({ content }) {
      const place = places.get(content);
      if (!place) return undefined;
      const bytes = Buffer.allocUnsafe(place.size);
      const { bytesRead } = await file.read(bytes, 0, place.size, place.offset);
      if (bytesRead !== place.size) throw infrastructureError("a file of kept contents lost its end");
      return bytes;
    },
    close: () => file.close(),
  };
}

/** Reads a layer as far as it has something that is missing. */
async function gatherFrom(
  reader: ContentReader,
  layer: Descriptor,
  entries: readonly LayerEntry[],
  missing: Set<string>,
  keep: (facts: EntryFacts, pieces: readonly Uint8Array[]) => Promise<void>,
  signal?: AbortSignal,
): Promise<void> {
  const last = entries.findLastIndex((entry) => missing.has(entry.content));
  if (last === -1) return;
  let position = -1;
  let pieces: Uint8Array[] | undefined;
  let ready: { readonly facts: EntryFacts; readonly pieces: readonly Uint8Array[] }[] = [];
  await walkLayer(
    reader,
    layer,
    {
      entry() {
        position += 1;
        pieces = missing.has(entries[position]?.content ?? "") ? [] : undefined;
      },
      content: (piece) => pieces?.push(Buffer.from(piece)),
      endEntry() {
        const facts = entries[position];
        if (!pieces || !facts) return;
        ready.push({ facts, pieces });
        missing.delete(facts.content);
        pieces = undefined;
      },
      async afterChunk() {
        const whole = ready;
        ready = [];
        for (const item of whole) await keep(item.facts, item.pieces);
        return position > last;
      },
    },
    signal,
  );
}

async function writeAll(file: FileHandle, bytes: Buffer, position: number): Promise<void> {
  for (let at = 0; at < bytes.length; )
    at += (await file.write(bytes, at, bytes.length - at, position + at)).bytesWritten;
}
