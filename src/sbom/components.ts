import { hash } from "node:crypto";
import { isPackageDatabaseFile, needsForPackages, readPackages } from "../compare/packages/databases.ts";
import { isElf } from "../compare/formats/elf.ts";
import { interrupted } from "../errors.ts";
import type { ContentReader, Descriptor } from "../oci/types.ts";
import { isCopyrightFile, readApkPackages, readDebianPackages } from "./distribution-packages.ts";
import { type GoBuildInfo, goPackages, readGoBuildInfo } from "./go-modules.ts";
import { type ImageFile, type ImageFiles, maxFileBytes, withImageFiles } from "./image-files.ts";
import { type Distribution, osReleasePaths, readOsRelease } from "./os-release.ts";
import { cleanText } from "./text.ts";
import type { BillProgram, ImageContents } from "./types.ts";

const debian: Distribution = { id: "debian", label: "", name: "Debian" };
const alpine: Distribution = { id: "alpine", label: "", name: "Alpine Linux" };
/** Largest package database, and all their files together: they are held in memory. */
const maxDatabaseBytes = 64 * 1024 ** 2;
const maxDatabasesBytes = 256 * 1024 ** 2;
const maxCopyrightBytes = 1024 ** 2;
/** Nothing smaller is a program with build information, or one that anybody wants to see listed. */
const minProgramBytes = 64;
const maxPrograms = 10_000;

/**
 * The packages and programs of an image: its layers flattened, its package databases
 * (dpkg, `status.d`, apk) and the build information of its Go programs read. What is too
 * large, damaged or not in a known form is told as a gap. Throws an infrastructure error
 * for an image that cannot be read or that no runtime would unpack, and one of kind
 * `interrupted` when the signal aborts.
 */
export async function readImagePackages(
  reader: ContentReader,
  manifest: Descriptor,
  signal: AbortSignal = new AbortController().signal,
): Promise<ImageContents> {
  try {
    return await withImageFiles(reader, manifest, readContents, signal);
  } catch (error) {
    if (signal.aborted) throw interrupted();
    throw error;
  }
}

async function readContents(image: ImageFiles): Promise<ImageContents> {
  const databases = await readDatabases(image);
  const { contents } = databases;
  const release = osReleasePaths.map((path) => contents.get(path)).find((bytes) => bytes !== undefined);
  const deb = readDebianPackages(contents, readOsRelease(release, debian));
  const apk = readApkPackages(contents, readOsRelease(release, alpine));
  const programs = await readPrograms(image, ownedPaths(contents));
  return {
    packages: [...deb.packages, ...apk.packages, ...goPackages(programs.go)],
    programs: programs.listed,
    gaps: [...databases.gaps, ...deb.gaps, ...apk.gaps, ...programs.gaps],
  };
}

interface DatabasesRead {
  readonly contents: ReadonlyMap<string, Buffer>;
  readonly gaps: readonly string[];
}

async function readDatabases(image: ImageFiles): Promise<DatabasesRead> {
  const gaps: string[] = [];
  const wanted: ImageFile[] = [];
  let total = 0;
  for (const file of image.files) {
    const { path, facts } = file;
    const isSmall = isCopyrightFile(path) || (osReleasePaths as readonly string[]).includes(path);
    if (!isSmall && !needsForPackages(path)) continue;
    if (facts.size > (isSmall ? maxCopyrightBytes : maxDatabaseBytes) || total + facts.size > maxDatabasesBytes) {
      // without a copyright file a licence is not known, and nothing is missing from the list
      if (isPackageDatabaseFile(path)) gaps.push(`/${cleanText(path)} is too large to be read`);
      continue;
    }
    total += facts.size;
    wanted.push(file);
  }
  await image.gather(wanted);
  const contents = new Map<string, Buffer>();
  for (const file of wanted) {
    const bytes = await image.read(file);
    if (bytes) contents.set(file.path, bytes);
  }
  return { contents, gaps };
}

/** Paths that packages list, as they are after /usr was merged too. */
function ownedPaths(contents: ReadonlyMap<string, Buffer>): ReadonlySet<string> {
  const owned = new Set<string>();
  for (const { files } of readPackages(contents))
    for (const path of files) {
      owned.add(path);
      if (/^(?:bin|sbin|lib|lib32|lib64|libx32)\//.test(path)) owned.add(`usr/${path}`);
    }
  return owned;
}

interface ProgramsRead {
  readonly go: ReadonlyMap<string, GoBuildInfo>;
  readonly listed: readonly BillProgram[];
  readonly gaps: readonly string[];
}

async function readPrograms(image: ImageFiles, owned: ReadonlySet<string>): Promise<ProgramsRead> {
  const candidates = image.files.filter(
    ({ facts }) => (facts.attributes.mode & 0o111) !== 0 && facts.size >= minProgramBytes,
  );
  await image.gather(candidates);
  const go = new Map<string, GoBuildInfo>();
  const listed: BillProgram[] = [];
  const gaps: string[] = [];
  for (const file of candidates) {
    const path = `/${cleanText(file.path)}`;
    const bytes = await image.read(file);
    if (!bytes) {
      gaps.push(`${path} is too large to be looked into (${file.facts.size} bytes, at most ${maxFileBytes} are read)`);
      continue;
    }
    if (!isElf(bytes)) continue;
    const info = readGoBuildInfo(bytes);
    if (!info && owned.has(file.path)) continue;
    if (info) go.set(path, info);
    listed.push({ path, sha256: hash("sha256", bytes, "hex"), size: bytes.length });
    if (listed.length < maxPrograms) continue;
    gaps.push(`the image has more than ${maxPrograms} programs outside of packages`);
    break;
  }
  return { go, listed, gaps };
}
