import pLimit from "p-limit";
import { listRemoteRefs, type RemoteRefs, revisionOfVersion } from "../add/remote-refs.ts";
import { RefoundryError } from "../errors.ts";
import type { LoadedRelease } from "../recipe/load.ts";

/** A release whose version's tag names another commit than the release pins. */
export interface MovedTag {
  readonly recipe: string;
  readonly version: string;
  readonly url: string;
  readonly tag: string;
  readonly pinned: string;
  readonly now: string;
}

const secondsPerPlace = 30;

/**
 * Asks every fork, and upstream, of sources that come from git which commits their tags
 * name, each address once, and finds those that are not what releases pin. Places that
 * cannot be asked are passed over: that they are gone is for others to say.
 */
export async function findMovedTags(
  releases: readonly LoadedRelease[],
  repositoryPath: string,
  signal: AbortSignal,
): Promise<MovedTag[]> {
  const limit = pLimit(8);
  const known = new Map<string, Promise<RemoteRefs | undefined>>();
  const refsOf = (url: string): Promise<RemoteRefs | undefined> => {
    const asked = known.get(url) ?? limit(() => ask(url, repositoryPath, signal));
    known.set(url, asked);
    return asked;
  };
  const moved: MovedTag[] = [];
  for (const { recipe, release, source } of releases) {
    if (source.import.kind !== "git") continue;
    for (const url of [...source.forks, source.upstream]) {
      const refs = await refsOf(url);
      const found = refs && revisionOfVersion(refs, release.version, [source.source, recipe.image]);
      if (!found || found.commit === release.source.commit) continue;
      const { tag, commit } = found;
      moved.push({
        recipe: recipe.image,
        version: release.version,
        url,
        tag,
        pinned: release.source.commit,
        now: commit,
      });
    }
  }
  return moved;
}

async function ask(url: string, repositoryPath: string, signal: AbortSignal): Promise<RemoteRefs | undefined> {
  const limit = AbortSignal.timeout(secondsPerPlace * 1000);
  try {
    return await listRemoteRefs(url, repositoryPath, AbortSignal.any([signal, limit]));
  } catch (error) {
    // a server that is silent is no better than one that is away
    if (limit.aborted && !signal.aborted) return undefined;
    if (error instanceof RefoundryError && error.kind === "infrastructure") return undefined;
    throw error;
  }
}
