import { cp, readFile, stat } from "node:fs/promises";
import { dirname, join, relative, resolve, sep } from "node:path";
import { infrastructureError, usageError } from "../errors.ts";
import { createGit, type Git } from "./run-git.ts";

/** The files of a folder as they were at a revision of the git repository that the folder is in. */
export interface Revision {
  readonly commit: string;
  /** As it was asked for. */
  readonly name: string;
  /**
   * Files below the given folders that are not as they were: changed, new (in git or not),
   * gone. From the folder that was opened, with forward slashes.
   */
  changedFiles(folders: readonly string[]): Promise<string[]>;
  /**
   * Writes the given files and folders as they were into an empty folder, below which
   * they have the paths that they have below the folder that was opened. `scratch` is an
   * empty folder for git's own use.
   */
  checkOut(paths: readonly string[], folder: string, scratch: string): Promise<void>;
}

/**
 * Opens a revision (a commit id, tag, branch, or what else git-rev-parse takes) of the
 * repository that holds `folder`. Throws a usage error when there is none.
 */
export async function openRevision(folder: string, name: string, signal?: AbortSignal): Promise<Revision> {
  const { top, gitFolder } = await findRepository(folder);
  const run = createGit(gitFolder, signal);
  const git: Git = (args, options) =>
    run(["-C", top, ...args], { ...options, env: { GIT_WORK_TREE: top, ...options?.env } });
  const commit = await resolveCommit(git, name);
  const prefix = top === resolve(folder) ? "" : `${relative(top, resolve(folder)).replaceAll(sep, "/")}/`;
  const inside = (paths: readonly string[]): string[] => paths.map((path) => `:(top,literal)${prefix}${path}`);
  const outside = (listing: string): string[] =>
    listing
      .split("\0")
      .filter((path) => path.startsWith(prefix) && path !== "")
      .map((path) => path.slice(prefix.length));
  return {
    commit,
    name,
    async changedFiles(folders) {
      const diff = ["diff", "--name-only", "--no-renames", "--no-ext-diff", "--ignore-submodules=none", "-z"];
      const changed = await git([...diff, commit, "--", ...inside(folders)]);
      // staging a build context takes what lies there, whether git knows it or not
      const others = await git(["ls-files", "--others", "--full-name", "-z", "--", ...inside(folders)]);
      return [...new Set([...outside(changed), ...outside(others)])].toSorted();
    },
    async checkOut(paths, destination, scratch) {
      const full = paths.map((path) => prefix + path);
      const listing = await git(["ls-tree", "-r", "-z", "--name-only", "--full-tree", commit]);
      const wanted = listing
        .split("\0")
        .filter((path) => full.some((start) => path === start || path.startsWith(`${start}/`)));
      if (wanted.length === 0) return;
      const env = { GIT_INDEX_FILE: join(scratch, "index") };
      await git(["read-tree", commit], { env });
      const input = wanted.map((path) => `${path}\0`).join("");
      const to = prefix === "" ? destination : scratch;
      await git(["checkout-index", "--force", "--quiet", "-z", "--stdin", `--prefix=${to}/`], { env, input });
      if (prefix !== "") await cp(join(scratch, prefix), destination, { recursive: true, verbatimSymlinks: true });
    },
  };
}

async function resolveCommit(git: Git, name: string): Promise<string> {
  const hint = "name a commit, tag or branch that is in this clone; a shallow one may lack it: git fetch --unshallow";
  const refused = (cause?: unknown): Error =>
    usageError(`git knows no revision ${JSON.stringify(name)} here`, { hint, ...(cause !== undefined && { cause }) });
  if (name === "" || name.startsWith("-") || /\s/.test(name)) throw refused();
  const commit = await git(["rev-parse", "--verify", "--end-of-options", `${name}^{commit}`]).catch(
    (cause: unknown) => {
      if (cause instanceof Error && "kind" in cause && cause.kind === "interrupted") throw cause;
      throw refused(cause);
    },
  );
  return commit.trim();
}

/** The top of the work tree that holds a folder, and its git folder (linked work trees name theirs in a file). */
async function findRepository(folder: string): Promise<{ readonly top: string; readonly gitFolder: string }> {
  for (let top = resolve(folder); ; top = dirname(top)) {
    const git = join(top, ".git");
    const found = await stat(git).catch(() => undefined);
    if (found?.isDirectory()) return { top, gitFolder: git };
    if (found?.isFile()) {
      const linked = /^gitdir: (.+)$/m.exec(await readFile(git, "utf8"))?.[1]?.trim();
      if (linked === undefined) throw infrastructureError(`${git} names no git folder`);
      return { top, gitFolder: resolve(top, linked) };
    }
    if (dirname(top) === top) break;
  }
  throw usageError(`${folder} is in no git repository`, { hint: "--since compares with what git has" });
}
