import type { Digest } from "./digest.ts";

/** Media types of the OCI image-spec and their Docker counterparts. */
export const mediaTypes = {
  index: "application/vnd.oci.image.index.v1+json",
  manifest: "application/vnd.oci.image.manifest.v1+json",
  config: "application/vnd.oci.image.config.v1+json",
  layer: "application/vnd.oci.image.layer.v1.tar",
  layerGzip: "application/vnd.oci.image.layer.v1.tar+gzip",
  layerZstd: "application/vnd.oci.image.layer.v1.tar+zstd",
  dockerIndex: "application/vnd.docker.distribution.manifest.list.v2+json",
  dockerManifest: "application/vnd.docker.distribution.manifest.v2+json",
  dockerConfig: "application/vnd.docker.container.image.v1+json",
  dockerLayerGzip: "application/vnd.docker.image.rootfs.diff.tar.gzip",
  dockerLayer: "application/vnd.docker.image.rootfs.diff.tar",
  dockerForeignLayer: "application/vnd.docker.image.rootfs.foreign.diff.tar.gzip",
} as const;

/** image-spec platform object. */
export interface OciPlatform {
  readonly architecture: string;
  readonly os: string;
  readonly variant?: string;
  readonly "os.version"?: string;
  readonly "os.features"?: readonly string[];
}

/** image-spec descriptor. */
export interface Descriptor {
  readonly mediaType: string;
  readonly digest: Digest;
  readonly size: number;
  readonly platform?: OciPlatform;
  readonly annotations?: Readonly<Record<string, string>>;
  readonly artifactType?: string;
  readonly data?: string;
  readonly urls?: readonly string[];
}

/** image-spec image index (or a Docker manifest list). */
export interface ImageIndex {
  readonly schemaVersion: 2;
  readonly mediaType?: string;
  readonly artifactType?: string;
  readonly manifests: readonly Descriptor[];
  readonly subject?: Descriptor;
  readonly annotations?: Readonly<Record<string, string>>;
}

/** image-spec image manifest (or a Docker schema 2 manifest). */
export interface ImageManifest {
  readonly schemaVersion: 2;
  readonly mediaType?: string;
  readonly artifactType?: string;
  readonly config: Descriptor;
  readonly layers: readonly Descriptor[];
  readonly subject?: Descriptor;
  readonly annotations?: Readonly<Record<string, string>>;
}

/** JSON as it was parsed, for documents whose unknown keys must not be lost. */
export type Json = null | boolean | number | string | readonly Json[] | JsonObject;
/** A parsed JSON object. */
export interface JsonObject {
  readonly [key: string]: Json;
}

/**
 * Content that can be read by descriptor: an OCI layout, a registry repository, an
 * archive. Every byte is checked against the descriptor.
 */
export interface ContentReader {
  /** What this is, for messages: `oci:/path`, `registry.example/app`. */
  readonly name: string;
  /**
   * A small document (index, manifest, config), whole.
   * Throws when it is larger than `maxDocumentBytes`, missing, or not what its digest says.
   */
  readDocument(descriptor: Descriptor, signal?: AbortSignal): Promise<Uint8Array>;
  /**
   * A blob as a stream. Throws at the end of the iteration when size or digest are
   * wrong, so nothing read from it counts before that.
   */
  openBlob(descriptor: Descriptor, signal?: AbortSignal): AsyncIterable<Uint8Array>;
}

/** Largest manifest, index or config that is read (registries commonly allow 4 MiB). */
export const maxDocumentBytes = 4 * 1024 * 1024;
