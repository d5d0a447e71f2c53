import { createHash } from "node:crypto";
import { mkdir, readdir, writeFile } from "node:fs/promises";
import { join } from "node:path";
import { setImmediate } from "node:timers/promises";
import { pathToFileURL } from "node:url";
import { Deflate } from "pako";
import { infrastructureError, mismatch, usageError } from "../errors.ts";
import { type BareRepository, openBareRepository } from "./repository.ts";
import { createGit, openGitOutput } from "./run-git.ts";

/** Types of objects in a pack (gitformat-pack(5)). */
const packTypes: Readonly<Record<string, number>> = { commit: 1, tree: 2, blob: 3 };
const largestObject = 1024 ** 3;
const pieceBytes = 512 * 1024;

/**
 * One commit with its tree and no history as a git bundle (gitformat-bundle(5), version
 * 2), whose bytes depend on nothing but the commit: objects in the order of their ids,
 * none as a delta, compressed by one encoder; submodules are not in it. Where the commit has parents, who unbundles
 * it has to write its id into the repository's `shallow` file.
 */
export async function* openCommitBundle(
  repositoryPath: string,
  commit: string,
  signal?: AbortSignal,
): AsyncGenerator<Uint8Array> {
  const ids = await listObjects(repositoryPath, commit, signal);
  yield Buffer.from(`# v2 git bundle\n${commit} refs/heads/pinned\n\n`);
  const hash = createHash("sha1");
  for await (const chunk of packOf(repositoryPath, ids, signal)) {
    hash.update(chunk);
    yield chunk;
  }
  yield hash.digest();
}

/** The commit, then every tree and file of it, once each. */
async function listObjects(repositoryPath: string, commit: string, signal?: AbortSignal): Promise<string[]> {
  const git = createGit(repositoryPath, signal);
  const tree = (await git(["rev-parse", "--verify", `${commit}^{tree}`])).trim();
  const ids = new Set([tree]);
  for (const line of (await git(["ls-tree", "-r", "-t", "-z", "--full-tree", commit])).split("\0")) {
    const [, mode, id] = /^(\d+) \w+ ([0-9a-f]{40})\t/.exec(line) ?? [];
    if (id === undefined) continue;
    // a submodule's commit is in a repository of its own, and has a bundle of its own
    if (mode !== "160000") ids.add(id);
  }
  return [commit, ...[...ids].toSorted()];
}

async function* packOf(repositoryPath: string, ids: readonly string[], signal?: AbortSignal): AsyncGenerator<Buffer> {
  const header = Buffer.alloc(12);
  header.write("PACK", 0, "latin1");
  header.writeUInt32BE(2, 4);
  header.writeUInt32BE(ids.length, 8);
  yield header;
  const options = { input: ids.map((id) => `${id}\n`).join(""), ...(signal && { signal }) };
  const output = openGitOutput(repositoryPath, ["cat-file", "--batch"], options);
  let count = 0;
  for await (const object of readBatch(output)) {
    const type = packTypes[object.type];
    if (type === undefined || object.id !== ids[count])
      throw infrastructureError(`git cat-file gave ${object.type} ${object.id} where ${ids[count]} was asked for`);
    count += 1;
    yield entryHeader(type, object.content.length);
    yield* deflated(object.content);
  }
  if (count !== ids.length) throw infrastructureError(`git cat-file gave ${count} of ${ids.length} objects`);
}

interface GitObject {
  readonly id: string;
  readonly type: string;
  readonly content: Buffer;
}

/** Reads what `git cat-file --batch` writes: `ID TYPE SIZE`, a newline, the content, a newline. */
async function* readBatch(chunks: AsyncIterable<Uint8Array>): AsyncGenerator<GitObject> {
  let held: Uint8Array[] = [];
  let size = 0;
  let wanted: { readonly id: string; readonly type: string; readonly size: number } | undefined;
  for await (const chunk of chunks) {
    held.push(chunk);
    size += chunk.length;
    // joined only once enough is there: a large object comes in many pieces
    if (wanted && size < wanted.size + 1) continue;
    let rest = Buffer.concat(held);
    for (;;) {
      if (!wanted) {
        const end = rest.indexOf(10);
        if (end === -1) break;
        wanted = parseHeader(rest.subarray(0, end).toString("latin1"));
        rest = rest.subarray(end + 1);
      }
      if (rest.length < wanted.size + 1) break;
      yield { id: wanted.id, type: wanted.type, content: rest.subarray(0, wanted.size) };
      rest = rest.subarray(wanted.size + 1);
      wanted = undefined;
    }
    held = [rest];
    size = rest.length;
  }
}

function parseHeader(line: string): { readonly id: string; readonly type: string; readonly size: number } {
  const [, id = "", type = "", size = ""] = /^([0-9a-f]{40}) (\w+) (\d+)$/.exec(line) ?? [];
  if (id === "") throw infrastructureError(`an object of the source is not there: ${line.slice(0, 100)}`);
  if (Number(size) > largestObject)
    throw usageError(`the source has a file of ${size} bytes; ${largestObject} are the most`);
  return { id, type, size: Number(size) };
}

/** Type and size, four bits and then seven at a time, the lowest first. */
function entryHeader(type: number, size: number): Buffer {
  const bytes: number[] = [];
  let first = (type << 4) | (size % 16);
  for (let rest = Math.floor(size / 16); rest > 0; rest = Math.floor(rest / 128)) {
    bytes.push(first | 0x80);
    first = rest % 128;
  }
  return Buffer.from([...bytes, first]);
}

/** zlib's format by the encoder whose bytes depend on no machine. */
async function* deflated(content: Buffer): AsyncGenerator<Buffer> {
  const ready: Buffer[] = [];
  const deflate = new Deflate({ level: 6, chunkSize: 64 * 1024 });
  deflate.onData = (chunk: Uint8Array) => void ready.push(Buffer.from(chunk));
  for (let at = 0; at < content.length; at += pieceBytes) {
    deflate.push(content.subarray(at, at + pieceBytes), false);
    yield* ready.splice(0);
    if (at + pieceBytes < content.length) await setImmediate();
  }
  deflate.push(new Uint8Array(0), true);
  yield* ready.splice(0);
}

/** Brings a commit into a repository out of a bundle file, as {@link adoptCommit}. */
export async function fetchFromBundle(
  repository: BareRepository,
  commit: string,
  bundleFile: string,
  folder: string,
  signal?: AbortSignal,
): Promise<void> {
  await adoptCommit(repository, commit, { folder, ...(signal && { signal }) }, async (path) => {
    await createGit(path, signal)(["bundle", "unbundle", bundleFile]);
  });
}

/**
 * Brings a commit into a repository out of objects that `fill` writes below the folder of an
 * empty repository (`objects/XX/...` and `objects/pack/*.pack`), as {@link adoptCommit}.
 */
export async function fetchFromObjects(
  repository: BareRepository,
  commit: string,
  options: { readonly folder: string; readonly signal?: AbortSignal },
  fill: (path: string) => Promise<void>,
): Promise<void> {
  await adoptCommit(repository, commit, options, async (path) => {
    await fill(path);
    const folder = join(path, "objects", "pack");
    for (const name of await readdir(folder).catch(() => []))
      if (name.endsWith(".pack")) await createGit(path, options.signal)(["index-pack", join(folder, name)]);
  });
}

/**
 * Brings one commit into a repository by way of another one that `fill` puts objects
 * into, so that what does not hold the whole commit never touches the first. Throws an
 * infrastructure error when the commit is not there or its objects are damaged.
 */
async function adoptCommit(
  repository: BareRepository,
  commit: string,
  options: { readonly folder: string; readonly signal?: AbortSignal },
  fill: (path: string) => Promise<void>,
): Promise<void> {
  const { folder, signal } = options;
  await mkdir(folder, { recursive: true });
  const path = join(folder, "adopted.git");
  await openBareRepository(path, signal);
  await fill(path);
  const git = createGit(path, signal);
  const listed = (await git(["cat-file", "commit", commit]).catch(() => "")).split("\n\n")[0] ?? "";
  if (!listed.startsWith("tree ")) throw infrastructureError(`the commit ${commit} is not in it`);
  if (/^parent /m.test(listed)) await writeFile(join(path, "shallow"), `${commit}\n`);
  await git(["update-ref", "refs/heads/pinned", commit]);
  await repository.fetchCommit(pathToFileURL(path).href, commit);
  if (!(await repository.hasCommit(commit))) throw mismatch(`the commit ${commit} did not come over whole`);
}
