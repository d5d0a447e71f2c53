import { readImage, resolveChildren } from "../compare/resolve.ts";
import { infrastructureError, messageOf, RefoundryError } from "../errors.ts";
import { copyImage } from "../oci/copy-image.ts";
import { isDigest } from "../oci/digest.ts";
import { resolveReference } from "../oci/open-reference.ts";
import { isPlatformName, type PlatformName } from "../oci/platform.ts";
import { formatReference, type Reference } from "../oci/reference.ts";
import type { RegistryClient } from "../oci/registry/client.ts";
import type { ContentReader, Descriptor, ImageManifest } from "../oci/types.ts";
import { readImagePackages } from "../sbom/components.ts";
import { type ImageFile, type ImageFiles, withImageFiles } from "../sbom/image-files.ts";
import { osReleasePaths } from "../sbom/os-release.ts";
import type { Store } from "../store/store.ts";
import { readGoProgram } from "./go-settings.ts";
import { readRuntimeConfig } from "./image-config.ts";
import { shown } from "./text.ts";
import type { GoProgram, ImageFacts, SeenFile } from "./types.ts";

/** Where a live image is read, and where its blobs are kept for the rebuild that follows. */
export interface InspectContext {
  readonly registry: RegistryClient;
  readonly store: Store;
  readonly signal: AbortSignal;
  /** Told of each blob that is pulled. */
  readonly onBlob?: (blob: Descriptor) => void;
}

/** Images whose layers have more bytes than this are not looked into. */
const maxLayerBytes = 4 * 1024 ** 3;
const maxShownFiles = 40;
const maxShownPrograms = 20;
const maxOsReleaseBytes = 64 * 1024;
const shells = /^(?:usr\/)?bin\/(?:sh|ash|bash|dash|busybox|ksh|zsh)$/;

/**
 * Looks at a live image: its platforms, its config, its packages and programs. Files are
 * read of one platform, linux/amd64 where there is one. Throws as {@link resolveReference}
 * does, and an infrastructure error for an image that no runtime would run.
 */
export async function inspectImage(reference: Reference, context: InspectContext): Promise<ImageFacts> {
  const { registry, signal } = context;
  const { reader, descriptor, close } = await resolveReference(reference, registry, signal);
  try {
    const { indexes, children } = await resolveChildren({ reader, descriptor }, signal);
    const images = children.flatMap((child) => (child.kind === "image" ? [child] : []));
    const usable = images.filter(({ platform }) => isPlatformName(platform) && platform.startsWith("linux/"));
    const platforms = [...new Set(usable.map(({ platform }) => platform))];
    const looked = platforms.find((platform) => platform === "linux/amd64") ?? platforms[0];
    const chosen = usable.find(({ platform }) => platform === looked);
    if (looked === undefined || !chosen)
      throw infrastructureError(`${formatReference(reference)} has no image for Linux, and nothing else is built here`);
    const image = await readImage(reader, chosen.descriptor, signal);
    const config = readRuntimeConfig(image.config);
    const annotations = [
      image.manifest.annotations,
      chosen.descriptor.annotations,
      ...indexes.map(({ index }) => index.annotations),
      Object.fromEntries(config.labels),
    ];
    const contents = await lookInside(reader, { ...chosen.descriptor }, looked, image.manifest, context);
    const base = baseOf(annotations);
    return {
      reference,
      descriptor,
      platforms,
      otherPlatforms: [...new Set(images.map(({ platform }) => platform))]
        .filter((platform) => !platforms.includes(platform))
        .map((platform) => shown(platform, 64)),
      looked,
      config,
      ...(base && { base }),
      ...contents,
    };
  } catch (error) {
    if (signal.aborted || error instanceof RefoundryError) throw error;
    // half-formed documents of others must not look like a defect of ours
    throw infrastructureError(`${formatReference(reference)} cannot be read: ${shown(messageOf(error))}`, {
      cause: error,
    });
  } finally {
    await close?.();
  }
}

type Inside = Pick<ImageFacts, "distribution" | "hasShell" | "packages" | "go" | "programs" | "files" | "gaps">;

async function lookInside(
  reader: ContentReader,
  manifest: Descriptor,
  platform: PlatformName,
  { layers }: ImageManifest,
  { store, signal, onBlob }: InspectContext,
): Promise<Inside> {
  const size = layers.reduce((sum, layer) => sum + layer.size, 0);
  const nothing = { packages: [], programs: [], files: [] };
  if (size > maxLayerBytes)
    return { ...nothing, gaps: [`its layers have ${size} bytes, so its files were not looked at`] };
  const copied = await copyImage(reader, manifest, store.blobs, { platform, signal, ...(onBlob && { onBlob }) });
  const { packages, programs, gaps } = await readImagePackages(store.blobs, copied, signal);
  const goPaths = new Set(packages.flatMap((found) => (found.type === "golang" ? found.programs : [])));
  const seen = await withImageFiles(store.blobs, copied, (files) => readFiles(files, goPaths), signal);
  const counts = (["deb", "apk"] as const).map((type) => ({
    type,
    count: packages.filter((found) => found.type === type).length,
  }));
  return {
    ...seen,
    packages: counts.filter(({ count }) => count > 0),
    programs: programs
      .toSorted((a, b) => b.size - a.size)
      .slice(0, maxShownPrograms)
      .map((program) => ({ path: shown(program.path), size: program.size })),
    gaps: gaps.slice(0, 20).map((gap) => shown(gap)),
  };
}

async function readFiles(
  image: ImageFiles,
  goPaths: ReadonlySet<string>,
): Promise<Pick<Inside, "distribution" | "hasShell" | "go" | "files">> {
  const { files } = image;
  const release = osReleasePaths
    .map((path) => files.find((file) => file.path === path && file.facts.size <= maxOsReleaseBytes))
    .find((file) => file !== undefined);
  // the largest is what the image is there for
  const candidates = files
    .filter((file) => goPaths.has(`/${file.path}`))
    .toSorted((a, b) => b.facts.size - a.facts.size)
    .slice(0, 1);
  await image.gather([...(release ? [release] : []), ...candidates]);
  const distribution = release && distributionOf(await image.read(release));
  const go = await firstGoProgram(image, candidates);
  return {
    hasShell: files.some(({ path }) => shells.test(path)),
    files: files.length > maxShownFiles ? [] : files.map(seenFile),
    ...(distribution !== undefined && { distribution }),
    ...(go && { go }),
  };
}

async function firstGoProgram(image: ImageFiles, files: readonly ImageFile[]): Promise<GoProgram | undefined> {
  for (const file of files) {
    const bytes = await image.read(file);
    const program = bytes && readGoProgram(shown(`/${file.path}`), bytes);
    if (program) return program;
  }
  return undefined;
}

function seenFile({ path, facts }: ImageFile): SeenFile {
  return { path: shown(`/${path}`), size: facts.size };
}

function distributionOf(bytes: Buffer | undefined): string | undefined {
  const text = bytes?.toString("utf8") ?? "";
  for (const field of ["PRETTY_NAME", "ID"]) {
    const value = new RegExp(`^${field}=["']?([^"'\\n]+)["']?\\s*$`, "m").exec(text)?.[1]?.trim();
    if (value !== undefined && value !== "") return shown(value, 100);
  }
  return undefined;
}

function baseOf(
  places: readonly (Readonly<Record<string, unknown>> | undefined)[],
): { name: string; digest?: `sha256:${string}` } | undefined {
  for (const place of places) {
    const name = place?.["org.opencontainers.image.base.name"];
    if (typeof name !== "string" || name === "") continue;
    const digest = place?.["org.opencontainers.image.base.digest"];
    return { name: shown(name), ...(typeof digest === "string" && isDigest(digest) && { digest }) };
  }
  return undefined;
}
