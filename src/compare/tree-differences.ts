import type { Difference } from "./types.ts";
import type { FlatEntry } from "./entry.ts";

const examples = 100;

/** Collects differences of one class; gives them in a fixed order. */
function createDifferenceList(scope: Difference["scope"]): {
  add(name: string, path: string, detail: string): void;
  list(): Difference[];
} {
  const found = new Map<string, { paths: string[]; detail: string }>();
  return {
    add(name, path, detail) {
      const entry = found.get(name) ?? { paths: [], detail };
      entry.paths.push(path);
      found.set(name, entry);
    },
    list: () =>
      [...found]
        .toSorted(([a], [b]) => (a < b ? -1 : 1))
        .map(([name, { paths, detail }]) => {
          const sorted = paths.toSorted();
          return {
            class: name,
            scope,
            count: paths.length,
            paths: sorted.slice(0, examples),
            detail,
            weight: "unexplained",
          };
        }),
  };
}

/** What differs between two trees (of one layer, or flattened), by kind. */
export function compareTrees(
  left: ReadonlyMap<string, FlatEntry>,
  right: ReadonlyMap<string, FlatEntry>,
  scope: "entries" | "filesystem",
): Difference[] {
  const differences = createDifferenceList(scope);
  for (const [path, a] of left) {
    const b = right.get(path);
    const shown = `/${path}`;
    if (!b) differences.add("entry-missing-right", shown, "only the first image has it");
    else compareEntries(a, b, (name, detail) => differences.add(name, shown, detail));
  }
  for (const path of right.keys())
    if (!left.has(path)) differences.add("entry-missing-left", `/${path}`, "only the second image has it");
  return differences.list();
}

function compareEntries(a: FlatEntry, b: FlatEntry, add: (name: string, detail: string) => void): void {
  if (a.type !== b.type) {
    add("file-type", `${a.type} and ${b.type}`);
    return;
  }
  if (a.mode !== b.mode) add("file-mode", `mode ${octal(a.mode)} and ${octal(b.mode)}`);
  if (a.uid !== b.uid || a.gid !== b.gid) add("file-owner", `owner ${a.uid}:${a.gid} and ${b.uid}:${b.gid}`);
  if (a.linkName !== b.linkName) add("link-target", `target ${a.linkName} and ${b.linkName}`);
  if (a.xattrs !== b.xattrs) add("xattrs", "other extended attributes");
  if (a.device !== b.device) add("device-number", `device ${a.device} and ${b.device}`);
  if (a.content !== b.content) add("file-content", `content ${a.content.slice(0, 12)} and ${b.content.slice(0, 12)}`);
  if (a.group !== b.group) add("hardlink", "linked to other names");
  else if (a.linkHeader !== b.linkHeader) add("hardlink", "the link's own header gives other attributes");
}

function octal(mode: number): string {
  return mode.toString(8).padStart(4, "0");
}
