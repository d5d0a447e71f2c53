import { listRemoteRefs, revisionOfVersion } from "../add/remote-refs.ts";
import { tagsOfVersion } from "../add/tags.ts";
import { infrastructureError, messageOf, RefoundryError, usageError } from "../errors.ts";
import type { Emit } from "../events.ts";
import { openBareRepository } from "../git/repository.ts";
import type { Source } from "../recipe/schema.ts";

/** Which commit is pinned, with what a release says of it. */
export interface PinnedCommit {
  readonly commit: string;
  readonly tree: string;
  /** Committer time, seconds. */
  readonly epoch: number;
  /** Which place named it: `fork URL` or `upstream URL`. */
  readonly from: string;
}

/**
 * Finds the commit of an upstream version in our forks and then upstream, and fetches it:
 * by its tag (`v1.2`, `1.2`, `release-1.2`, `NAME-1.2`; peeled), or the one that is given.
 * Throws a usage error where every place answered and none has it, else an infrastructure error.
 */
export async function pinGitSource(request: {
  readonly source: Source;
  readonly version: string;
  /** What the project calls itself in tags, besides its source's name. */
  readonly names: readonly string[];
  readonly commit?: string;
  readonly repositoryPath: string;
  readonly emit: Emit;
  readonly signal?: AbortSignal;
}): Promise<PinnedCommit> {
  const { source, version, repositoryPath, signal } = request;
  const names = [...new Set([source.source, ...request.names])];
  const repository = await openBareRepository(repositoryPath, signal);
  const failures: { readonly message: string; readonly isAbsent: boolean }[] = [];
  for (const url of [...source.forks, source.upstream]) {
    try {
      const commit =
        request.commit ?? revisionOfVersion(await listRemoteRefs(url, repositoryPath, signal), version, names)?.commit;
      if (commit === undefined) {
        const tags = tagsOfVersion(version, names).slice(0, 4).join(", ");
        failures.push({ message: `${url} has no tag for ${version} (looked for ${tags}, ...)`, isAbsent: true });
        continue;
      }
      if (request.commit === undefined || !(await repository.hasCommit(commit)))
        await repository.fetchCommit(url, commit);
      const from = `${source.forks.includes(url) ? "fork" : "upstream"} ${url}`;
      return { commit, tree: await repository.treeOf(commit), epoch: await repository.commitTime(commit), from };
    } catch (error) {
      if (!(error instanceof RefoundryError) || error.kind !== "infrastructure") throw error;
      failures.push({ message: messageOf(error), isAbsent: false });
      request.emit({ type: "notice", severity: "warning", message: messageOf(error) });
    }
  }
  const message = `no place has ${source.source} ${version}:\n${failures.map((failure) => failure.message).join("\n")}`;
  throw failures.every(({ isAbsent }) => isAbsent) ? usageError(message) : infrastructureError(message);
}
