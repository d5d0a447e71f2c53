import type { PackageDrift } from "../types.ts";
import { packageOfRecord } from "./dpkg.ts";
import type { InstalledPackage } from "./types.ts";

/** Which of two images has a path. */
export interface Presence {
  readonly left: boolean;
  readonly right: boolean;
}

/** Tells which package a path that differs belongs to. */
export interface DriftOwner {
  /**
   * The package of another version that owns the path on every side that has it. It says
   * nothing of modes, owners and attributes: those are never the business of a version.
   */
  ownerOf(path: string, presence: Presence): PackageDrift | undefined;
}

/**
 * The packages that both sides have in other versions, or one side lacks, by name. An
 * image without any database says nothing of versions, so nothing drifts against it.
 */
export function packageDrift(left: readonly InstalledPackage[], right: readonly InstalledPackage[]): PackageDrift[] {
  if (left.length === 0 || right.length === 0) return [];
  const [a, b] = [byKey(left), byKey(right)];
  const drift: PackageDrift[] = [];
  for (const key of [...new Set([...a.keys(), ...b.keys()])].toSorted()) {
    const [mine, theirs] = [a.get(key), b.get(key)];
    const some = mine ?? theirs;
    if (!some || mine?.version === theirs?.version) continue;
    drift.push({
      database: some.database,
      name: some.name,
      ...(mine && { left: mine.version }),
      ...(theirs && { right: theirs.version }),
    });
  }
  return drift;
}

/** Prepares the lookup of owners from both sides' packages. */
export function createDriftOwner(left: readonly InstalledPackage[], right: readonly InstalledPackage[]): DriftOwner {
  const drifts = new Map(packageDrift(left, right).map((drift) => [drift.name, drift]));
  const [a, b] = [ownersByPath(left, drifts), ownersByPath(right, drifts)];
  return {
    ownerOf(path, presence) {
      const record = drifts.get(packageOfRecord(path) ?? "");
      if (record) return record;
      const mine = presence.left ? a.get(merged(path)) : undefined;
      const theirs = presence.right ? b.get(merged(path)) : undefined;
      if ((presence.left && mine === undefined) || (presence.right && theirs === undefined)) return undefined;
      if (mine !== undefined && theirs !== undefined && mine !== theirs) return undefined;
      return drifts.get(mine ?? theirs ?? "");
    },
  };
}

/** Paths that packages of other versions list, and no package beside them. */
function ownersByPath(
  packages: readonly InstalledPackage[],
  drifts: ReadonlyMap<string, PackageDrift>,
): Map<string, string> {
  const owners = new Map<string, string>();
  const settled = new Set<string>();
  for (const { name, files } of packages) {
    for (const file of files) {
      const path = merged(file);
      if (!drifts.has(name)) settled.add(path);
      else owners.set(path, name);
    }
  }
  // a folder that other packages have too is no business of this one's version
  for (const path of settled) owners.delete(path);
  return owners;
}

const mergedFolders = /^(?:bin|sbin|lib|lib32|lib64|libx32)\//;

/** dpkg lists may name a path as it was before /usr was merged. */
function merged(path: string): string {
  return mergedFolders.test(path) ? `usr/${path}` : path;
}

function byKey(packages: readonly InstalledPackage[]): Map<string, InstalledPackage> {
  return new Map(packages.map((found) => [`${found.name} ${found.architecture} ${found.database}`, found]));
}
