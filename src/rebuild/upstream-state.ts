import { messageOf, RefoundryError, usageError } from "../errors.ts";
import { runStage } from "../events.ts";
import type { PlatformName } from "../oci/platform.ts";
import type { Descriptor } from "../oci/types.ts";
import { obtainUpstream } from "../upstream/obtain.ts";
import { imagesOfRecipe } from "./run-builds.ts";
import type { Factory, ReleaseInputs } from "./types.ts";

/** Upstream's manifests, or why they could not be had. */
export interface UpstreamState {
  readonly manifests: ReadonlyMap<PlatformName, Descriptor>;
  readonly origin: string;
  readonly unavailable?: string;
}

/**
 * Gets upstream's image for the platforms to reproduce. An upstream that is out of reach
 * is a state, not a throw: the rest is still worth building. One that is not what the
 * release pins throws.
 */
export async function obtainReleaseUpstream(inputs: ReleaseInputs, factory: Factory): Promise<UpstreamState> {
  if (inputs.recipe.platforms.reproduce.length === 0) return { manifests: new Map(), origin: "none" };
  const { upstream } = inputs.recipe;
  try {
    return await runStage(factory.emit, { stage: "upstream", title: "upstream's image" }, async () => {
      const obtained = await obtainUpstream(upstream, inputs.release.upstream, {
        ...factory,
        restore: () => factory.restore(inputs),
        below: () => imagesBelow(inputs, factory),
      });
      return {
        value: obtained,
        detail: `${obtained.manifests.size} platforms from ${obtained.origin}`,
        reused: obtained.origin === "store",
      };
    });
  } catch (error) {
    if (!(error instanceof RefoundryError) || error.kind !== "infrastructure") throw error;
    factory.emit({
      type: "notice",
      severity: "warning",
      message: `upstream's image cannot be had: ${messageOf(error)}`,
    });
    return { manifests: new Map(), origin: "unavailable", unavailable: messageOf(error) };
  }
}

/** The images of our own that an upstream made from packages lies on. */
async function imagesBelow(
  { recipe, contexts }: ReleaseInputs,
  factory: Factory,
): Promise<ReadonlyMap<PlatformName, Descriptor>> {
  const on = "debian" in recipe.upstream ? (recipe.upstream.debian.on ?? "") : "";
  const context = contexts[on];
  if (context?.kind !== "recipe")
    throw usageError(`${recipe.image}: upstream.debian.on names ${on}, which is no context with a recipe`);
  return imagesOfRecipe(context.release, context.pin.manifests, recipe.platforms.reproduce, factory);
}
