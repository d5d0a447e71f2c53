import { infrastructureError, usageError } from "../errors.ts";
import { type DockerArchiveImage, openDockerArchive, type OpenDockerArchive } from "./archive/docker-archive.ts";
import { openLayoutArchive } from "./archive/layout-archive.ts";
import { isDescriptor } from "./descriptor.ts";
import { openLayoutRepository } from "./layout-repository.ts";
import { openLayout } from "./layout.ts";
import {
  type DockerArchiveReference,
  formatReference,
  type LayoutArchiveReference,
  type LayoutReference,
  parseReference,
  type Reference,
} from "./reference.ts";
import type { Repository } from "./repository.ts";
import type { RegistryClient } from "./registry/client.ts";
import type { ContentReader, Descriptor } from "./types.ts";

const refName = "org.opencontainers.image.ref.name";

/** Content that was opened; what has a `close` holds a file until it is called. */
export interface OpenedReader extends ContentReader {
  close?(): Promise<void>;
}

/** An image or index, where it is read, and how to let go of it. */
export interface ResolvedReference {
  readonly reader: ContentReader;
  readonly descriptor: Descriptor;
  /** Of an archive: closes its file, after which nothing can be read any more. */
  close?(): Promise<void>;
}

/**
 * Opens what a reference names for reading by descriptor. The reader of an archive has a
 * `close`; a Docker archive has no manifests of its own, and gives those that are made
 * for its images, or for the one that is named. Throws as {@link resolveReference}.
 */
export async function openReference(
  reference: Reference,
  registry: RegistryClient,
  signal?: AbortSignal,
): Promise<OpenedReader> {
  switch (reference.kind) {
    case "registry":
      return registry.repository(reference);
    case "oci":
      return openLayout(reference.path);
    case "oci-archive": {
      const { reader, close } = await openLayoutArchive(reference.path, signal);
      return { ...reader, close };
    }
    case "docker-archive": {
      const archive = await openDockerArchive(reference.path, signal);
      return closedOnFailure(archive, async () => {
        const isAny = reference.image === undefined && reference.index === undefined;
        const images = isAny ? archive.images : [chooseImage(reference, archive.images)];
        for (const image of images) await archive.describe(image, signal);
        return { ...archive.reader, close: archive.close };
      });
    }
  }
}

/**
 * Finds what a reference names: by digest, by tag, by position, or the only entry of a
 * layout or an archive. Throws a usage error that lists what is there when the name is
 * not, and an infrastructure error when an archive is damaged.
 */
export async function resolveReference(
  reference: Reference,
  registry: RegistryClient,
  signal?: AbortSignal,
): Promise<ResolvedReference> {
  switch (reference.kind) {
    case "registry": {
      const reader = registry.repository(reference);
      const { descriptor } = await reader.resolve(reference.digest ?? reference.tag ?? "latest", signal);
      return { reader, descriptor };
    }
    case "oci": {
      const reader = await openLayout(reference.path);
      const { manifests } = await reader.readIndex();
      return { reader, descriptor: chooseEntry(reference, manifests) };
    }
    case "oci-archive": {
      const archive = await openLayoutArchive(reference.path, signal);
      return closedOnFailure(archive, async () => {
        const { reader, index, close } = archive;
        return { reader, descriptor: chooseEntry(reference, index.manifests), close };
      });
    }
    case "docker-archive": {
      const archive = await openDockerArchive(reference.path, signal);
      return closedOnFailure(archive, async () => {
        const descriptor = await archive.describe(chooseImage(reference, archive.images), signal);
        return { reader: archive.reader, descriptor, close: archive.close };
      });
    }
  }
}

/**
 * Opens the repository that a reference is in and finds what it names there, for what
 * needs tags and referrers too. Throws a usage error for an archive, which has none, and
 * as {@link resolveReference}.
 */
export async function openReferenceRepository(
  reference: Reference,
  registry: RegistryClient,
  signal?: AbortSignal,
): Promise<{ readonly repository: Repository; readonly descriptor: Descriptor }> {
  if (reference.kind === "oci-archive" || reference.kind === "docker-archive")
    throw usageError(`${formatReference(reference)} is an archive, which keeps nothing beside its images`, {
      hint: "name a registry's image, or one in an OCI layout (oci:PATH:TAG)",
    });
  const { descriptor } = await resolveReference(reference, registry, signal);
  const repository =
    reference.kind === "oci" ? await openLayoutRepository(reference.path) : registry.repository(reference);
  return { repository, descriptor };
}

async function closedOnFailure<T>(archive: { close(): Promise<void> }, work: () => Promise<T>): Promise<T> {
  try {
    return await work();
  } catch (error) {
    await archive.close();
    throw error;
  }
}

function chooseEntry(
  reference: LayoutReference | LayoutArchiveReference,
  manifests: readonly Descriptor[],
): Descriptor {
  const { tag } = reference;
  const digest = reference.kind === "oci" ? reference.digest : undefined;
  const entries = manifests.map((entry) => requireDescriptor(entry, reference));
  const images = entries.filter(
    (entry) => entry.artifactType === undefined || entry.annotations?.[refName] !== undefined,
  );
  // a layout keeps signatures and reports beside its images; only by digest is one of those meant
  const found = (digest ? entries : images).filter((entry) =>
    digest ? entry.digest === digest : tag === undefined || entry.annotations?.[refName] === tag,
  );
  const names = images.map((entry) => entry.annotations?.[refName] ?? entry.digest);
  return theOnly(found, reference, "layout", names);
}

/** Nothing that is no digest names a file. */
function requireDescriptor(entry: unknown, reference: Reference): Descriptor {
  if (isDescriptor(entry)) return entry;
  throw infrastructureError(
    `${formatReference(reference)}: index.json has a descriptor without a media type, sha256 digest and size`,
  );
}

function chooseImage(reference: DockerArchiveReference, images: OpenDockerArchive["images"]): DockerArchiveImage {
  const { image, index } = reference;
  const wanted = image === undefined ? undefined : fullName(image);
  const found = images.filter((candidate, position) =>
    index === undefined
      ? wanted === undefined || candidate.names.some((name) => fullName(name) === wanted)
      : position === index,
  );
  const names = images.map(({ names: [name] }, position) => name ?? `@${position}`);
  return theOnly(found, reference, "archive", names);
}

/** `app` as `docker.io/library/app:latest`; nothing for a text that is no image's name. */
function fullName(name: string): string | undefined {
  try {
    const reference = parseReference(`docker://${name}`);
    return formatReference(
      reference.kind === "registry" ? { ...reference, tag: reference.tag ?? "latest" } : reference,
    );
  } catch {
    return undefined;
  }
}

const listedNames = 20;

function theOnly<T>(found: readonly T[], reference: Reference, where: string, names: readonly string[]): T {
  const [first, ...others] = found;
  if (first !== undefined && others.length === 0) return first;
  const problem = first === undefined ? "names no image" : "names more than one image";
  const more = names.length > listedNames ? ` and ${names.length - listedNames} more` : "";
  const listed = names
    .slice(0, listedNames)
    .join(", ")
    .replaceAll(/[\p{Cc}\p{Cf}]/gu, "�");
  throw usageError(`${formatReference(reference)} ${problem}; the ${where} has ${listed || "none"}${more}`, {
    ...(names.length > 1 && { hint: "say which one after a colon" }),
  });
}
