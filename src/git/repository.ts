import { mkdir, readFile, rm, writeFile } from "node:fs/promises";
import { join } from "node:path";
import { infrastructureError, interrupted, messageOf, mismatch, usageError } from "../errors.ts";
import { createGit, type Git } from "./run-git.ts";

/** A file of a tree that is to be committed. */
export interface CommitFile {
  /** Inside the tree, with forward slashes. */
  readonly path: string;
  readonly mode: "100644" | "100755" | "120000";
  /** Where the content is on disk (a link's target is its content). */
  readonly contentPath: string;
}

/** A bare repository in the store. */
export interface BareRepository {
  readonly path: string;
  /** Whether the commit and its whole tree are here. */
  hasCommit(commit: string): Promise<boolean>;
  /**
   * Fetches one commit without its history. Servers that do not give out a commit by
   * its id are asked for their branches and tags instead. Throws an infrastructure
   * error when the commit cannot be had from there.
   */
  fetchCommit(url: string, commit: string): Promise<void>;
  /** The commit that a tag of a remote names, the first of `tags` that exists. */
  resolveTag(
    url: string,
    tags: readonly string[],
  ): Promise<{ readonly tag: string; readonly commit: string } | undefined>;
  treeOf(commit: string): Promise<string>;
  /** Committer time in seconds. */
  commitTime(commit: string): Promise<number>;
  /**
   * Writes a commit's files into an empty folder as they are in git: no filter, no end-of-line
   * conversion. The folders of submodules are left empty.
   */
  checkoutTree(commit: string, folder: string): Promise<void>;
  /** Makes a commit without parents whose id depends on nothing but its arguments. `date` is in seconds. */
  writeCommit(commit: {
    readonly files: readonly CommitFile[];
    readonly author: string;
    readonly date: number;
    readonly message: string;
    readonly branch: string;
  }): Promise<string>;
}

/** Attributes in a tree must not change what is checked out. */
const neutralAttributes = "* -text -eol -ident -filter -working-tree-encoding -export-ignore -export-subst\n";
const commitPattern = /^[0-9a-f]{40}$/;

/** Opens a bare repository, making it where there is none. */
export async function openBareRepository(path: string, signal?: AbortSignal): Promise<BareRepository> {
  await mkdir(path, { recursive: true });
  const git = createGit(path, signal);
  const attributes = join(path, "info", "attributes");
  // written last, so its being there says that the repository is whole
  if ((await readFile(attributes, "utf8").catch(() => "")) !== neutralAttributes) {
    await git(["init", "--bare", "--quiet", "--object-format=sha1", "--initial-branch=main", "."]);
    await mkdir(join(path, "info"), { recursive: true });
    await writeFile(attributes, neutralAttributes);
  }
  return repositoryAt(path, git);
}

function repositoryAt(path: string, git: Git): BareRepository {
  const hasCommit = async (commit: string): Promise<boolean> => {
    requireCommitId(commit);
    return git(["rev-list", "--objects", "--quiet", "--max-count=1", commit]).then(
      () => true,
      (error: unknown) => rethrowInterrupt(error, false),
    );
  };
  return {
    path,
    hasCommit,
    async fetchCommit(url, commit) {
      requireCommitId(commit);
      requireUrl(url);
      const options = ["--no-tags", "--no-write-fetch-head", "--no-recurse-submodules", "--quiet"];
      try {
        await git(["fetch", ...options, "--depth=1", url, commit], { remote: true });
      } catch (error) {
        rethrowInterrupt(error, undefined);
        if (!/unadvertised object|not our ref|couldn't find remote ref/i.test(messageOf(error)))
          throw unreachable(url, error);
        await fetchAll(git, url, options, commit);
      }
      if (await hasCommit(commit)) return;
      throw infrastructureError(`${url} does not have the commit ${commit}`);
    },
    async resolveTag(url, tags) {
      requireUrl(url);
      const listed = await git(["ls-remote", "--tags", url]).catch((error: unknown) => {
        throw unreachable(url, error);
      });
      const commits = new Map(listed.split("\n").map((line) => line.split("\t").toReversed() as [string, string]));
      for (const tag of tags) {
        // an annotated tag is listed twice; the peeled one names the commit
        const commit = commits.get(`refs/tags/${tag}^{}`) ?? commits.get(`refs/tags/${tag}`);
        if (commit !== undefined && commitPattern.test(commit)) return { tag, commit };
      }
      return undefined;
    },
    treeOf: async (commit) => (await git(["rev-parse", "--verify", `${requireCommitId(commit)}^{tree}`])).trim(),
    commitTime: async (commit) =>
      Number((await git(["show", "--no-patch", "--format=%ct", requireCommitId(commit)])).trim()),
    async checkoutTree(commit, folder) {
      requireCommitId(commit);
      await mkdir(folder, { recursive: true });
      const index = join(path, `checkout-${commit}-${process.pid}-${Math.trunc(performance.now() * 1000)}.index`);
      try {
        const env = { GIT_INDEX_FILE: index, GIT_WORK_TREE: folder };
        await git(["read-tree", commit], { env });
        await git(["checkout-index", "--all", "--force", "--quiet"], { env });
      } finally {
        await rm(index, { force: true });
      }
    },
    async writeCommit({ files, author, date, message, branch }) {
      const index = join(path, `import-${process.pid}-${Math.trunc(performance.now() * 1000)}.index`);
      try {
        const ids: string[] = [];
        for (const batch of batches(files.map((file) => file.contentPath))) {
          ids.push(...(await git(["hash-object", "-w", "--no-filters", "--", ...batch])).trim().split("\n"));
        }
        const env = { GIT_INDEX_FILE: index };
        const lines = files.map((file, position) => `${file.mode} ${ids[position]} 0\t${file.path}\0`);
        await git(["update-index", "-z", "--index-info"], { env, input: lines.join("") });
        const tree = (await git(["write-tree"], { env })).trim();
        const [, name = "", email = ""] = /^(.+) <(.+)>$/.exec(author) ?? [];
        const stamp = `${date} +0000`;
        const identity = {
          GIT_AUTHOR_NAME: name,
          GIT_AUTHOR_EMAIL: email,
          GIT_AUTHOR_DATE: stamp,
          GIT_COMMITTER_NAME: name,
          GIT_COMMITTER_EMAIL: email,
          GIT_COMMITTER_DATE: stamp,
        };
        const commit = (
          await git(["commit-tree", "--no-gpg-sign", "-F", "-", tree], { env: identity, input: message })
        ).trim();
        await git(["update-ref", `refs/heads/${branch}`, requireCommitId(commit)]);
        return commit;
      } finally {
        await rm(index, { force: true });
      }
    },
  };
}

async function fetchAll(git: Git, url: string, options: readonly string[], commit: string): Promise<void> {
  const refs = ["+refs/heads/*:refs/remotes/fork/heads/*", "+refs/tags/*:refs/remotes/fork/tags/*"];
  await git(["fetch", ...options, url, ...refs], { remote: true }).catch((error: unknown) => {
    throw unreachable(url, error);
  });
  await git(["cat-file", "-e", commit]).catch((error: unknown) => {
    rethrowInterrupt(error, undefined);
    throw infrastructureError(`${url} does not have the commit ${commit}`);
  });
}

/** Checks a URL once more where git sees it: no option, no transport that runs programs. */
function requireUrl(url: string): void {
  const allowed = /^(https|ssh|file):\/\/[^\s]+$/.test(url) || /^[A-Za-z0-9._-]+@[A-Za-z0-9.-]+:[^\s:]+$/.test(url);
  if (!allowed || url.startsWith("-"))
    throw usageError(`${JSON.stringify(url)} is not an address of a git repository`, {
      hint: "https, ssh and file are",
    });
}

function requireCommitId(commit: string): string {
  if (!commitPattern.test(commit)) throw mismatch(`${JSON.stringify(commit)} is not a full commit id`);
  return commit;
}

function unreachable(url: string, cause: unknown): Error {
  rethrowInterrupt(cause, undefined);
  return infrastructureError(`${url} cannot be read: ${reasonOf(cause)}`, { cause });
}

/** What git and the server said of it: the lines that begin so, else the last one. */
function reasonOf(cause: unknown): string {
  const lines = messageOf(cause).trim().split("\n");
  const telling = lines.filter((line) => /^(fatal|error|remote): \S/.test(line)).slice(0, 3);
  return (telling.length > 0 ? telling.join("; ") : (lines.at(-1) ?? "")).slice(0, 500);
}

function rethrowInterrupt<T>(error: unknown, otherwise: T): T {
  if (error instanceof Error && "kind" in error && error.kind === "interrupted") throw interrupted();
  return otherwise;
}

function* batches(paths: readonly string[]): Generator<string[]> {
  for (let at = 0; at < paths.length; at += 200) yield paths.slice(at, at + 200);
}
