import { infrastructureError, messageOf, RefoundryError, usageError } from "../errors.ts";
import type { Emit } from "../events.ts";
import { openBareRepository } from "../git/repository.ts";
import type { Source } from "../recipe/schema.ts";

/**
 * Finds the commit of an upstream version by its tag (`v1.2` or `1.2`), in our forks and
 * then upstream, and fetches it. The epoch is the commit's time.
 */
export async function resolveGitRelease(request: {
  readonly source: Source;
  readonly version: string;
  readonly repositoryPath: string;
  readonly emit: Emit;
  readonly signal?: AbortSignal;
}): Promise<{ readonly commit: string; readonly tree: string; readonly epoch: number }> {
  const { source, version } = request;
  const repository = await openBareRepository(request.repositoryPath, request.signal);
  const failures: string[] = [];
  for (const url of [...source.forks, source.upstream]) {
    try {
      const found = await repository.resolveTag(url, [`v${version}`, version, `${source.source}-${version}`]);
      if (!found) {
        failures.push(`${url} has no tag v${version} or ${version}`);
        continue;
      }
      await repository.fetchCommit(url, found.commit);
      return {
        commit: found.commit,
        tree: await repository.treeOf(found.commit),
        epoch: await repository.commitTime(found.commit),
      };
    } catch (error) {
      if (!(error instanceof RefoundryError) || error.kind !== "infrastructure") throw error;
      failures.push(messageOf(error));
      request.emit({ type: "notice", severity: "warning", message: messageOf(error) });
    }
  }
  const message = `no place has ${source.source} ${version}:\n${failures.join("\n")}`;
  throw failures.every((failure) => failure.includes("has no tag"))
    ? usageError(message)
    : infrastructureError(message);
}
