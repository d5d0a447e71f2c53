import { compareVersions, isPreRelease } from "../recipe/version.ts";

/** The tag of a release: its version, with `_` for what a tag cannot hold (distribution-spec: `[A-Za-z0-9._-]`). */
export function releaseTag(version: string): string {
  return version.replaceAll(/[^A-Za-z0-9._-]/g, "_");
}

/**
 * The tags, from a recipe's templates, that a release may move to itself: those for which
 * no newer one of the recipe's `versions` would give the same tag. The release's own tag
 * is not among them. A template that a version has no part for gives no tag, and a
 * pre-release takes only tags that name it whole.
 */
export function tagsToMove(templates: readonly string[], version: string, versions: readonly string[]): string[] {
  const own = releaseTag(version);
  const tags = templates.flatMap((template) => {
    const tag = fillTemplate(template, version);
    if (tag === undefined || tag === own) return [];
    if (isPreRelease(version) && !template.includes("{version}")) return [];
    const isNewest = versions.every(
      (other) => isPreRelease(other) || fillTemplate(template, other) !== tag || compareVersions(other, version) <= 0,
    );
    return isNewest ? [tag] : [];
  });
  return [...new Set(tags)];
}

/** Whether a recipe lets a release's own tag come to name another index. */
export function mayMoveReleaseTag(templates: readonly string[]): boolean {
  return templates.includes("{version}");
}

function fillTemplate(template: string, version: string): string | undefined {
  const [major, minor] =
    version
      .replace(/^\d+:/, "")
      .replace(/^v(?=\d)/i, "")
      .match(/\d+/g) ?? [];
  const parts: Readonly<Record<string, string | undefined>> = { version: releaseTag(version), major, minor };
  let isComplete = true;
  const filled = template.replaceAll(/\{([a-z]+)\}/g, (_, name: string) => {
    const part = parts[name];
    if (part === undefined) isComplete = false;
    return part ?? "";
  });
  return isComplete ? filled : undefined;
}
