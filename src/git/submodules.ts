import { infrastructureError, usageError } from "../errors.ts";
import type { BareRepository } from "./repository.ts";
import { createGit } from "./run-git.ts";

/** A submodule as a commit's tree pins it. */
export interface Gitlink {
  /** From the top of the commit's tree. */
  readonly path: string;
  readonly commit: string;
  /** As `.gitmodules` says, perhaps relative; undefined where it says nothing. */
  readonly url?: string;
}

/** A submodule of a source, those of submodules too. */
export interface Submodule {
  /** From the top of the source. */
  readonly path: string;
  readonly commit: string;
  /** Of that commit. */
  readonly tree: string;
}

const gitlink = "160000";
const largestGitmodules = 1024 * 1024;
const mostSubmodules = 256;
const mostDepth = 8;

/** The submodules that a commit's own tree names, in the order of their paths. */
async function listGitlinks(repositoryPath: string, commit: string, signal?: AbortSignal): Promise<Gitlink[]> {
  const git = createGit(repositoryPath, signal);
  const listed = await git(["ls-tree", "-r", "-z", "--full-tree", commit]);
  const links = listed.split("\0").flatMap((line) => {
    const [, mode, id = "", path = ""] = /^(\d+) \w+ ([0-9a-f]{40})\t(.+)$/s.exec(line) ?? [];
    return mode === gitlink ? [{ path, commit: id }] : [];
  });
  if (links.length === 0) return [];
  if (links.length > mostSubmodules)
    throw usageError(`the source has ${links.length} submodules, and ${mostSubmodules} are the most`);
  const urls = await readGitmodules(repositoryPath, commit, signal);
  return links.map((link) => {
    const url = urls.get(link.path);
    return { ...link, ...(url !== undefined && { url }) };
  });
}

/** What a commit's `.gitmodules` (gitmodules(5)) says: addresses by path. git itself reads it. */
async function readGitmodules(
  repositoryPath: string,
  commit: string,
  signal?: AbortSignal,
): Promise<ReadonlyMap<string, string>> {
  const git = createGit(repositoryPath, signal);
  const [entry = ""] = (await git(["ls-tree", "-z", "-l", commit, "--", ".gitmodules"])).split("\0");
  const [, size = ""] = /^100(?:644|755) blob [0-9a-f]{40} +(\d+)\t/.exec(entry) ?? [];
  if (size === "") return new Map();
  if (Number(size) > largestGitmodules) throw usageError(`.gitmodules of ${commit} is larger than any that is meant`);
  const listed = await git(["config", "--blob", `${commit}:.gitmodules`, "-z", "--list"]);
  const fields = new Map<string, { path?: string; url?: string }>();
  for (const line of listed.split("\0")) {
    const [, name = "", key = "", value = ""] = /^submodule\.(.+)\.(path|url)\n(.*)$/s.exec(line) ?? [];
    if (name === "") continue;
    fields.set(name, { ...fields.get(name), [key]: value });
  }
  return new Map([...fields.values()].flatMap(({ path, url }) => (path && url ? [[path, url] as const] : [])));
}

/**
 * Walks the submodules of a commit and theirs, each seen before those in it. `bring` puts a
 * submodule's commit into the repository where it is not; `base` is what it gave for the
 * submodule above. Throws a usage error beyond the limits of number and depth.
 */
export async function walkSubmodules<Base>(
  repository: BareRepository,
  top: { readonly commit: string; readonly base: Base },
  bring: (link: Gitlink, path: string, base: Base) => Promise<Base>,
  signal?: AbortSignal,
): Promise<Submodule[]> {
  const found: Submodule[] = [];
  const visit = async (commit: string, prefix: string, base: Base, depth: number): Promise<void> => {
    for (const link of await listGitlinks(repository.path, commit, signal)) {
      const path = prefix + link.path;
      if (depth >= mostDepth) throw usageError(`${path} is a submodule ${mostDepth} deep in others`);
      if (found.length >= mostSubmodules) throw usageError(`the source has more than ${mostSubmodules} submodules`);
      const below = await bring(link, path, base);
      if (!(await repository.hasCommit(link.commit)))
        throw infrastructureError(`the submodule ${path} has not the commit ${link.commit} that is pinned`);
      found.push({ path, commit: link.commit, tree: await repository.treeOf(link.commit) });
      await visit(link.commit, `${path}/`, below, depth + 1);
    }
  };
  await visit(top.commit, "", top.base, 0);
  return found;
}
