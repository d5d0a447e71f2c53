import { isPreRelease } from "../recipe/version.ts";
import { versionSchema } from "../recipe/schema.ts";

/**
 * The tags under which upstreams keep a version, the likeliest first: `v1.2`, `1.2`,
 * `release-1.2`, `NAME-1.2`. `names` are what the project calls itself.
 */
export function tagsOfVersion(version: string, names: readonly string[]): string[] {
  const bare = version.replace(/^v(?=\d)/, "");
  const named = names.flatMap((name) => [`${name}-${bare}`, `${name}-v${bare}`, `${name}/v${bare}`]);
  const tags = [`v${bare}`, bare, version, `release-${bare}`, `release-v${bare}`, `release/${bare}`, ...named];
  // a Git tag can have neither of these
  return [...new Set(tags)].filter((tag) => !/[~:]|\.\.|\.lock$/.test(tag));
}

/** The version that a tag of a source repository is of, in the form without `v`; nothing for a tag that is none. */
export function versionOfTag(tag: string, names: readonly string[]): string | undefined {
  const prefix = ["release-", "release/", ...names.flatMap((name) => [`${name}-`, `${name}/`])].find((start) =>
    tag.startsWith(start),
  );
  const rest = (prefix === undefined ? tag : tag.slice(prefix.length)).replace(/^v(?=\d)/, "");
  return /^\d/.test(rest) && versionSchema.safeParse(rest).success ? rest : undefined;
}

/** A version as it is looked up: upstream's image and source may write it with and without `v`. */
export function bareVersion(version: string): string {
  return version.replace(/^v(?=\d)/, "");
}

/** Whether a version is one that a recipe with these releases follows: no pre-release, unless it has some. */
export function isFollowed(version: string, pinned: readonly string[]): boolean {
  return !isPreRelease(version) || pinned.some(isPreRelease);
}
