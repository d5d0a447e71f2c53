import { isApkDatabase, recordsOf, valueOf } from "../compare/packages/apk.ts";
import { parseStanzas, type Stanza } from "../compare/packages/stanzas.ts";
import { copyrightLicence, declaredLicence } from "./licences.ts";
import type { Distribution } from "./os-release.ts";
import { apkPurl, debPurl } from "./purl.ts";
import { cleanLatin } from "./text.ts";
import type { BillPackage } from "./types.ts";

/** Packages, and what of their database could not be read, as sentences. */
export interface PackagesRead {
  readonly packages: readonly BillPackage[];
  readonly gaps: readonly string[];
}

const statusPath = "var/lib/dpkg/status";
const statusFolder = "var/lib/dpkg/status.d/";
const maxPackages = 100_000;
const maxFieldLength = 256;

/** Where the copyright file of a Debian package is, for {@link readDebianPackages}. */
export function isCopyrightFile(path: string): boolean {
  return /^usr\/share\/doc\/[^/]+\/copyright$/.test(path);
}

/**
 * The packages of dpkg's database, and of that of images without dpkg (`status.d`), whose
 * files are in the image: all but those that are not installed or of which only the
 * configuration is left. `files` has the databases and copyright files by path.
 */
export function readDebianPackages(files: ReadonlyMap<string, Buffer>, distribution: Distribution): PackagesRead {
  const packages: BillPackage[] = [];
  const gaps: string[] = [];
  const add = (stanza: Stanza, path: string): void => {
    const found = debianPackage(stanza, files, distribution);
    if (found) packages.push(found);
    else gaps.push(`/${path} has a package without a name or version, or with one that is too long`);
  };
  for (const [path, bytes] of files) {
    const isStatus = path === statusPath;
    if (!isStatus && (!path.startsWith(statusFolder) || path.endsWith(".md5sums"))) continue;
    const stanzas = parseStanzas(bytes);
    if (!stanzas || (!isStatus && stanzas.length > 1)) gaps.push(`/${path} is no list of Debian packages`);
    else for (const stanza of stanzas) if (!isStatus || isUnpacked(stanza)) add(stanza, path);
    if (packages.length > maxPackages) break;
  }
  return bounded(packages, gaps);
}

/** The packages of apk's database. */
export function readApkPackages(files: ReadonlyMap<string, Buffer>, distribution: Distribution): PackagesRead {
  const packages: BillPackage[] = [];
  const gaps: string[] = [];
  for (const [path, bytes] of files) {
    if (!isApkDatabase(path)) continue;
    if (countRecords(bytes) > maxPackages) {
      gaps.push(`/${path} has more than ${maxPackages} packages`);
      continue;
    }
    for (const lines of recordsOf(bytes)) {
      const found = apkPackage(lines, distribution);
      if (found) packages.push(found);
      else gaps.push(`/${path} has a package without a name or version, or with one that is too long`);
    }
  }
  return bounded(packages, gaps);
}

function bounded(packages: readonly BillPackage[], gaps: readonly string[]): PackagesRead {
  const isTooMany = packages.length > maxPackages;
  return {
    packages: packages.slice(0, maxPackages),
    gaps: [...new Set(gaps), ...(isTooMany ? [`the image has more than ${maxPackages} packages`] : [])],
  };
}

/** dpkg(1), package states: in all others the package's files are there, as they are for one on hold. */
function isUnpacked(stanza: Stanza): boolean {
  const state = (stanza.field("status") ?? "").split(" ").at(-1) ?? "";
  return !["", "not-installed", "config-files"].includes(state);
}

function debianPackage(
  stanza: Stanza,
  files: ReadonlyMap<string, Buffer>,
  distribution: Distribution,
): BillPackage | undefined {
  const field = (name: string): string => cleanLatin(stanza.field(name) ?? "");
  const [name, version, architecture] = [field("package"), field("version"), field("architecture")];
  if (!areUsable([name, version], [architecture, field("source")])) return undefined;
  // "Source: NAME (VERSION)", left out where it says no more than the package does
  const [, sourceName = name, sourceVersion = version] = /^(\S+)(?: \(([^)]+)\))?$/.exec(field("source")) ?? [];
  const copyright = files.get(`usr/share/doc/${name}/copyright`);
  const licence = copyright && copyrightLicence(copyright);
  return {
    type: "deb",
    name,
    version,
    architecture,
    purl: debPurl(name, version, architecture, distribution),
    source: {
      name: sourceName,
      version: sourceVersion,
      purl: debPurl(sourceName, sourceVersion, "source", distribution),
    },
    ...(licence && { licence }),
    supplier: distribution.name,
    programs: [],
  };
}

function apkPackage(lines: readonly string[], distribution: Distribution): BillPackage | undefined {
  const field = (letter: string): string => cleanLatin(valueOf(lines, letter));
  const [name, version, architecture, origin] = [field("P"), field("V"), field("A"), field("o")];
  if (!areUsable([name, version], [architecture, origin])) return undefined;
  const licence = declaredLicence(field("L"));
  return {
    type: "apk",
    name,
    version,
    architecture,
    purl: apkPurl(name, version, architecture, distribution),
    ...(origin !== "" && { source: { name: origin, version } }),
    ...(licence && { licence }),
    supplier: distribution.name,
    programs: [],
  };
}

function areUsable(required: readonly string[], optional: readonly string[]): boolean {
  return (
    required.every((text) => text !== "") && [...required, ...optional].every((text) => text.length <= maxFieldLength)
  );
}

/** Before they are taken apart: a file of empty records is small, and what is made of them is not. */
function countRecords(bytes: Buffer): number {
  let count = 1;
  for (let at = bytes.indexOf("\n\n"); at !== -1 && count <= maxPackages; at = bytes.indexOf("\n\n", at + 2))
    count += 1;
  return count;
}
