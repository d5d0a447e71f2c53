import { usageError } from "../errors.ts";
import type { CommitFile } from "../git/repository.ts";
import { readTar, type TarEntry } from "../oci/tar/read.ts";

/** A file of the tree in memory. */
export interface SourceFile {
  readonly mode: CommitFile["mode"];
  readonly content: Buffer;
}

/** A source tree gathered from archives; later entries replace earlier ones. */
export interface SourceTree {
  /**
   * Adds an archive. With `under`, its single top folder is replaced by that prefix, or the
   * prefix put before everything where there is no such folder, as dpkg-source does; without,
   * paths stay as they are.
   */
  add(tar: AsyncIterable<Uint8Array>, under?: string): Promise<void>;
  /** Removes everything below a folder, given with its slash. */
  remove(folder: string): void;
  /** A file's text; throws a usage error when it is not there. */
  readText(path: string): Promise<string>;
  /** All files in the order of their paths. */
  entries(): [string, SourceFile][];
}

const maxBytes = 2 * 1024 ** 3;
const maxFiles = 500_000;

/** An empty tree. */
export function collectTree(): SourceTree {
  const files = new Map<string, SourceFile>();
  let bytes = 0;
  return {
    async add(tar, under) {
      // hard links name entries as this archive writes them
      const written = new Map<string, SourceFile>();
      const tops = new Set<string>();
      for await (const entry of readTar(tar)) {
        const inside = cleanPath(entry.path);
        if (inside === "") continue;
        tops.add(inside.split("/")[0] ?? "");
        const file = await fileOf(entry, written);
        if (!file) continue;
        bytes += file.content.length;
        if (bytes > maxBytes || files.size + written.size > maxFiles)
          throw usageError(`the source is larger than ${maxBytes} bytes or ${maxFiles} files`);
        refuseGitFolder(inside);
        written.set(inside, file);
      }
      const [top = ""] = tops;
      const strip = under !== undefined && tops.size === 1 && !written.has(top) ? top.length + 1 : 0;
      for (const [inside, file] of written) files.set((under ?? "") + inside.slice(strip), file);
    },
    remove(folder) {
      for (const path of files.keys()) if (path.startsWith(folder)) files.delete(path);
    },
    async readText(path) {
      const file = files.get(path);
      if (!file) throw usageError(`the source has no ${path}`);
      return file.content.toString("utf8");
    },
    entries: () => [...files].toSorted(([a], [b]) => (a < b ? -1 : 1)),
  };
}

async function fileOf(entry: TarEntry, written: ReadonlyMap<string, SourceFile>): Promise<SourceFile | undefined> {
  if (entry.type === "directory") return undefined;
  if (entry.type === "symlink") return { mode: "120000", content: Buffer.from(entry.linkName) };
  if (entry.type === "hardlink") {
    const target = written.get(cleanPath(entry.linkName));
    if (!target)
      throw usageError(
        `the source archive has a hard link to something that is not in it: ${entry.path} -> ${entry.linkName}`,
      );
    return target;
  }
  if (entry.type !== "file")
    throw usageError(`the source archive has a ${entry.type}, which no source needs: ${entry.path}`);
  if (entry.size > maxBytes) throw usageError(`${entry.path} in the source archive is larger than ${maxBytes} bytes`);
  const content = Buffer.concat(await Array.fromAsync(entry.content));
  return { mode: (entry.mode & 0o111) === 0 ? "100644" : "100755", content };
}

/** A path as a list of names; refuses what would lead out of the tree. */
function cleanPath(path: string): string {
  const names = path.split("/").filter((name) => name !== "" && name !== ".");
  if (path.startsWith("/") || names.includes("..") || path.includes("\0"))
    throw usageError(`the source archive has a path that leads out of it: ${JSON.stringify(path)}`);
  return names.join("/");
}

/** git refuses such names when it checks out; better said here. */
function refuseGitFolder(path: string): void {
  if (path.split("/").some((name) => name.toLowerCase() === ".git"))
    throw usageError(`the source archive has a .git inside: ${path}`);
}
