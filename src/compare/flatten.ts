import type { EntryFacts } from "./layer-entries.ts";

/** A node of a flattened image; nodes that are hard links of one another share `inode`. */
interface Node {
  readonly facts: EntryFacts;
  readonly inode: { readonly path: string };
}

/** What a path of the flattened image is; `group` names the hard-linked files it belongs to. */
export interface FlatEntry extends EntryFacts {
  readonly group: string;
}

const whiteoutPrefix = ".wh.";
const opaqueMarker = ".wh..wh..opq";
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
const maxLinkSteps = 255;

/**
 * Applies layers one over another as image-spec's layer.md says: whiteouts and opaque
 * markers hide what lower layers put there, wherever in their own layer they stand; a
 * parent that is a link is followed, as container runtimes do.
 */
export function flattenLayers(layers: readonly ReadonlyMap<string, EntryFacts>[]): Map<string, FlatEntry> {
  const tree = new Map<string, Node>([["", { facts: impliedFolder, inode: { path: "" } }]]);
  for (const layer of layers) applyLayer(tree, layer);
  return describeTree(tree);
}

function applyLayer(tree: Map<string, Node>, layer: ReadonlyMap<string, EntryFacts>): void {
  const hidden: string[] = [];
  for (const path of layer.keys()) {
    const { folder, name } = split(path);
    if (name === opaqueMarker) hidden.push(`${resolveFolder(tree, folder)}/*`);
    else if (name.startsWith(whiteoutPrefix))
      hidden.push(join(resolveFolder(tree, folder), name.slice(whiteoutPrefix.length)));
  }
  for (const path of hidden) {
    if (path.endsWith("/*")) removeBelow(tree, path.slice(0, -2).replace(/^\//, ""));
    else removeTree(tree, path);
  }
  const links: [string, EntryFacts][] = [];
  for (const [path, facts] of layer) {
    const { folder, name } = split(path);
    if (name.startsWith(whiteoutPrefix)) continue;
    const place = path === "" ? "" : join(resolveFolder(tree, folder), name);
    // links come last: what they name may stand behind them in the archive
    if (facts.type === "hardlink") links.push([place, facts]);
    else placeNode(tree, place, { facts, inode: { path: place } });
  }
  for (const [place, facts] of links) {
    const { folder, name } = split(facts.linkName);
    const target = tree.get(join(resolveFolder(tree, folder), name));
    placeNode(tree, place, target ?? { facts, inode: { path: place } });
  }
}

/** Puts a node at a path; what was there goes, unless both are folders. */
function placeNode(tree: Map<string, Node>, path: string, node: Node): void {
  makeFolders(tree, split(path).folder);
  const before = tree.get(path);
  if (before?.facts.type === "directory" && node.facts.type !== "directory") removeTree(tree, path);
  tree.set(path, node);
}

function makeFolders(tree: Map<string, Node>, folder: string): void {
  if (tree.get(folder)?.facts.type === "directory") return;
  if (folder !== "") makeFolders(tree, split(folder).folder);
  tree.set(folder, { facts: impliedFolder, inode: { path: folder } });
}

function removeTree(tree: Map<string, Node>, path: string): void {
  tree.delete(path);
  removeBelow(tree, path);
}

function removeBelow(tree: Map<string, Node>, folder: string): void {
  const start = folder === "" ? "" : `${folder}/`;
  for (const path of tree.keys()) if (path !== "" && path.startsWith(start)) tree.delete(path);
}

/** A folder's path with links on the way followed inside the image, absolute ones from its root. */
function resolveFolder(tree: ReadonlyMap<string, Node>, folder: string): string {
  let rest = folder.split("/").filter(Boolean);
  let at: string[] = [];
  for (let steps = 0; rest.length > 0 && steps < maxLinkSteps * 16; steps += 1) {
    const [name = "", ...others] = rest;
    rest = others;
    if (name === ".") continue;
    if (name === "..") {
      at.pop();
      continue;
    }
    const facts = tree.get([...at, name].join("/"))?.facts;
    if (facts?.type !== "symlink") {
      at.push(name);
      continue;
    }
    if (facts.linkName.startsWith("/")) at = [];
    rest = [...facts.linkName.split("/").filter(Boolean), ...rest];
    if (rest.length > 4096) return folder;
  }
  return rest.length > 0 ? folder : at.join("/");
}

function describeTree(tree: ReadonlyMap<string, Node>): Map<string, FlatEntry> {
  const names = new Map<Node["inode"], string[]>();
  for (const [path, { inode }] of tree) names.set(inode, [...(names.get(inode) ?? []), path]);
  const flat = new Map<string, FlatEntry>();
  for (const [path, { facts, inode }] of tree) {
    const paths = names.get(inode) ?? [];
    flat.set(path, { ...facts, group: paths.length > 1 ? (paths.toSorted()[0] ?? "") : "" });
  }
  return flat;
}

function split(path: string): { folder: string; name: string } {
  const slash = path.lastIndexOf("/");
  return slash === -1 ? { folder: "", name: path } : { folder: path.slice(0, slash), name: path.slice(slash + 1) };
}

function join(folder: string, name: string): string {
  return folder === "" ? name : `${folder}/${name}`;
}
