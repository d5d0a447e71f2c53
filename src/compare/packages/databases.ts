import { isApkDatabase, readApk } from "./apk.ts";
import { isDpkgFile, isNeededByDpkg, readDpkg } from "./dpkg.ts";
import type { InstalledPackage } from "./types.ts";

/** Whether a file, by its path without a slash before it, belongs to a package database. */
export function isPackageDatabaseFile(path: string): boolean {
  return isDpkgFile(path) || isApkDatabase(path);
}

/** Whether {@link readPackages} reads a file. */
export function needsForPackages(path: string): boolean {
  return isNeededByDpkg(path) || isApkDatabase(path);
}

/** The packages of all databases that an image has, by name. What cannot be read has no packages. */
export function readPackages(files: ReadonlyMap<string, Buffer>): InstalledPackage[] {
  return [...readDpkg(files), ...readApk(files)].toSorted((a, b) => (keyOf(a) < keyOf(b) ? -1 : 1));
}

function keyOf({ name, architecture, version }: InstalledPackage): string {
  return `${name} ${architecture} ${version}`;
}
