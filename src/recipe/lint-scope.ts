import { stat } from "node:fs/promises";
import { join, relative, resolve, sep } from "node:path";
import { usageError } from "../errors.ts";
import { isName } from "./lint-layout.ts";
import { fileOf, folders, listNamed } from "./tree.ts";
import { didYouMean } from "./words.ts";

/** What lint tells about. */
export interface LintScope {
  /** Whether a file, absolute or from the current folder, is told about. */
  covers(file: string): boolean;
  /** Whether a recipe has to be read; what all recipes say is only asked when something beside them is told about. */
  readsRecipe(name: string): boolean;
}

/** Everything. */
export const wholeTree: LintScope = { covers: () => true, readsRecipe: () => true };

/**
 * The scope of some arguments: names of recipes, and files and folders, absolute or from
 * the current folder. Throws a usage error for what is neither.
 */
export async function scopeOf(root: string, targets: readonly string[]): Promise<LintScope> {
  const wanted = await Promise.all(targets.map((target) => pathOf(root, target)));
  const recipes = resolve(root, folders.recipe);
  const chosen = wanted.map((path) => {
    const [name, ...rest] = relative(recipes, path).split(sep);
    return name === undefined || name === "" || name === ".." || rest[0] === ".." ? undefined : name;
  });
  return {
    covers: (file) => {
      const path = resolve(file);
      return wanted.some((each) => path === each || path.startsWith(each + sep));
    },
    readsRecipe: (name) => chosen.includes(undefined) || chosen.includes(name),
  };
}

async function pathOf(root: string, target: string): Promise<string> {
  const names = isName(target) ? await listNamed(root, "recipe") : [];
  if (names.includes(target)) return join(resolve(root), fileOf("recipe", target), "..");
  const full = resolve(target);
  if (await stat(full).catch(() => undefined)) return full;
  throw usageError(`${target} is neither a recipe nor there`, {
    hint: didYouMean(target, names) ?? "name recipes, or files and folders of this factory, or nothing for all",
  });
}
