import { infrastructureError, messageOf, RefoundryError } from "../errors.ts";
import { openBareRepository } from "../git/repository.ts";
import { createGit } from "../git/run-git.ts";
import { usageError } from "../errors.ts";
import { validateSourceUrl } from "../recipe/source-url.ts";
import { shown } from "./text.ts";
import { tagsOfVersion } from "./tags.ts";
import type { Revision } from "./types.ts";

/** What a remote repository says it has. */
export interface RemoteRefs {
  /** Commits by tag, those of annotated tags peeled. */
  readonly tags: ReadonlyMap<string, string>;
  /** Commits that a branch or tag names. */
  readonly tips: ReadonlySet<string>;
  /** Whether there were more than are read. */
  readonly isCut: boolean;
}

/** Lines of `git ls-remote` that are read; an annotated tag has two. */
const maxLines = 500_000;

/** Checks an address before git sees it. Throws a usage error that says what is wrong. */
export function requireSourceUrl(url: string): void {
  const problem = validateSourceUrl(url);
  if (problem === undefined) return;
  throw usageError(`--source ${JSON.stringify(shown(url))} ${problem}`, {
    hint: "name a git repository: https://..., ssh://... or user@host:path",
  });
}

/** Lists a remote's tags and branches. Throws an infrastructure error when it cannot be reached. */
export async function listRemoteRefs(url: string, repositoryPath: string, signal?: AbortSignal): Promise<RemoteRefs> {
  requireSourceUrl(url);
  const { path } = await openBareRepository(repositoryPath, signal);
  const git = createGit(path, signal);
  const listed = await git(["ls-remote", "--quiet", "--heads", "--tags", "--", url], { remote: true }).catch(
    (error: unknown) => {
      if (signal?.aborted || (error instanceof RefoundryError && error.kind === "interrupted")) throw error;
      const said = shown(messageOf(error).trim().split("\n").at(-1) ?? "");
      throw infrastructureError(`the tags of ${shown(url)} cannot be listed: ${said}`, { cause: error });
    },
  );
  return parseRefs(listed);
}

/** Reads the output of `git ls-remote`; what is malformed is left out. */
export function parseRefs(listed: string): RemoteRefs {
  const tags = new Map<string, string>();
  const tips = new Set<string>();
  let at = 0;
  let lines = 0;
  for (; at < listed.length && lines < maxLines; lines += 1) {
    const end = listed.indexOf("\n", at);
    const line = listed.slice(at, end === -1 ? listed.length : end);
    at = end === -1 ? listed.length : end + 1;
    const [, commit, ref = ""] = /^([0-9a-f]{40})\t(refs\/\S{1,512})$/.exec(line) ?? [];
    if (commit === undefined) continue;
    tips.add(commit);
    if (!ref.startsWith("refs/tags/")) continue;
    const name = ref.slice("refs/tags/".length);
    // the peeled line of an annotated tag comes after it, and names the commit
    tags.set(name.endsWith("^{}") ? name.slice(0, -3) : name, commit);
  }
  return { tags, tips, isCut: at < listed.length };
}

/** The commit of a version by its tag; undefined where there is no such tag. */
export function revisionOfVersion(
  refs: RemoteRefs,
  version: string,
  names: readonly string[],
): Required<Revision> | undefined {
  for (const tag of tagsOfVersion(version, names)) {
    const commit = refs.tags.get(tag);
    if (commit !== undefined) return { commit, tag };
  }
  return undefined;
}
