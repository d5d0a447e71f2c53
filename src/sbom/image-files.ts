import { type AttributeTable, createAttributeTable, type EntryFacts } from "../compare/entry.ts";
import { type ContentStore, openContentStore } from "../compare/explain/contents.ts";
import { flattenLayers, visitTree } from "../compare/flatten.ts";
import { readLayerPair } from "../compare/read-layers.ts";
import { readImage } from "../compare/resolve.ts";
import type { ContentReader, Descriptor } from "../oci/types.ts";
import { compareText } from "./text.ts";

/** A file of the flattened image. */
export interface ImageFile {
  /** Without a slash before it. */
  readonly path: string;
  readonly facts: EntryFacts;
}

/** An image's file system with the contents that were asked for. */
export interface ImageFiles {
  /** Regular files by path, in code-unit order. */
  readonly files: readonly ImageFile[];
  /** Reads files into the store, as far as its bounds go. */
  gather(files: readonly ImageFile[]): Promise<void>;
  /** A whole file; nothing for one that was not gathered, or is beyond the bounds. */
  read(file: ImageFile): Promise<Buffer | undefined>;
}

/** Largest file that is looked into, in bytes. */
export const maxFileBytes = 256 * 1024 ** 2;
const maxTotalBytes = 4 * 1024 ** 3;

/**
 * Flattens an image's layers, whiteouts applied, and hands its files to `use`. Layers are
 * checked against the diffIDs of the config. Throws an infrastructure error for an image
 * that cannot be read or that no runtime would unpack.
 */
export async function withImageFiles<T>(
  reader: ContentReader,
  manifest: Descriptor,
  use: (files: ImageFiles) => Promise<T>,
  signal: AbortSignal,
): Promise<T> {
  const image = await readImage(reader, manifest, signal);
  const attributes: AttributeTable = createAttributeTable();
  const side = { reader, descriptor: manifest, image };
  // what both sides of a pair name is read once
  const read = await readLayerPair(side, side, attributes, signal);
  const layers = image.manifest.layers.map((layer, position) => ({
    layer,
    entries: read.get(image.diffIds[position] ?? "")?.entries ?? [],
  }));
  const tree = flattenLayers(
    layers.map(({ entries }) => entries),
    attributes,
  );
  const files: ImageFile[] = [];
  visitTree(tree.root, (path, { facts }) => {
    if (facts.attributes.type === "file") files.push({ path, facts });
  });
  files.sort((a, b) => compareText(a.path, b.path));
  const store: ContentStore = await openContentStore({ fileBytes: maxFileBytes, totalBytes: maxTotalBytes });
  try {
    return await use({
      files,
      gather: (wanted) =>
        store.gather(
          [{ reader, layers }],
          wanted.map(({ facts }) => facts),
          signal,
        ),
      read: ({ facts }) => store.read(facts),
    });
  } finally {
    await store.close();
  }
}
