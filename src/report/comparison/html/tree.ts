import type { FileEvidence, PlatformEvidence } from "../../../compare/evidence/types.ts";
import type { Difference } from "../../../compare/types.ts";
import type { Kind } from "./filter.ts";

/** A path that differs, as a leaf of a tree. */
export interface Leaf {
  /** With a slash before it. */
  readonly path: string;
  readonly kinds: readonly Kind[];
  readonly evidence?: FileEvidence;
}

/** A folder with what differs in it; a chain of folders with nothing beside them is one. */
export interface Folder {
  readonly name: string;
  readonly folders: readonly Folder[];
  readonly leaves: readonly Named[];
  /** How many leaves there are in it and below. */
  readonly count: number;
}

/** A leaf under the name that it has in its folder. */
export interface Named {
  readonly name: string;
  readonly leaf: Leaf;
}

/** Folders nest no deeper than this; what lies deeper keeps the rest of its path as its name. */
const maxDepth = 12;

/** Every path of a platform that differs and is known by name, sorted. */
export function leavesOf(differences: readonly Difference[], evidence: PlatformEvidence | undefined): Leaf[] {
  const kinds = new Map<string, Kind[]>();
  const known = weightsByClass(differences);
  for (const { class: name, weight, scope, paths } of differences) {
    if (scope !== "filesystem" && scope !== "entries") continue;
    for (const path of paths) {
      if (!path.startsWith("/")) continue;
      const told = kinds.get(path);
      if (told) told.push({ class: name, weight });
      else kinds.set(path, [{ class: name, weight }]);
    }
  }
  const seen = new Map((evidence?.files ?? []).map((file) => [file.path, file]));
  return [...new Set([...kinds.keys(), ...seen.keys()])].toSorted().map((path) => {
    const file = seen.get(path);
    const told = kinds.get(path) ?? [];
    const others = (file?.classes ?? [])
      .filter((name) => !told.some((kind) => kind.class === name))
      .map((name) => ({ class: name, weight: weightOf(known.get(name) ?? [], file?.weight) }));
    return { path, kinds: [...told, ...others], ...(file && { evidence: file }) };
  });
}

function weightsByClass(differences: readonly Difference[]): Map<string, Kind["weight"][]> {
  const known = new Map<string, Kind["weight"][]>();
  for (const { class: name, weight } of differences) known.set(name, [...(known.get(name) ?? []), weight]);
  return known;
}

/** The weight of a class at a path that its difference does not list: the file's own, if the class has it anywhere. */
function weightOf(known: readonly Kind["weight"][], ofFile: Kind["weight"] = "explained"): Kind["weight"] {
  return known.includes(ofFile) ? ofFile : (known[0] ?? ofFile);
}

interface OpenFolder {
  readonly folders: Map<string, OpenFolder>;
  readonly leaves: Named[];
}

/** The leaves as a tree; folders come by name, as the leaves do. */
export function growTree(leaves: readonly Leaf[]): Folder {
  const root = newFolder();
  for (const leaf of leaves) {
    const parts = leaf.path.slice(1).split("/");
    const depth = Math.min(parts.length - 1, maxDepth);
    let folder = root;
    for (const part of parts.slice(0, depth)) {
      const inside = folder.folders.get(part) ?? newFolder();
      folder.folders.set(part, inside);
      folder = inside;
    }
    folder.leaves.push({ name: parts.slice(depth).join("/"), leaf });
  }
  return closed("", root);
}

function newFolder(): OpenFolder {
  return { folders: new Map(), leaves: [] };
}

function closed(name: string, { folders, leaves }: OpenFolder): Folder {
  const inside = [...folders].map(([part, folder]) => closed(part, folder));
  const [only] = inside;
  if (name !== "" && only && inside.length === 1 && leaves.length === 0)
    return { ...only, name: `${name}/${only.name}` };
  return { name, folders: inside, leaves, count: inside.reduce((sum, { count }) => sum + count, leaves.length) };
}
