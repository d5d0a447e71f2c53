import type { CatalogueRelease } from "./catalogue.ts";
import type { ReleaseFacts } from "./types.ts";

/** The releases of other recipes whose images a release pins: those of its contexts, and of its toolchain. */
export function standsOnOf({
  recipe,
  release,
  toolchainRecipe,
}: Pick<CatalogueRelease, "recipe" | "release" | "toolchainRecipe">): ReleaseFacts["standsOn"] {
  const { version } = release.toolchain;
  const bases = Object.entries(release.contexts ?? {}).flatMap(([name, pin]) => {
    const context = recipe.contexts[name];
    return "recipe" in pin && context && "recipe" in context
      ? [{ recipe: context.recipe, version: pin.recipe.version }]
      : [];
  });
  return toolchainRecipe && version !== undefined ? [...bases, { ...toolchainRecipe, version }] : bases;
}
