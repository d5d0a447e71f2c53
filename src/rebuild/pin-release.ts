import { usageError } from "../errors.ts";
import { runStage } from "../events.ts";
import type { PlatformName } from "../oci/platform.ts";
import type { Descriptor } from "../oci/types.ts";
import { loadReleaseInputs } from "../recipe/load.ts";
import type { ContextPin, Recipe, Release, Source } from "../recipe/schema.ts";
import { pinContexts, pinSource, pinToolchain } from "./pin-inputs.ts";
import { pinUpstream } from "./pin-upstream.ts";
import { imagesOfRecipe } from "./run-builds.ts";
import type { Factory } from "./types.ts";

/** What is to be pinned. */
export interface PinRequest {
  readonly root: string;
  readonly recipe: Recipe;
  readonly source: Source;
  /** Upstream's version, as in 0.19.0: the tag of its image, too. */
  readonly version: string;
  /** The source's commit, where it is known; else it is the version's tag. */
  readonly commit?: string;
}

/**
 * Resolves every input of one upstream version as it is now: the source's commit, tree
 * and archive digest, the newest lock of the toolchain, upstream's index and manifests.
 */
export async function pinRelease(request: PinRequest, factory: Factory): Promise<Release> {
  const { recipe, version } = request;
  const main = await runStage(
    factory.emit,
    { stage: "source", title: `pin ${request.source.source} ${version}` },
    async () => {
      const names = [recipe.image];
      const { source, commit } = request;
      const value = await pinSource({ source, version, names, ...(commit !== undefined && { commit }) }, factory);
      return { value, detail: `commit ${value.pin.commit}` };
    },
  );
  const toolchain = await pinToolchain(request.root, recipe.toolchain);
  const { suite } = main;
  const contexts = await pinContexts(request.root, recipe, { version, ...(suite !== undefined && { suite }) }, factory);
  const upstream = await runStage(factory.emit, { stage: "upstream", title: "pin upstream's image" }, async () => {
    const value = await pinUpstream(request, () => imagesBelow(request, contexts, factory), factory);
    return { value, detail: value.digest };
  });
  return {
    version,
    source: main.pin,
    toolchain,
    ...(Object.keys(contexts).length > 0 && { contexts }),
    upstream,
  };
}

/** The images of our own that an upstream made from packages lies on. */
async function imagesBelow(
  { root, recipe }: PinRequest,
  contexts: Readonly<Record<string, ContextPin>>,
  factory: Factory,
): Promise<ReadonlyMap<PlatformName, Descriptor>> {
  const on = "debian" in recipe.upstream ? (recipe.upstream.debian.on ?? "") : "";
  const context = recipe.contexts[on];
  const pin = contexts[on];
  if (!context || !("recipe" in context) || !pin || !("recipe" in pin)) {
    throw usageError(`upstream.debian.on names ${on}, which is no context with a recipe`, {
      hint: `add it to the recipe's contexts: ${on}: {recipe: NAME}`,
    });
  }
  const today = new Date().toISOString().slice(0, 10);
  const { version, manifests } = pin.recipe;
  const needed = await loadReleaseInputs(root, context.recipe, { version, today });
  return imagesOfRecipe(needed, manifests, recipe.platforms.reproduce, factory);
}
