import { infrastructureError, usageError } from "../../errors.ts";
import { hexOf } from "../digest.ts";
import type { ContentReader, ImageIndex, Json } from "../types.ts";
import { type ImageArchive, openArchive, parseListing, readerOf } from "./open-archive.ts";

/** An OCI image layout in a tar archive, open for reading. */
export interface OpenLayoutArchive {
  readonly reader: ContentReader;
  /** The layout's `index.json`. Its descriptors are not checked yet. */
  readonly index: ImageIndex;
  close(): Promise<void>;
}

/**
 * Opens an `oci-archive` (containers-transports(5)): the files of an OCI image layout
 * (image-spec, image-layout.md) as a tar archive. Throws a usage error when the file is
 * no such archive, and an infrastructure error when it is damaged.
 */
export async function openLayoutArchive(path: string, signal?: AbortSignal): Promise<OpenLayoutArchive> {
  const archive = await openArchive("oci-archive", path, signal);
  try {
    await requireMarker(archive, path, signal);
    const index = await readIndex(archive, signal);
    const reader = readerOf(archive, (digest, stop) => {
      const blob = archive.find(`blobs/sha256/${hexOf(digest)}`);
      return blob && archive.stream(blob, stop);
    });
    return { reader, index, close: archive.close };
  } catch (error) {
    await archive.close();
    throw error;
  }
}

async function requireMarker(archive: ImageArchive, path: string, signal: AbortSignal | undefined): Promise<void> {
  const marker = archive.find("oci-layout");
  if (!marker) {
    const isDocker = archive.find("manifest.json") !== undefined;
    throw usageError(`${path} is no OCI layout in an archive: it has no oci-layout file`, {
      hint: isDocker
        ? `it looks like what docker save writes: docker-archive:${path}`
        : "the layout's files stand at the top of the archive, in no folder",
    });
  }
  const parsed = parseListing(await archive.readSmall(marker, signal), `${archive.name}: oci-layout`);
  if (!isObject(parsed) || typeof parsed["imageLayoutVersion"] !== "string")
    throw infrastructureError(`${archive.name}: oci-layout does not say which version of the layout it is`);
}

async function readIndex(archive: ImageArchive, signal: AbortSignal | undefined): Promise<ImageIndex> {
  const found = archive.find("index.json");
  if (!found) throw infrastructureError(`${archive.name} has no index.json`);
  const parsed = parseListing(await archive.readSmall(found, signal), `${archive.name}: index.json`);
  if (!isObject(parsed) || !Array.isArray(parsed["manifests"]))
    throw infrastructureError(`${archive.name}: index.json is not an image index`);
  return parsed as unknown as ImageIndex;
}

function isObject(value: Json): value is { readonly [key: string]: Json } {
  return typeof value === "object" && value !== null && !Array.isArray(value);
}
