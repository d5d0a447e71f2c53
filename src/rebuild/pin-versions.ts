import { RefoundryError } from "../errors.ts";
import { loadRecipeForVersion, loadSource } from "../recipe/load.ts";
import type { Release } from "../recipe/schema.ts";
import { writeRelease } from "../recipe/write.ts";
import { pinRelease } from "./pin-release.ts";
import type { Factory } from "./types.ts";

/** A version whose release was written. */
export interface PinnedVersion {
  readonly version: string;
  /** Of the file that was written. */
  readonly path: string;
  readonly release: Release;
}

/** A version that could not be pinned, and why. */
export interface FailedVersion {
  readonly version: string;
  readonly error: RefoundryError;
}

/**
 * Pins versions one after another and writes their releases; one that fails does not keep
 * the others from being written. Throws only what is no failure of one version: an interrupt, a defect.
 */
export async function pinVersions(
  request: {
    readonly root: string;
    /** The name of a recipe. */
    readonly recipe: string;
    readonly versions: readonly string[];
    readonly replace: boolean;
  },
  factory: Factory,
): Promise<{ readonly pinned: readonly PinnedVersion[]; readonly failed: readonly FailedVersion[] }> {
  const { root, recipe: name, replace } = request;
  const pinned: PinnedVersion[] = [];
  const failed: FailedVersion[] = [];
  for (const version of new Set(request.versions)) {
    try {
      const recipe = await loadRecipeForVersion(root, name, version);
      const source = await loadSource(root, recipe.source);
      const release = await pinRelease({ root, recipe, source, version }, factory);
      const path = await writeRelease(root, name, release, { replace });
      pinned.push({ version, path, release });
    } catch (error) {
      if (!(error instanceof RefoundryError) || error.kind === "interrupted") throw error;
      failed.push({ version, error });
    }
  }
  return { pinned, failed };
}
