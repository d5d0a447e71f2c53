import { usageError } from "../errors.ts";
import { findRoot, listRecipes, listReleases } from "../recipe/load.ts";
import { selectReleases } from "../recipe/range.ts";
import type { CliContext } from "./context.ts";

/** A release by the names of its files. */
export interface NamedRelease {
  readonly recipe: string;
  readonly version: string;
}

/** The releases that a command line names: one by one, by ranges, or all. Throws a usage error where that is none. */
export async function nameReleases(
  context: CliContext,
  { all = false }: { readonly all?: boolean },
  releases: readonly string[],
): Promise<NamedRelease[]> {
  if (all && releases.length > 0) throw usageError("--all is every release, so no recipe is named with it");
  return all ? allReleases(context) : namedReleases(context, releases);
}

async function allReleases({ cwd }: CliContext): Promise<NamedRelease[]> {
  const root = await findRoot(cwd);
  const named: NamedRelease[] = [];
  for (const recipe of await listRecipes(root))
    for (const version of await listReleases(root, recipe)) named.push({ recipe, version });
  if (named.length > 0) return named;
  throw usageError("there is no release yet", { hint: "refoundry add IMAGE --source URL makes the first" });
}

async function namedReleases({ cwd }: CliContext, releases: readonly string[]): Promise<NamedRelease[]> {
  if (releases.length === 0) throw usageError("which release? name a recipe, or give --all");
  const root = await findRoot(cwd);
  const named = new Map<string, NamedRelease>();
  for (const argument of releases)
    for (const each of await selectReleases(root, argument)) named.set(`${each.recipe}@${each.version}`, each);
  return [...named.values()];
}
