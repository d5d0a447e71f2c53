import type { InstalledPackage } from "./types.ts";

const databases: ReadonlySet<string> = new Set(["lib/apk/db/installed", "usr/lib/apk/db/installed"]);

/** Whether a file is apk's database of installed packages. */
export function isApkDatabase(path: string): boolean {
  return databases.has(path);
}

/** The packages of apk's database with their files. */
export function readApk(files: ReadonlyMap<string, Buffer>): InstalledPackage[] {
  return [...files].filter(([path]) => isApkDatabase(path)).flatMap(([, bytes]) => recordsOf(bytes).map(packageOf));
}

/** The records, each as its lines; a record ends with an empty line. */
export function recordsOf(bytes: Buffer): readonly (readonly string[])[] {
  return bytes
    .toString("latin1")
    .split("\n\n")
    .map((record) => record.split("\n").filter((line) => line !== ""))
    .filter((lines) => lines.length > 0);
}

/** The value of the first line of a record with that letter. */
export function valueOf(lines: readonly string[], letter: string): string {
  return lines.find((line) => line.startsWith(`${letter}:`))?.slice(2) ?? "";
}

function packageOf(lines: readonly string[]): InstalledPackage {
  const files: string[] = [];
  let folder = "";
  for (const line of lines) {
    if (line.startsWith("F:")) {
      folder = line.slice(2);
      if (folder !== "") files.push(text(folder));
    } else if (line.startsWith("R:")) files.push(text(folder === "" ? line.slice(2) : `${folder}/${line.slice(2)}`));
  }
  return {
    database: "apk",
    name: valueOf(lines, "P"),
    architecture: valueOf(lines, "A"),
    version: valueOf(lines, "V"),
    files,
  };
}

function text(latin: string): string {
  return Buffer.from(latin, "latin1").toString("utf8");
}

/** The database without the records of some packages, the rest by name. */
export function installedWithout(path: string, bytes: Buffer, drifting: ReadonlySet<string>): Buffer | undefined {
  if (!isApkDatabase(path)) return undefined;
  const rest = recordsOf(bytes).filter((lines) => !drifting.has(valueOf(lines, "P")));
  const texts = rest.map((lines) => lines.join("\n")).toSorted();
  return Buffer.from(texts.join("\n\n"), "latin1");
}
