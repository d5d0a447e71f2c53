import type { Digest } from "./digest.ts";
import type { OciLayout } from "./layout.ts";
import type { ContentReader, Descriptor, ImageIndex, ImageManifest } from "./types.ts";

/** Reads an image manifest. Throws when it cannot be read or is not what its digest says. */
export async function readManifest(
  reader: ContentReader,
  descriptor: Descriptor,
  signal?: AbortSignal,
): Promise<ImageManifest> {
  return JSON.parse(Buffer.from(await reader.readDocument(descriptor, signal)).toString("utf8")) as ImageManifest;
}

/** Reads an image index. Throws when it cannot be read or is not what its digest says. */
export async function readIndex(
  reader: ContentReader,
  descriptor: Descriptor,
  signal?: AbortSignal,
): Promise<ImageIndex> {
  return JSON.parse(Buffer.from(await reader.readDocument(descriptor, signal)).toString("utf8")) as ImageIndex;
}

/** Whether a layout has an image whole: its manifest, its config and every layer, by size. */
export async function hasImage(layout: OciLayout, manifest: Descriptor): Promise<boolean> {
  if (!(await layout.has(manifest))) return false;
  const { config, layers } = await readManifest(layout, manifest);
  for (const blob of [config, ...layers]) if (!(await layout.has(blob))) return false;
  return true;
}

/** A time in seconds as configs carry it: RFC 3339, UTC, whole seconds. */
export function configTime(seconds: number): string {
  return new Date(seconds * 1000).toISOString().replace(".000Z", "Z");
}

/** The parts of an image config that are read here. */
export interface ImageConfig {
  readonly config?: Readonly<Record<string, unknown>>;
  readonly rootfs: { readonly diff_ids: readonly Digest[] };
  readonly created?: string;
  readonly history?: readonly { readonly created?: string }[];
}

/** Reads an image config of a layout that we wrote. Throws when it cannot be read or is not what its digest says. */
export async function readConfig(
  reader: ContentReader,
  descriptor: Descriptor,
  signal?: AbortSignal,
): Promise<ImageConfig> {
  return JSON.parse(Buffer.from(await reader.readDocument(descriptor, signal)).toString("utf8")) as ImageConfig;
}
