import { checkTree, type DocumentResult, type LocatedDocument } from "./document.ts";
import { layered, partOf } from "./layers.ts";
import { type Recipe, recipeSchema } from "./schema.ts";
import { isInRange, parseRange } from "./version-range.ts";

/** The entries of a recipe's `versions` that are for a version, by their positions. */
export function entriesFor({ versions }: Recipe, version: string): number[] {
  return [...versions.entries()].flatMap(([index, { range }]) =>
    isInRange(version, parseRange(range)) ? [index] : [],
  );
}

/** A recipe as it is for one version; throws no error, but gives all that is wrong with it then. */
export function recipeForVersion(recipe: LocatedDocument<Recipe>, version: string): DocumentResult<Recipe> {
  return recipeWithEntries(recipe, entriesFor(recipe.value, version));
}

/**
 * A recipe with some entries of its `versions` laid over it in order, and without
 * `versions`. Merging is as with what is inherited; places are those of what holds.
 */
export function recipeWithEntries(recipe: LocatedDocument<Recipe>, entries: readonly number[]): DocumentResult<Recipe> {
  const { value, tree } = recipe;
  if (value.versions.length === 0) return { document: recipe, problems: [] };
  if (!tree) throw new Error(`of ${recipe.file} it was not kept what it was read from`);
  const layers = entries.map((entry) => partOf(tree, ["versions", entry], ["range"]));
  const result = checkTree(layers.reduce(layered, partOf(tree, [], ["versions"])), [], recipeSchema);
  if (result.document) return result;
  const ranges = entries.map((entry) => value.versions[entry]?.range).join(", ");
  const problems = result.problems.map((problem) => ({ ...problem, message: `for ${ranges}: ${problem.message}` }));
  return { problems };
}

/**
 * The files of a recipe's folder, from there, that only its other versions are built with:
 * Dockerfiles and patches. They are no part of the build, so that a new version changes
 * nothing of an old one.
 */
export function filesOfOtherVersions(recipe: Recipe, own: Recipe): ReadonlySet<string> {
  const filesOf = (build: Recipe["versions"][number]["build"]): string[] => [
    ...(build?.dockerfile === undefined ? [] : [build.dockerfile]),
    ...(build?.patches ?? []),
  ];
  const all = [...filesOf(recipe.build), ...recipe.versions.flatMap(({ build }) => filesOf(build))];
  const used = filesOf(own.build);
  return new Set(all.filter((file) => !used.includes(file)));
}
