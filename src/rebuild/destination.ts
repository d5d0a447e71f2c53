import { runStage } from "../events.ts";
import { parsePlatform } from "../oci/platform.ts";
import type { RegistryReference } from "../oci/reference.ts";
import type { Descriptor } from "../oci/types.ts";
import { publishToLayout } from "../publish/publish-layout.ts";
import { publishToRegistry } from "../publish/publish-registry.ts";
import type { ReleaseEntry } from "../publish/release-index.ts";
import type { JudgedPlatform } from "./judge-platforms.ts";
import type { PlatformWork } from "./platform-job.ts";
import type { Factory } from "./types.ts";
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

/** Publishes the release index and all it names; a release that is there already is a success. */
export async function publishRelease(
  index: Uint8Array,
  entries: readonly ReleaseEntry[],
  tag: string,
  destination: Destination,
  factory: Factory,
): Promise<Descriptor> {
  const release = { index, manifests: entries.map((entry) => entry.descriptor), tag };
  const { store, signal, emit } = factory;
  return runStage(emit, { stage: "publish", title: `release to ${destination.name}` }, async () => {
    const published =
      destination.kind === "layout"
        ? await publishToLayout(release, store.blobs, destination.path, signal)
        : await publishToRegistry(release, store.blobs, factory.registry.repository(destination.reference), signal);
    const reused = published.bytesWritten === 0;
    const wrote = reused ? "was there already" : `${(published.bytesWritten / 1e6).toFixed(1)} MB written`;
    return { value: published.index, detail: `${published.index.digest}, ${wrote}`, reused };
  });
}
