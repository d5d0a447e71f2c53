import { usageError } from "../errors.ts";
import { loadRecipe, parseRecipeArgument } from "./load.ts";
import { nameSchema } from "./values.ts";
import { listReleases } from "./tree.ts";
import { compareVersions } from "./version.ts";
import { isInRange, parseRange, selectorForms, type VersionRange } from "./version-range.ts";
import { quoted } from "./words.ts";

/** Which releases of a recipe a person asks for. */
export interface ReleaseSelector {
  readonly recipe: string;
  /** One version as it is written, the newest, or all in a range. */
  readonly releases: "newest" | { readonly version: string } | { readonly range: VersionRange };
}

/** Whether an argument asks for more than one release by its form: a range, `1.2.*` or `all`. */
export function isRangeArgument(text: string): boolean {
  const wanted = text.includes("@") ? text.slice(text.indexOf("@") + 1).trim() : "";
  return wanted === "all" || /[<>=*|,\s]/.test(wanted);
}

/** Parses `etcd`, `etcd@3.5.1`, `etcd@all`, `etcd@3.4.*`, `etcd@>=3.4 <3.6`. Throws a usage error for anything else. */
export function parseSelector(text: string): ReleaseSelector {
  if (!isRangeArgument(text)) {
    const { recipe, version } = parseRecipeArgument(text);
    return { recipe, releases: version === undefined ? "newest" : { version } };
  }
  const at = text.indexOf("@");
  const recipe = text.slice(0, at).trim();
  if (!nameSchema.safeParse(recipe).success)
    throw usageError(`${quoted(text)} names no recipe`, { hint: selectorForms });
  return { recipe, releases: { range: parseRange(text.slice(at + 1)) } };
}

/** The versions that a selector names, of those there are, oldest first; what was written exactly need not be there. */
function selectVersions({ releases }: ReleaseSelector, versions: readonly string[]): string[] {
  if (releases === "newest") return versions.toSorted(compareVersions).slice(-1);
  if ("version" in releases) return [releases.version];
  return versions.filter((version) => isInRange(version, releases.range)).toSorted(compareVersions);
}

/**
 * The releases that an argument names, oldest first. Throws a usage error for what is no
 * selector, and where no release is in the range.
 */
export async function selectReleases(
  root: string,
  argument: string,
): Promise<{ readonly recipe: string; readonly version: string }[]> {
  const selector = parseSelector(argument);
  const versions = await listReleases(root, selector.recipe);
  // a name that is none is said as such
  if (versions.length === 0) await loadRecipe(root, selector.recipe);
  const selected = selectVersions(selector, versions);
  if (selected.length > 0) return selected.map((version) => ({ recipe: selector.recipe, version }));
  const there = versions.length === 0 ? "it has none yet" : `it has ${versions.slice(-12).join(", ")}`;
  throw usageError(`${quoted(argument)} names no release of ${selector.recipe}`, {
    hint: `${there}; refoundry pin ${selector.recipe} VERSION writes one`,
  });
}
