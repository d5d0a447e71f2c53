import type { FlatEntry } from "./entry.ts";
import { flatEntry, type Tree, type TreeNode } from "./flatten.ts";

/** A path at which two trees differ; a side that has nothing there has no entry. */
export interface Residual {
  /** Without a slash before it; the root is the empty path. */
  readonly path: string;
  readonly left?: FlatEntry;
  readonly right?: FlatEntry;
}

/** One respect in which the two entries of a path differ. */
export interface Facet {
  readonly class: (typeof residualClasses)[number];
  readonly detail: string;
}

/** The classes of what differs at a path as long as nothing explains it. */
export const residualClasses = [
  "device-number",
  "entry-missing-left",
  "entry-missing-right",
  "file-content",
  "file-mode",
  "file-owner",
  "file-type",
  "hardlink-copy",
  "hardlink-header",
  "link-target",
  "xattrs",
] as const;

/** Every path at which two trees differ, sorted. */
export function findResiduals(left: Tree, right: Tree): Residual[] {
  const residuals: Residual[] = [];
  const pending: [string, TreeNode | undefined, TreeNode | undefined][] = [["", left.root, right.root]];
  for (let next = pending.pop(); next; next = pending.pop()) {
    const [path, a, b] = next;
    if (!a || !b || differs(a, b))
      residuals.push({ path, ...(a && { left: flatEntry(a) }), ...(b && { right: flatEntry(b) }) });
    const inside = (name: string): string => (path === "" ? name : `${path}/${name}`);
    for (const [name, child] of a?.children ?? []) pending.push([inside(name), child, b?.children?.get(name)]);
    for (const [name, child] of b?.children ?? [])
      if (!a?.children?.has(name)) pending.push([inside(name), undefined, child]);
  }
  return residuals.toSorted((x, y) => (x.path < y.path ? -1 : 1));
}

function differs(a: TreeNode, b: TreeNode): boolean {
  const [x, y] = [a.facts, b.facts];
  if (x !== y && (x.attributes !== y.attributes || x.content !== y.content || x.linkName !== y.linkName)) return true;
  if (!a.links && !b.links && a.linkHeader === b.linkHeader) return false;
  const [p, q] = [flatEntry(a), flatEntry(b)];
  return p.group !== q.group || p.linkHeader !== q.linkHeader;
}

/** In what the two entries of a path differ. */
export function facetsOf({ left, right }: Residual): Facet[] {
  if (!left || !right) {
    return left
      ? [{ class: "entry-missing-right", detail: "only the first image has it" }]
      : [{ class: "entry-missing-left", detail: "only the second image has it" }];
  }
  const [a, b] = [left.facts.attributes, right.facts.attributes];
  if (a.type !== b.type) return [{ class: "file-type", detail: `${a.type} and ${b.type}` }];
  const facets: Facet[] = [];
  const add = (name: Facet["class"], detail: string): void => void facets.push({ class: name, detail });
  if (a.mode !== b.mode) add("file-mode", `mode ${octal(a.mode)} and ${octal(b.mode)}`);
  if (a.uid !== b.uid || a.gid !== b.gid) add("file-owner", `owner ${a.uid}:${a.gid} and ${b.uid}:${b.gid}`);
  if (left.facts.linkName !== right.facts.linkName)
    add("link-target", `target ${left.facts.linkName} and ${right.facts.linkName}`);
  if (a.xattrs !== b.xattrs) add("xattrs", "other extended attributes");
  if (a.device !== b.device) add("device-number", `device ${a.device} and ${b.device}`);
  if (left.facts.content !== right.facts.content)
    add("file-content", `content ${hexStart(left.facts.content)} and ${hexStart(right.facts.content)}`);
  if (left.group !== right.group) add("hardlink-copy", "linked to other names");
  if (left.linkHeader !== right.linkHeader) add("hardlink-header", "a link's own header gives other attributes");
  return facets;
}

function octal(mode: number): string {
  return mode.toString(8).padStart(4, "0");
}

/** The first digits of a digest that has one character for each byte. */
function hexStart(content: string): string {
  return Buffer.from(content, "latin1").toString("hex").slice(0, 12);
}
