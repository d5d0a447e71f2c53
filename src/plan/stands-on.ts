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

/** A release that needs another, by itself or because what it stands on does. */
export interface NeedingRelease {
  readonly recipe: string;
  readonly version: string;
  readonly directly: boolean;
}

/** Which releases of a catalogue stand on one release, transitively; in the catalogue's order. */
export function releasesThatNeed(
  { recipe, version }: { readonly recipe: string; readonly version: string },
  catalogue: readonly Pick<CatalogueRelease, "recipe" | "release" | "toolchainRecipe">[],
): NeedingRelease[] {
  const idOf = (name: string, of: string): string => `${name}@${of}`;
  const needing = new Map<string, string[]>();
  for (const release of catalogue)
    for (const needed of standsOnOf(release)) {
      const id = idOf(needed.recipe, needed.version);
      needing.set(id, [...(needing.get(id) ?? []), idOf(release.recipe.image, release.release.version)]);
    }
  const direct = new Set(needing.get(idOf(recipe, version)));
  const found = new Set(direct);
  // a set may grow while it is walked
  for (const id of found) for (const next of needing.get(id) ?? []) found.add(next);
  return catalogue.flatMap((release) => {
    const [name, of] = [release.recipe.image, release.release.version];
    const id = idOf(name, of);
    return found.has(id) ? [{ recipe: name, version: of, directly: direct.has(id) }] : [];
  });
}
