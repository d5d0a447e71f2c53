import { infrastructureError } from "../errors.ts";
import { type EntryFacts, type FlatEntry, type LayerEntry, opaqueMarker, whiteoutPrefix } from "./entry.ts";

/** What hard links of one another share. */
interface Inode {
  readonly facts: EntryFacts;
}

interface Node {
  inode: Inode;
  /** Of a folder. */
  readonly children: Map<string, Node> | undefined;
  readonly linkHeader?: string;
}

/** Folders that no layer describes are made like this by container runtimes. */
const impliedFolder: EntryFacts = {
  type: "directory",
  mode: 0o755,
  uid: "0",
  gid: "0",
  linkName: "",
  xattrs: "",
  device: "",
  content: "",
};
const maxLinksFollowed = 255;
/** Linux's PATH_MAX. */
const maxPathLength = 4096;

/**
 * Applies layers one over another as image-spec's layer.md says: whiteouts and opaque
 * markers hide what lower layers put there, wherever in their own layer they stand; the
 * rest is applied in the archive's order; a parent that is a link is followed inside
 * the image, as container runtimes do. The root is the empty path. Throws an
 * infrastructure error for layers that no runtime can unpack.
 */
export function flattenLayers(layers: readonly (readonly LayerEntry[])[]): Map<string, FlatEntry> {
  const root: Node = { inode: { facts: impliedFolder }, children: new Map() };
  for (const layer of layers) applyLayer(root, layer);
  return describeTree(root);
}

function applyLayer(root: Node, layer: readonly LayerEntry[]): void {
  const hardLinks = layer.filter(({ path, facts }) => facts.type === "hardlink" && !isWhiteout(path));
  // a runtime may meet a link before the whiteout that hides what it links to
  const below = new Map(hardLinks.map((entry) => [entry, find(root, entry.facts.linkName)]));
  for (const { path } of layer) hideBelow(root, path);
  const early: LayerEntry[] = [];
  for (const entry of layer) {
    if (isWhiteout(entry.path)) continue;
    if (entry.facts.type !== "hardlink") place(root, entry.path, entry.facts);
    else if (!linkTo(root, entry, find(root, entry.facts.linkName))) early.push(entry);
  }
  for (const entry of early) {
    if (!linkTo(root, entry, below.get(entry) ?? find(root, entry.facts.linkName)))
      throw infrastructureError(
        `the hard link /${entry.path} is to /${entry.facts.linkName}, which is not in the image: no runtime would unpack it`,
      );
  }
}

function isWhiteout(path: string): boolean {
  return split(path).name.startsWith(whiteoutPrefix);
}

function hideBelow(root: Node, path: string): void {
  const { folder, name } = split(path);
  if (!name.startsWith(whiteoutPrefix)) return;
  const children = walk(root, folder, false)?.children;
  if (name === opaqueMarker) children?.clear();
  else children?.delete(name.slice(whiteoutPrefix.length));
}

/** Puts something at a path; what was there goes, unless both are folders. */
function place(root: Node, path: string, facts: EntryFacts): void {
  const isFolder = facts.type === "directory";
  if (path === "") {
    if (!isFolder) throw infrastructureError(`a layer has a ${facts.type} where the image's root is`);
    root.inode = { facts };
    return;
  }
  const { siblings, name } = parentOf(root, path);
  const before = siblings.get(name);
  if (isFolder && before?.children) before.inode = { facts };
  else siblings.set(name, { inode: { facts }, children: isFolder ? new Map() : undefined });
}

function linkTo(root: Node, { path, facts }: LayerEntry, target: Node | undefined): boolean {
  if (!target || target.children) return false;
  const { siblings, name } = parentOf(root, path);
  const linkHeader = headerOf(facts, target.inode.facts);
  siblings.set(name, { inode: target.inode, children: undefined, ...(linkHeader !== "" && { linkHeader }) });
  return true;
}

/** Some runtimes apply a link's own header to the file, and some do not: what it says differently is told. */
function headerOf(link: EntryFacts, file: EntryFacts): string {
  const isSame =
    link.mode === file.mode &&
    link.uid === file.uid &&
    link.gid === file.gid &&
    (link.xattrs === "" || link.xattrs === file.xattrs);
  return isSame ? "" : JSON.stringify([link.mode, link.uid, link.gid, link.xattrs]);
}

function parentOf(root: Node, path: string): { siblings: Map<string, Node>; name: string } {
  const { folder, name } = split(path);
  const siblings = walk(root, folder, true)?.children;
  if (!siblings)
    throw infrastructureError(`a layer has /${path}, and /${folder} is no folder: no runtime would unpack it`);
  return { siblings, name };
}

/** What stands at a path, its parents' links followed and its own not. */
function find(root: Node, path: string): Node | undefined {
  const { folder, name } = split(path);
  return walk(root, folder, false)?.children?.get(name);
}

/**
 * The folder at a path, links on the way followed inside the image, absolute ones from
 * its root. What is missing is made when `make` says so; nothing when it is not there or no folder.
 */
function walk(root: Node, folder: string, make: boolean): Node | undefined {
  let trail = [root];
  const rest = folder.split("/").toReversed();
  for (let followed = 0; rest.length > 0; ) {
    const name = rest.pop() ?? "";
    if (name === "" || name === ".") continue;
    if (name === "..") {
      if (trail.length > 1) trail.pop();
      continue;
    }
    const children = trail.at(-1)?.children;
    let next = children?.get(name);
    if (next?.inode.facts.type === "symlink") {
      const { linkName } = next.inode.facts;
      followed += 1;
      if (followed > maxLinksFollowed)
        throw infrastructureError(`a layer has something in /${folder}, where links lead in a circle`);
      if (linkName.startsWith("/")) trail = [root];
      rest.push(...linkName.split("/").toReversed());
      continue;
    }
    if (!next && make && children) {
      next = { inode: { facts: impliedFolder }, children: new Map() };
      children.set(name, next);
    }
    if (!next?.children) return undefined;
    trail.push(next);
  }
  return trail.at(-1);
}

function describeTree(root: Node): Map<string, FlatEntry> {
  const found: [string, Node][] = [["", root]];
  const names = new Map<Inode, string[]>();
  // the list grows while it is walked: no recursion, however deep the tree
  for (const [path, { inode, children }] of found) {
    if (path.length > maxPathLength)
      throw infrastructureError(
        `the image has a path of more than ${maxPathLength} characters: ${path.slice(0, 100)}...`,
      );
    const known = names.get(inode);
    if (known) known.push(path);
    else names.set(inode, [path]);
    for (const [name, child] of children ?? []) found.push([path === "" ? name : `${path}/${name}`, child]);
  }
  for (const paths of names.values()) if (paths.length > 1) paths.sort();
  return new Map(
    found.map(([path, { inode, linkHeader }]) => {
      const [first = "", ...others] = names.get(inode) ?? [];
      const group = others.length > 0 ? first : "";
      return [path, { ...inode.facts, group, ...(linkHeader !== undefined && { linkHeader }) }];
    }),
  );
}

function split(path: string): { folder: string; name: string } {
  const slash = path.lastIndexOf("/");
  return slash === -1 ? { folder: "", name: path } : { folder: path.slice(0, slash), name: path.slice(slash + 1) };
}
