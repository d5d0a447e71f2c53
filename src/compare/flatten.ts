import { infrastructureError } from "../errors.ts";
import {
  type AttributeTable,
  type EntryFacts,
  type FlatEntry,
  isWhiteout,
  type LayerEntry,
  opaqueMarker,
  whiteoutPrefix,
} from "./entry.ts";

/** A name in the flattened image, and what stands there. */
export interface TreeNode {
  facts: EntryFacts;
  /** Of a folder. */
  readonly children: Map<string, TreeNode> | undefined;
  /** One object for all names of a file with hard links. */
  links?: HardLinks;
  /** What a hard link's own header says of mode, owner and xattrs when its file says otherwise. */
  readonly linkHeader?: string;
}

/** The names of one file, counted when the tree is whole. */
interface HardLinks {
  count: number;
  first: string;
}

/** An image's file system, all layers applied. */
export interface Tree {
  readonly root: TreeNode;
  /** Whether any file has more than one name. */
  readonly hasHardLinks: boolean;
}

/** Folders that no layer describes are made like this by container runtimes. */
const impliedFolder: EntryFacts = {
  attributes: { type: "directory", mode: 0o755, uid: "0", gid: "0", xattrs: "", device: "" },
  linkName: "",
  content: "",
  size: 0,
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
export function flattenLayers(layers: readonly (readonly LayerEntry[])[], attributes: AttributeTable): Tree {
  const implied = { ...impliedFolder, attributes: attributes(impliedFolder.attributes) };
  const root: TreeNode = { facts: implied, children: new Map() };
  for (const layer of layers) applyLayer(root, layer, implied);
  return { root, hasHardLinks: countLinks(root) };
}

function applyLayer(root: TreeNode, layer: readonly LayerEntry[], implied: EntryFacts): void {
  const hardLinks = layer.filter(({ path, attributes }) => attributes.type === "hardlink" && !isWhiteout(path));
  // a runtime may meet a link before the whiteout that hides what it links to
  const below = new Map(hardLinks.map((entry) => [entry, find(root, entry.linkName)]));
  for (const { path } of layer) if (isWhiteout(path)) hideBelow(root, path);
  const early: LayerEntry[] = [];
  for (const entry of layer) {
    if (isWhiteout(entry.path)) continue;
    if (entry.attributes.type !== "hardlink") place(root, entry, implied);
    else if (!linkTo(root, entry, find(root, entry.linkName), implied)) early.push(entry);
  }
  for (const entry of early) {
    if (!linkTo(root, entry, below.get(entry) ?? find(root, entry.linkName), implied))
      throw infrastructureError(
        `the hard link /${entry.path} is to /${entry.linkName}, which is not in the image: no runtime would unpack it`,
      );
  }
}

function hideBelow(root: TreeNode, path: string): void {
  const { folder, name } = split(path);
  const children = walk(root, folder)?.children;
  if (name === opaqueMarker) children?.clear();
  else children?.delete(name.slice(whiteoutPrefix.length));
}

/** Puts something at a path; what was there goes, unless both are folders. */
function place(root: TreeNode, entry: LayerEntry, implied: EntryFacts): void {
  const { type } = entry.attributes;
  if (entry.path === "") {
    if (type !== "directory") throw infrastructureError(`a layer has a ${type} where the image's root is`);
    root.facts = entry;
    return;
  }
  const { siblings, name } = parentOf(root, entry.path, implied);
  const before = siblings.get(name);
  if (type === "directory" && before?.children) before.facts = entry;
  else siblings.set(name, { facts: entry, children: type === "directory" ? new Map() : undefined });
}

function linkTo(root: TreeNode, link: LayerEntry, target: TreeNode | undefined, implied: EntryFacts): boolean {
  if (!target || target.children) return false;
  const { siblings, name } = parentOf(root, link.path, implied);
  const linkHeader = headerOf(link, target.facts);
  target.links ??= { count: 0, first: "" };
  siblings.set(name, {
    facts: target.facts,
    children: undefined,
    links: target.links,
    ...(linkHeader !== "" && { linkHeader }),
  });
  return true;
}

/** Some runtimes apply a link's own header to the file, and some do not: what it says differently is told. */
function headerOf({ attributes: link }: LayerEntry, { attributes: file }: EntryFacts): string {
  const isSame =
    link.mode === file.mode &&
    link.uid === file.uid &&
    link.gid === file.gid &&
    (link.xattrs === "" || link.xattrs === file.xattrs);
  return isSame ? "" : JSON.stringify([link.mode, link.uid, link.gid, link.xattrs]);
}

function parentOf(
  root: TreeNode,
  path: string,
  implied: EntryFacts,
): { siblings: Map<string, TreeNode>; name: string } {
  const { folder, name } = split(path);
  const siblings = walk(root, folder, implied)?.children;
  if (!siblings)
    throw infrastructureError(`a layer has /${path}, and /${folder} is no folder: no runtime would unpack it`);
  return { siblings, name };
}

/** What stands at a path, its parents' links followed and its own not. */
function find(root: TreeNode, path: string): TreeNode | undefined {
  const { folder, name } = split(path);
  return walk(root, folder)?.children?.get(name);
}

/**
 * The folder at a path, links on the way followed inside the image, absolute ones from
 * its root. What is missing is made where `implied` is given; nothing when it is not there or no folder.
 */
function walk(root: TreeNode, folder: string, implied?: EntryFacts): TreeNode | undefined {
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
    if (next?.facts.attributes.type === "symlink") {
      const { linkName } = next.facts;
      followed += 1;
      if (followed > maxLinksFollowed)
        throw infrastructureError(`a layer has something in /${folder}, where links lead in a circle`);
      if (linkName.startsWith("/")) trail = [root];
      rest.push(...linkName.split("/").toReversed());
      continue;
    }
    if (!next && implied && children) {
      next = { facts: implied, children: new Map() };
      children.set(name, next);
    }
    if (!next?.children) return undefined;
    trail.push(next);
  }
  return trail.at(-1);
}

/** Counts the names of files with hard links, and refuses paths that no system has; whether there are such files. */
function countLinks(root: TreeNode): boolean {
  let found = false;
  visitTree(root, (path, { links }) => {
    if (path.length > maxPathLength)
      throw infrastructureError(
        `the image has a path of more than ${maxPathLength} characters: ${path.slice(0, 100)}...`,
      );
    if (!links) return;
    if (links.count === 0 || path < links.first) links.first = path;
    links.count += 1;
    found ||= links.count > 1;
  });
  return found;
}

/** Visits every path of a tree; the root is the empty path. No recursion, however deep it is. */
export function visitTree(root: TreeNode, visit: (path: string, node: TreeNode) => void): void {
  const pending: [string, TreeNode][] = [["", root]];
  for (let next = pending.pop(); next; next = pending.pop()) {
    const [path, node] = next;
    visit(path, node);
    for (const [name, child] of node.children ?? []) pending.push([path === "" ? name : `${path}/${name}`, child]);
  }
}

/** What a node is, seen alone. */
export function flatEntry({ facts, links, linkHeader }: TreeNode): FlatEntry {
  return { facts, group: links && links.count > 1 ? links.first : "", linkHeader: linkHeader ?? "" };
}

function split(path: string): { folder: string; name: string } {
  const slash = path.lastIndexOf("/");
  return slash === -1 ? { folder: "", name: path } : { folder: path.slice(0, slash), name: path.slice(slash + 1) };
}
