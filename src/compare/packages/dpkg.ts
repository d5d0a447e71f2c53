import { parseStanzas, type Stanza } from "./stanzas.ts";
import type { InstalledPackage } from "./types.ts";

const status = "var/lib/dpkg/status";
const statusFolder = "var/lib/dpkg/status.d/";
const info = "var/lib/dpkg/info/";

/** Whether a file belongs to dpkg's database, or to that of images without dpkg (`status.d`). */
export function isDpkgFile(path: string): boolean {
  return path === status || path.startsWith(statusFolder) || path.startsWith(info);
}

/** Whether {@link readDpkg} reads a file. */
export function isNeededByDpkg(path: string): boolean {
  return path === status || path.startsWith(statusFolder) || (path.startsWith(info) && path.endsWith(".list"));
}

/** The packages of dpkg's database, with their files. */
export function readDpkg(files: ReadonlyMap<string, Buffer>): InstalledPackage[] {
  const packages: InstalledPackage[] = [];
  for (const stanza of parseStanzas(files.get(status) ?? Buffer.alloc(0)) ?? []) {
    if (!hasFiles(stanza.field("status"))) continue;
    const name = stanza.field("package") ?? "";
    const list = files.get(`${info}${name}.list`) ?? files.get(`${info}${name}:${stanza.field("architecture")}.list`);
    packages.push(packageOf(stanza, linesOf(list)));
  }
  for (const [path, bytes] of files) {
    if (!path.startsWith(statusFolder) || path.endsWith(".md5sums")) continue;
    const [stanza, ...others] = parseStanzas(bytes) ?? [];
    if (!stanza || others.length > 0) continue;
    const sums = linesOf(files.get(`${path}.md5sums`)).map((line) => line.replace(/^[0-9a-f]{32} [ *]/, ""));
    packages.push(packageOf(stanza, [path, `${path}.md5sums`, ...sums]));
  }
  return packages;
}

/** Whether a package of that `Status` has its files in place: on hold or half configured is installed too (dpkg(1), package states). */
function hasFiles(field: string | undefined): boolean {
  const state = field?.trim().split(/\s+/)[2] ?? "";
  return !["", "not-installed", "config-files"].includes(state);
}

function packageOf(stanza: Stanza, files: readonly string[]): InstalledPackage {
  return {
    database: "dpkg",
    name: stanza.field("package") ?? "",
    architecture: stanza.field("architecture") ?? "",
    version: stanza.field("version") ?? "",
    files: files.map((path) => path.replace(/^\.?\/+/, "")),
  };
}

function linesOf(bytes: Buffer | undefined): string[] {
  return (bytes?.toString("utf8") ?? "").split("\n").filter((line) => line !== "" && line !== "/.");
}

/** The package whose record in `info/` or `status.d/` a file is, as `name`. */
export function packageOfRecord(path: string): string | undefined {
  if (path.startsWith(statusFolder)) return path.slice(statusFolder.length).replace(/\.md5sums$/, "");
  if (!path.startsWith(info)) return undefined;
  return /^([a-z0-9][a-z0-9+.-]*?)(?::[a-z0-9-]+)?\.[a-z0-9]+$/.exec(path.slice(info.length))?.[1];
}

/** The status file without the records of some packages, the rest in the order of their names. */
export function statusWithout(path: string, bytes: Buffer, drifting: ReadonlySet<string>): Buffer | undefined {
  if (path !== status) return undefined;
  const rest = parseStanzas(bytes)?.filter((stanza) => !drifting.has(stanza.field("package") ?? ""));
  return rest && sorted(rest);
}

/** Paragraphs by package and architecture. */
export function sorted(stanzas: readonly Stanza[]): Buffer {
  const key = (stanza: Stanza): string => `${stanza.field("package")} ${stanza.field("architecture")} ${stanza.text}`;
  const texts = stanzas.toSorted((a, b) => (key(a) < key(b) ? -1 : 1)).map(({ text }) => `${text}\n\n`);
  return Buffer.from(texts.join(""), "latin1");
}
