import { openPackageData } from "../debian/package-file.ts";
import { infrastructureError } from "../errors.ts";
import { readTar } from "../oci/tar/read.ts";
import type { TarInput } from "../oci/tar/write.ts";

/** One published package: its bytes, and its file name for messages. */
export interface OpenPackage {
  readonly name: string;
  readonly bytes: AsyncIterable<Uint8Array>;
}

const maxFileBytes = 256 * 1024 * 1024;
const maxTotalBytes = 1024 * 1024 * 1024;
const maxEntries = 100_000;

type Picked = Exclude<TarInput, { type: "file" }> | (Extract<TarInput, { type: "file" }> & { content: Uint8Array });

/**
 * Picks files out of packages: `files` maps a path in the image to a path in one of them,
 * and a folder (both end in a slash) to all that is below. Owners, modes and times are
 * those of the packages; a folder that no package has is root's, with mode 0755, as old
 * as the newest file. Sorted by path. Throws an infrastructure error when a path is in no
 * package, two packages have it, or there is more than can be held.
 */
export async function pickPackageFiles(
  files: Readonly<Record<string, string>>,
  packages: readonly OpenPackage[],
): Promise<TarInput[]> {
  const wanted = Object.entries(files).map(([to, from]) => ({ to: to.slice(1), from: from.slice(1) }));
  const found = new Map<string, Picked>();
  const met = new Set<string>();
  const folders = new Map<string, Picked>();
  let total = 0;
  for (const { name, bytes } of packages) {
    for await (const entry of readTar(openPackageData(bytes))) {
      const path = cleanPath(entry.path);
      const { type } = entry;
      if (type !== "file" && type !== "directory" && type !== "symlink" && type !== "hardlink") continue;
      const targets = type === "directory" ? [] : wanted.flatMap((want) => targetOf(path, want) ?? []);
      const common = {
        mode: entry.mode & 0o7777,
        uid: Number(entry.uid),
        gid: Number(entry.gid),
        mtime: Math.trunc(Number(entry.mtime)),
      };
      if (type === "directory") {
        for (const want of wanted) {
          if (want.from.endsWith("/") && `${path}/` === want.from) met.add(want.from);
          for (const to of folderTargets(path, want)) folders.set(to, { ...common, type, path: to });
        }
        continue;
      }
      if (targets.length === 0) continue;
      const content = type === "file" ? await contentOf(entry, name) : undefined;
      total += content?.length ?? 0;
      if (total > maxTotalBytes || found.size > maxEntries)
        throw infrastructureError(`${name} has more files than can be held: name fewer of them`);
      for (const { to, from } of targets) {
        met.add(from);
        if (found.has(to)) throw infrastructureError(`/${to} is in two packages: ${name} and one before it`);
        if (content) found.set(to, { ...common, type: "file", path: to, size: content.length, content });
        else if (type === "symlink") found.set(to, { ...common, type, path: to, linkName: entry.linkName });
        else found.set(to, { ...common, type: "hardlink", path: to, linkName: hardlinkTarget(entry.linkName, wanted) });
      }
    }
  }
  const missing = wanted.filter(({ from }) => !met.has(from)).map(({ from }) => `/${from}`);
  if (missing.length > 0)
    throw infrastructureError(
      `${packages.map(({ name }) => name).join(", ")} ${packages.length === 1 ? "lacks" : "lack"} ${missing.join(", ")}`,
    );
  return withFolders([...found.values()], folders);
}

function cleanPath(path: string): string {
  return path.replace(/^\.\//, "").replace(/\/$/, "");
}

/** Where a path of a package goes by one of the pairs. */
function targetOf(
  path: string,
  { to, from }: { readonly to: string; readonly from: string },
): { readonly to: string; readonly from: string } | undefined {
  if (!from.endsWith("/")) return path === from ? { to, from } : undefined;
  return path.startsWith(from) ? { to: to + path.slice(from.length), from } : undefined;
}

/** Where a folder of a package goes: below one that is wanted whole, or above the target of a file that keeps its path. */
function folderTargets(path: string, { to, from }: { readonly to: string; readonly from: string }): string[] {
  if (from.endsWith("/") && `${path}/`.startsWith(from)) return [cleanPath(to + `${path}/`.slice(from.length))];
  return to === from && from.startsWith(`${path}/`) ? [path] : [];
}

function hardlinkTarget(linkName: string, wanted: readonly { readonly to: string; readonly from: string }[]): string {
  const path = cleanPath(linkName);
  const target = wanted.map((want) => targetOf(path, want)?.to).find((to) => to !== undefined);
  if (target === undefined) throw infrastructureError(`/${path} has another name in the package; name it too`);
  return target;
}

async function contentOf(
  entry: { readonly path: string; readonly size: number; readonly content: AsyncIterable<Uint8Array> },
  name: string,
): Promise<Uint8Array> {
  if (entry.size > maxFileBytes)
    throw infrastructureError(`${entry.path} in ${name} is larger than ${maxFileBytes} bytes`);
  return Buffer.concat(await Array.fromAsync(entry.content));
}

/** Every folder above an entry has one too, as a builder writes them. */
function withFolders(entries: readonly Picked[], known: ReadonlyMap<string, Picked>): TarInput[] {
  const newest = Math.max(0, ...entries.map(({ mtime }) => mtime));
  const all = new Map<string, TarInput>(entries.map((entry) => [entry.path, entry]));
  for (const [path, folder] of known) if (path !== "") all.set(path, folder);
  for (const { path } of [...all.values()]) {
    for (let end = path.lastIndexOf("/"); end > 0; end = path.lastIndexOf("/", end - 1)) {
      const above = path.slice(0, end);
      if (!all.has(above))
        all.set(above, { type: "directory", path: above, mode: 0o755, uid: 0, gid: 0, mtime: newest });
    }
  }
  // hard links come after what they link to
  return [...all.values()].toSorted((a, b) => {
    const rank = Number(a.type === "hardlink") - Number(b.type === "hardlink");
    return rank || (a.path < b.path ? -1 : 1);
  });
}
