import { runStage } from "../events.ts";
import { digestOf } from "../oci/digest.ts";
import { parsePlatform } from "../oci/platform.ts";
import { openLayoutRepository } from "../oci/layout-repository.ts";
import { parseReference, type RegistryReference } from "../oci/reference.ts";
import type { Repository } from "../oci/repository.ts";
import type { Descriptor } from "../oci/types.ts";
import { publishImages, type ReleaseImages, requireTagFree, tagRelease } from "../publish/publish-release.ts";
import type { ReleaseEntry } from "../publish/release-index.ts";
import { mayMoveReleaseTag, tagsToMove } from "../publish/release-tags.ts";
import type { JudgedPlatform } from "./judge-platforms.ts";
import type { PlatformWork } from "./platform-job.ts";
import type { Factory, ReleaseInputs } from "./types.ts";
import type { UpstreamState } from "./upstream-state.ts";

/** Where a release goes; `name` is how an outcome says it. */
export type Destination =
  | { readonly kind: "layout"; readonly path: string; readonly name: string }
  | { readonly kind: "registry"; readonly reference: RegistryReference; readonly name: string };

/**
 * The children of the release index: upstream's manifest where upstream has the platform,
 * ours where it does not. Undefined when a platform keeps the release from going out.
 */
export function releaseEntries(
  platforms: readonly JudgedPlatform[],
  work: readonly PlatformWork[],
  upstream: UpstreamState,
): ReleaseEntry[] | undefined {
  if (platforms.length === 0 || !platforms.every((platform) => platform.releasable)) return undefined;
  return platforms.map(({ platform, origin }) => {
    const built = work.find((item) => item.job.platform === platform)?.built?.manifest;
    const descriptor =
      origin === "upstream"
        ? upstream.manifests.get(platform)
        : built && { ...built, platform: parsePlatform(platform) };
    if (!descriptor) throw new Error(`${platform} is releasable without a manifest`);
    return { platform, origin, descriptor };
  });
}

/** The repository of a destination. */
export async function openDestination(destination: Destination, factory: Factory): Promise<Repository> {
  return destination.kind === "layout"
    ? openLayoutRepository(destination.path)
    : factory.registry.repository(destination.reference);
}

/** How a destination's image is named in statements: `HOST/NAME`, or the recipe's name in a layout on disk. */
export function imageNameOf(destination: Destination, recipe: string): string {
  if (destination.kind === "layout") return recipe;
  return `${destination.reference.host}/${destination.reference.repository}`;
}

/** The release as it is to go out: its index, and the manifests that this names. */
export interface AssembledRelease {
  readonly entries: readonly ReleaseEntry[];
  readonly images: ReleaseImages;
}

/** Puts a release's images in place, under no tag yet; what is there already is not sent. */
export async function placeImages(
  { images }: AssembledRelease,
  destination: Destination,
  to: Repository,
  inputs: ReleaseInputs,
  tag: string,
  factory: Factory,
): Promise<Descriptor> {
  const { store, signal, emit } = factory;
  const digest = digestOf(images.index);
  const { floating } = inputs.recipe.tags;
  // a layout on this machine is a result, not a place that others rely on
  const mayMove = destination.kind === "layout" || mayMoveReleaseTag(floating);
  return runStage(emit, { stage: "publish", title: `images to ${destination.name}` }, async () => {
    if (!mayMove) await requireTagFree(to, tag, digest, signal);
    const mountFrom = mountSource(inputs, destination);
    const published = await publishImages(images, store.blobs, to, {
      signal,
      ...(mountFrom !== undefined && { mountFrom }),
    });
    const reused = published.bytesWritten === 0;
    const wrote = reused ? "were there already" : `${(published.bytesWritten / 1e6).toFixed(1)} MB written`;
    return { value: published.index, detail: wrote, reused };
  });
}

/** Upstream's repository, where it is in the registry that the release goes to. */
function mountSource({ recipe }: ReleaseInputs, destination: Destination): string | undefined {
  if (destination.kind === "layout" || !("image" in recipe.upstream)) return undefined;
  const upstream = parseReference(recipe.upstream.image);
  const isNear = upstream.kind === "registry" && upstream.host === destination.reference.host;
  return isNear ? upstream.repository : undefined;
}

/** The last step: lets the release's tag, and the tags that follow it, name the index. */
export async function tagIndex(
  { images }: AssembledRelease,
  destination: Destination,
  to: Repository,
  inputs: ReleaseInputs,
  tag: string,
  factory: Factory,
): Promise<void> {
  const { recipe, release, versions } = inputs;
  const { signal, emit } = factory;
  const tags = [tag, ...tagsToMove(recipe.tags.floating, release.version, versions)];
  await runStage(emit, { stage: "publish", title: `tag ${destination.name}` }, async () => {
    const moved: string[] = [];
    for (const tag of tags) if (await tagRelease(images.index, to, tag, signal)) moved.push(tag);
    const reused = moved.length === 0;
    return { value: undefined, detail: `${digestOf(images.index)} is ${tags.join(", ")}`, reused };
  });
}
