import { createHash } from "node:crypto";
import { join } from "node:path";
import { gzipSync, zstdCompressSync } from "node:zlib";
import { ensureLayout, type OciLayout } from "../../src/oci/layout.ts";
import { type TarInput, tarEntries } from "../../src/oci/tar/write.ts";
import { type Descriptor, mediaTypes } from "../../src/oci/types.ts";
import { temporaryFolder } from "./temporary.ts";

/** How a test image is made; layers are entries or a tar as it is. */
export interface TestImage {
  readonly layers: readonly (readonly TarInput[] | Uint8Array)[];
  readonly config?: Readonly<Record<string, unknown>>;
  /** Top-level fields of the config. */
  readonly top?: Readonly<Record<string, unknown>>;
  readonly compression?: "none" | "gzip" | "zstd";
  readonly gzipLevel?: number;
  readonly architecture?: string;
  /** What the config says of the diffIDs, when it lies. */
  readonly diffIds?: readonly string[];
  readonly annotations?: Readonly<Record<string, string>>;
}

/** An empty layout that goes with the test. */
export async function testLayout(): Promise<OciLayout> {
  return ensureLayout(join(await temporaryFolder(), "layout"));
}

/** Entries as one tar. */
export async function tarOf(entries: readonly TarInput[]): Promise<Buffer> {
  return Buffer.concat(await Array.fromAsync(tarEntries(entries)));
}

/** A file entry with sensible defaults. */
export function file(path: string, content = path, more: Partial<Omit<TarInput, "type">> = {}): TarInput {
  const bytes = Buffer.from(content);
  return { type: "file", path, mode: 0o644, uid: 0, gid: 0, mtime: 0, size: bytes.length, content: bytes, ...more };
}

/** A folder entry. */
export function folder(path: string, more: Partial<Omit<TarInput, "type">> = {}): TarInput {
  return { type: "directory", path, mode: 0o755, uid: 0, gid: 0, mtime: 0, ...more };
}

/** A symbolic or hard link. */
export function link(path: string, linkName: string, type: "symlink" | "hardlink" = "symlink"): TarInput {
  return { type, path, linkName, mode: type === "symlink" ? 0o777 : 0o644, uid: 0, gid: 0, mtime: 0 };
}

/** Writes an image and gives its manifest. */
export async function writeImage(layout: OciLayout, image: TestImage): Promise<Descriptor> {
  const layers: Descriptor[] = [];
  const diffIds: string[] = [];
  for (const layer of image.layers) {
    const tar = layer instanceof Uint8Array ? Buffer.from(layer) : await tarOf(layer);
    diffIds.push(`sha256:${createHash("sha256").update(tar).digest("hex")}`);
    const { compression = "none" } = image;
    if (compression === "gzip")
      layers.push(await layout.writeBytes(gzipSync(tar, { level: image.gzipLevel ?? 6 }), mediaTypes.layerGzip));
    else if (compression === "zstd") layers.push(await layout.writeBytes(zstdCompressSync(tar), mediaTypes.layerZstd));
    else layers.push(await layout.writeBytes(tar, mediaTypes.layer));
  }
  const architecture = image.architecture ?? "amd64";
  const rootfs = { type: "layers", diff_ids: image.diffIds ?? diffIds };
  const config = await layout.writeBytes(
    JSON.stringify({ architecture, os: "linux", ...(image.config && { config: image.config }), rootfs, ...image.top }),
    mediaTypes.config,
  );
  const manifest = {
    schemaVersion: 2,
    mediaType: mediaTypes.manifest,
    config,
    layers,
    ...(image.annotations && { annotations: image.annotations }),
  };
  return {
    ...(await layout.writeBytes(JSON.stringify(manifest), mediaTypes.manifest)),
    platform: { architecture, os: "linux" },
  };
}

/** Writes an index of manifests. */
export async function writeIndex(layout: OciLayout, manifests: readonly Descriptor[]): Promise<Descriptor> {
  return layout.writeBytes(
    JSON.stringify({ schemaVersion: 2, mediaType: mediaTypes.index, manifests }),
    mediaTypes.index,
  );
}
