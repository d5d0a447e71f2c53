import { bareVersion, isFollowed, versionOfTag } from "../add/tags.ts";
import { versionSchema } from "../recipe/schema.ts";
import { compareVersions, isPreRelease } from "../recipe/version.ts";

/** A version that upstream released, and whether it is pinned. */
export interface Candidate {
  /** As upstream's image is tagged. */
  readonly version: string;
  readonly isPinned: boolean;
  /** False for a pre-release. */
  readonly isStable: boolean;
  /** The source's tag. */
  readonly tag?: string;
  /** Whether it is newer than what is pinned of its line (`major.minor`), or than all. */
  readonly isNewer: boolean;
}

/**
 * The versions that both the source and the image of upstream have, newest first. A tag
 * that only the image has is one that moves, or another flavour; one that only the source
 * has was not released yet. Pre-releases count where a recipe has some.
 */
export function candidatesOf(known: {
  readonly imageTags: readonly string[];
  readonly sourceTags: Iterable<string>;
  /** What the project calls itself in its tags. */
  readonly names: readonly string[];
  readonly pinned: readonly string[];
}): Candidate[] {
  const { pinned } = known;
  const tags = new Map<string, string>();
  for (const tag of known.sourceTags) {
    const version = versionOfTag(tag, known.names);
    if (version !== undefined && !tags.has(version)) tags.set(version, tag);
  }
  const withV = pinned.length > 0 && pinned.every((version) => version.startsWith("v"));
  const versions = new Map<string, string>();
  for (const imageTag of known.imageTags) {
    const bare = bareVersion(imageTag);
    if (!tags.has(bare) || !versionSchema.safeParse(imageTag).success || !isFollowed(bare, pinned)) continue;
    // upstreams that tag an image both ways mean one version
    if (!versions.has(bare) || imageTag.startsWith("v") === withV) versions.set(bare, imageTag);
  }
  for (const version of pinned) versions.set(bareVersion(version), version);
  return [...versions]
    .toSorted(([a], [b]) => compareVersions(b, a))
    .map(([bare, version]) => {
      const tag = tags.get(bare);
      return {
        version,
        isPinned: pinned.includes(version),
        isStable: !isPreRelease(bare),
        ...(tag !== undefined && { tag }),
        isNewer: !pinned.includes(version) && isNewer(bare, pinned.map(bareVersion)),
      };
    });
}

/** Newer than everything pinned, or than what is pinned of its own line, which is maintained beside newer ones. */
export function isNewer(version: string, pinned: readonly string[]): boolean {
  const line = lineOf(version);
  const sameLine = pinned.filter((other) => lineOf(other) === line);
  const compared = line !== undefined && sameLine.length > 0 ? sameLine : pinned;
  return compared.every((other) => compareVersions(other, version) < 0);
}

function lineOf(version: string): string | undefined {
  return /^\d+\.\d+(?=\.)/.exec(version)?.[0];
}
