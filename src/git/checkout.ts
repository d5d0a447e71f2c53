import { join } from "node:path";
import { createGit } from "./run-git.ts";

/** The commit that a checkout is at, and where it was cloned from. */
export interface CheckedOut {
  readonly commit: string;
  /** The URL of `origin`, without credentials. */
  readonly url?: string;
}

/**
 * Which commit holds a folder of a checkout as it is on disk. Undefined where the folder
 * is in no git repository, or has changes that are in no commit.
 */
export async function findCommit(root: string, folder: string, signal?: AbortSignal): Promise<CheckedOut | undefined> {
  const git = createGit(join(root, ".git"), signal);
  const env = { GIT_WORK_TREE: root };
  try {
    const changed = await git(["status", "--porcelain", "--ignored=no", "--", folder], { env });
    if (changed.trim() !== "") return undefined;
    const commit = (await git(["rev-parse", "HEAD"])).trim();
    if (!/^[0-9a-f]{40}([0-9a-f]{24})?$/.test(commit)) return undefined;
    const url = await git(["config", "--get", "remote.origin.url"]).catch(() => "");
    const shown = publicUrl(url.trim());
    return { commit, ...(shown !== undefined && { url: shown }) };
  } catch (error) {
    if (signal?.aborted) throw error;
    // a checkout without git builds the same
    return undefined;
  }
}

/** A remote as others may see it: a path of this machine says nothing to them, and credentials are for nobody. */
function publicUrl(remote: string): string | undefined {
  const scp = /^(?:[^@/:]+@)?([A-Za-z0-9.-]+):(?!\/\/)(.+)$/.exec(remote);
  const url = URL.parse(scp ? `ssh://${scp[1]}/${scp[2]}` : remote);
  if (!url || !["https:", "ssh:"].includes(url.protocol)) return undefined;
  url.username = "";
  url.password = "";
  url.search = "";
  return url.href;
}
