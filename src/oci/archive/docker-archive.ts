import { infrastructureError, usageError } from "../../errors.ts";
import { createDigester, type Digest, digestOf, isDigest } from "../digest.ts";
import { type ContentReader, type Descriptor, type ImageManifest, type Json, mediaTypes } from "../types.ts";
import { compressionOf, magicBytes } from "./compression.ts";
import type { ArchiveMember } from "./members.ts";
import { type ImageArchive, openArchive, parseListing, readerOf } from "./open-archive.ts";

/** One image of a Docker archive, as `manifest.json` lists it. */
export interface DockerArchiveImage {
  /** `RepoTags`: `app:1.0`; an image without a name has none. */
  readonly names: readonly string[];
  /** The member that is its config. */
  readonly config: string;
  /** The members that are its layers, lowest first. */
  readonly layers: readonly string[];
}

/** What `docker save` wrote, open for reading. */
export interface OpenDockerArchive {
  /** Reads the images that were described. */
  readonly reader: ContentReader;
  readonly images: readonly DockerArchiveImage[];
  /**
   * Makes an image's manifest, which such an archive lacks, of what is there: the config
   * by its digest, an uncompressed layer by the diffID that the config says (checked when
   * it is read), a compressed one by its digest, for which it is read once.
   */
  describe(image: DockerArchiveImage, signal?: AbortSignal): Promise<Descriptor>;
  close(): Promise<void>;
}

interface Blobs {
  readonly archive: ImageArchive;
  readonly members: Map<Digest, ArchiveMember>;
  /** Made here: the manifests, which the archive lacks. */
  readonly manifests: Map<Digest, Buffer>;
}

const limits = { images: 1000, layers: 1000 } as const;
const layerTypes = {
  none: mediaTypes.dockerLayer,
  gzip: mediaTypes.dockerLayerGzip,
  zstd: "application/vnd.docker.image.rootfs.diff.tar.zstd",
} as const;

/**
 * Opens a `docker-archive` (containers-transports(5)): `manifest.json`, and the configs
 * and layers that it names, as docker save, podman save, skopeo and crane write them.
 * Throws a usage error when the file is no such archive, and an infrastructure error
 * when it is damaged.
 */
export async function openDockerArchive(path: string, signal?: AbortSignal): Promise<OpenDockerArchive> {
  const archive = await openArchive("docker-archive", path, signal);
  try {
    const images = await readImages(archive, path, signal);
    const blobs: Blobs = { archive, members: new Map(), manifests: new Map() };
    return {
      images,
      reader: readerOf(archive, (digest, stop) => openFrom(blobs, digest, stop)),
      describe: (image, stop) => describeImage(blobs, image, stop),
      close: archive.close,
    };
  } catch (error) {
    await archive.close();
    throw error;
  }
}

function openFrom(
  { archive, members, manifests }: Blobs,
  digest: Digest,
  signal: AbortSignal | undefined,
): AsyncIterable<Uint8Array> | undefined {
  const manifest = manifests.get(digest);
  if (manifest) return only(manifest);
  const member = members.get(digest);
  return member && archive.stream(member, signal);
}

async function* only(bytes: Uint8Array): AsyncGenerator<Uint8Array> {
  yield bytes;
}

async function readImages(
  archive: ImageArchive,
  path: string,
  signal: AbortSignal | undefined,
): Promise<DockerArchiveImage[]> {
  const listing = archive.find("manifest.json");
  if (!listing) {
    const isLayout = archive.find("oci-layout") !== undefined;
    throw usageError(`${path} is not what docker save writes: it has no manifest.json`, {
      hint: isLayout ? `it is an OCI layout: oci-archive:${path}` : "Docker before 1.10 wrote none: save it again",
    });
  }
  const parsed = parseListing(await archive.readSmall(listing, signal), `${archive.name}: manifest.json`);
  const images = Array.isArray(parsed) ? parsed.map(imageOf) : [undefined];
  const valid = images.filter((image) => image !== undefined);
  if (valid.length !== images.length || valid.length > limits.images)
    throw infrastructureError(
      `${archive.name}: manifest.json is no list of at most ${limits.images} images, each with Config, RepoTags and Layers`,
    );
  return valid;
}

function imageOf(entry: Json): DockerArchiveImage | undefined {
  const { Config: config, RepoTags: names, Layers: layers } = (entry ?? {}) as { readonly [key: string]: Json };
  // Go writes a list that was never filled as null
  const [tags, files] = [names ?? [], layers ?? []];
  const isValid = typeof config === "string" && isTexts(tags) && isTexts(files) && files.length <= limits.layers;
  return isValid ? { names: tags, config, layers: files } : undefined;
}

function isTexts(value: Json | undefined): value is readonly string[] {
  return Array.isArray(value) && value.every((item) => typeof item === "string");
}

async function describeImage(
  blobs: Blobs,
  image: DockerArchiveImage,
  signal: AbortSignal | undefined,
): Promise<Descriptor> {
  const { config, diffIds } = await readConfig(blobs, image, signal);
  const layers: Descriptor[] = [];
  for (const [position, diffId] of diffIds.entries())
    layers.push(await describeLayer(blobs, image.layers[position] ?? "", diffId, signal));
  const manifest: ImageManifest = { schemaVersion: 2, mediaType: mediaTypes.dockerManifest, config, layers };
  const bytes = Buffer.from(JSON.stringify(manifest));
  const digest = digestOf(bytes);
  blobs.manifests.set(digest, bytes);
  return { mediaType: mediaTypes.dockerManifest, digest, size: bytes.length };
}

async function readConfig(
  { archive, members }: Blobs,
  image: DockerArchiveImage,
  signal: AbortSignal | undefined,
): Promise<{ readonly config: Descriptor; readonly diffIds: readonly Digest[] }> {
  const member = requireMember(archive, image.config);
  const bytes = await archive.readSmall(member, signal);
  const digest = digestOf(bytes);
  // docker save and most others name a config by its digest
  const named = /(?:^|[/:])([0-9a-f]{64})(?:\.json)?$/.exec(image.config)?.[1];
  if (named !== undefined && digest !== `sha256:${named}`)
    throw infrastructureError(
      `${archive.name}: the config ${image.config} has digest ${digest}: the content was changed or damaged`,
    );
  const diffIds = diffIdsOf(bytes);
  if (diffIds?.length !== image.layers.length)
    throw infrastructureError(
      `${archive.name}: manifest.json lists ${image.layers.length} layers, and the config ${image.config} has ${diffIds ? diffIds.length : "no valid"} diffIDs`,
    );
  members.set(digest, member);
  return { config: { mediaType: mediaTypes.dockerConfig, digest, size: member.size }, diffIds };
}

/** `rootfs.diff_ids` of a config (image-spec, config.md), or nothing when it is not as it should be. */
function diffIdsOf(config: Buffer): readonly Digest[] | undefined {
  try {
    const { rootfs } = JSON.parse(config.toString("utf8")) as { readonly rootfs?: { readonly diff_ids?: Json } };
    const diffIds = rootfs?.diff_ids ?? [];
    return isTexts(diffIds) && diffIds.every(isDigest) ? diffIds : undefined;
  } catch {
    return undefined;
  }
}

async function describeLayer(
  { archive, members }: Blobs,
  name: string,
  diffId: Digest,
  signal: AbortSignal | undefined,
): Promise<Descriptor> {
  const member = requireMember(archive, name);
  const start = archive.stream({ ...member, size: Math.min(magicBytes, member.size) }, signal);
  const compression = compressionOf(Buffer.concat(await Array.fromAsync(start)));
  if (compression === "xz" || compression === "bzip2")
    throw infrastructureError(`${archive.name}: the layer ${name} is compressed with ${compression}, as no image is`);
  const known = members.get(diffId);
  const isElsewhere = known !== undefined && known.offset !== member.offset;
  // only the first file of a digest is read later, so a second one is checked now
  const isHashed = compression !== "none" || isElsewhere;
  const digest = isHashed ? await digestOfMember(archive, member, signal) : diffId;
  if (compression === "none" && digest !== diffId)
    throw infrastructureError(`${archive.name}: the layer ${name} has digest ${digest}, and its config says ${diffId}`);
  if (!members.has(digest)) members.set(digest, member);
  return { mediaType: layerTypes[compression], digest, size: member.size };
}

async function digestOfMember(archive: ImageArchive, member: ArchiveMember, signal?: AbortSignal): Promise<Digest> {
  const digester = createDigester();
  for await (const chunk of archive.stream(member, signal)) digester.update(chunk);
  return digester.digest();
}

function requireMember(archive: ImageArchive, name: string): ArchiveMember {
  const member = archive.find(name);
  if (!member) throw infrastructureError(`${archive.name} lacks ${name}, which its manifest.json names`);
  return member;
}
