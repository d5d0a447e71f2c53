import { mismatch } from "../errors.ts";
import type { Digest } from "../oci/digest.ts";
import type { PlatformName } from "../oci/platform.ts";
import type { Descriptor } from "../oci/types.ts";
import type { LoadedContext, LoadedRelease, LoadedToolchain } from "../recipe/load.ts";
import { findBuild } from "./build-platform.ts";
import { prepareSource, prepareToolchain } from "./prepare.ts";
import type { Factory, PreparedContexts, ReleaseInputs } from "./types.ts";

/** Builds platforms of a release that another needs, and gives their manifests in the store. */
export type BuildNeeded = (
  inputs: ReleaseInputs,
  platforms: readonly PlatformName[],
  factory: Factory,
) => Promise<ReadonlyMap<PlatformName, Descriptor>>;

/**
 * Puts the contexts of a release in place for some platforms: stages sources, obtains
 * toolchains, and builds the images of other recipes that are not in the store. `use` says
 * whose contexts: the builds', or those that only smoke tests use. Throws a mismatch error
 * when an image is not the one that the release pins.
 */
export async function prepareContexts(
  inputs: ReleaseInputs,
  platforms: readonly PlatformName[],
  use: "build" | "smoke",
  build: BuildNeeded,
  factory: Factory,
): Promise<PreparedContexts> {
  const folders: Record<string, string> = {};
  const shared: Record<string, Descriptor> = {};
  const byPlatform = new Map<PlatformName, Record<string, Descriptor>>();
  for (const [name, context] of Object.entries(inputs.contexts)) {
    if (useOf(context) !== use) continue;
    if (context.kind === "source") folders[name] = (await prepareSource(context, factory)).folder;
    else if (context.kind === "toolchain") shared[name] = (await obtainMaker(context, build, factory)).image;
    else {
      const images = await obtainRecipeImages(context.release, context.pin.manifests, platforms, build, factory);
      for (const [platform, image] of images) byPlatform.set(platform, { ...byPlatform.get(platform), [name]: image });
    }
  }
  return { folders, images: (platform) => ({ ...shared, ...byPlatform.get(platform) }) };
}

function useOf(context: LoadedContext): "build" | "smoke" {
  return context.kind === "toolchain" ? context.use : "build";
}

/** Gives a toolchain's image: of a recipe, of a registry, or made from its packages. */
export async function obtainMaker(
  made: LoadedToolchain,
  build: BuildNeeded,
  factory: Factory,
): Promise<{ readonly image: Descriptor; readonly origin: string }> {
  const { toolchain, pin, release } = made;
  if (!("recipe" in toolchain) || !release) return prepareToolchain(made, factory);
  const { platform } = toolchain;
  const images = await obtainRecipeImages(release, { [platform]: pin.digest }, [platform], build, factory);
  const image = images.get(platform);
  if (!image) throw mismatch(`the recipe ${toolchain.recipe} gave no image for ${platform}`);
  return { image, origin: `the recipe ${toolchain.recipe} ${release.release.version}` };
}

/** The images of a release for some platforms, by the digests that another release pins. */
export async function obtainRecipeImages(
  needed: LoadedRelease,
  pinned: Readonly<Record<PlatformName, Digest>>,
  platforms: readonly PlatformName[],
  build: BuildNeeded,
  factory: Factory,
): Promise<ReadonlyMap<PlatformName, Descriptor>> {
  const images = new Map<PlatformName, Descriptor>();
  const missing: PlatformName[] = [];
  for (const platform of platforms) {
    const recorded = needed.release.expect?.platforms[platform];
    const known = recorded && (await findBuild(recorded.buildKey, factory));
    if (known && known.manifest.digest === pinned[platform]) images.set(platform, known.manifest);
    else missing.push(platform);
  }
  if (missing.length === 0) return images;
  const { recipe, release } = needed;
  const built = await build(needed, missing, factory);
  for (const platform of missing) {
    const image = built.get(platform);
    if (!image || image.digest !== pinned[platform]) {
      throw mismatch(
        `${recipe.image} ${release.version} for ${platform} is ${image?.digest ?? "not built"}, and ${pinned[platform] ?? "nothing"} is pinned`,
        {
          hint: `if ${recipe.image} changed on purpose, record it (refoundry rebuild ${recipe.image}@${release.version} --record) and pin what stands on it again`,
        },
      );
    }
    images.set(platform, image);
  }
  return images;
}
