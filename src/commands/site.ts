import { mkdir, readdir, readFile, rm, stat, writeFile } from "node:fs/promises";
import { dirname, join, relative, resolve, sep } from "node:path";
import { errorCode, usageError } from "../errors.ts";
import { readRuns } from "../history/history.ts";
import { createRegistryClient } from "../oci/registry/client.ts";
import { readSettings } from "../settings.ts";
import { openHistory } from "./nightly.ts";
import type { NightlyRun } from "../nightly-run.ts";
import { renderSite, type SiteOptions } from "../report/site/render-site.ts";
import { byCodeUnit } from "../recipe/words.ts";
import { type CliContext, type CommonFlags, runCommand } from "./context.ts";

/** Flags of `refoundry site`. */
export interface SiteFlags extends CommonFlags {
  /** Where runs are kept, when none are named. */
  readonly history?: string;
  /** How many of them are drawn. */
  readonly runs?: number;
  /** Folder of the site; `site` by default. */
  readonly out?: string;
  readonly title?: string;
  /** Where the site will be, for the feed's links: `https://host/path/`. */
  readonly baseUrl?: string;
  /** Where the runs' folders are, from the site's root or as a URL. */
  readonly reports?: string;
}

/** Folders that belong to the site whole: a page in them that is not drawn any more goes. */
const ownFolders = ["recipes", "runs", "badges"];

/** `refoundry site RUN...`: runs are files of `refoundry/nightly/v1`, or folders that hold such files. */
export function site(this: CliContext, flags: SiteFlags, ...paths: string[]): Promise<void> {
  return runCommand(this, flags, async () => {
    const runs =
      paths.length > 0
        ? await readRunFiles(paths.map((path) => resolve(this.cwd, path)))
        : await readHistory(this, flags);
    if (runs.length === 0)
      throw usageError(`there is no run in ${paths.join(", ")}`, {
        hint: "refoundry nightly writes out/nightly/ID/run.json",
      });
    const folder = resolve(this.cwd, flags.out ?? "site");
    const { files, bytes } = await writeSite(runs, folder, readSiteOptions(flags));
    const text = `${runs.length} ${runs.length === 1 ? "run" : "runs"}, ${files} files: ${join(flags.out ?? "site", "index.html")}`;
    return {
      text,
      document: { schema: "refoundry/site-result/v1", folder, runs: runs.length, files, bytes },
      exitCode: 0,
    };
  });
}

async function readHistory(context: CliContext, flags: SiteFlags): Promise<NightlyRun[]> {
  const { env } = context.process;
  const registry = createRegistryClient({ env });
  try {
    const history = await openHistory(flags.history, { settings: readSettings(env), registry });
    const runs = await readRuns(history, { limit: flags.runs ?? 365, signal: context.signal });
    if (runs.length > 0) return runs;
    throw usageError(`${history.name} has no runs`, { hint: "refoundry nightly makes one" });
  } finally {
    await registry.close();
  }
}

/** What the flags say of a site; throws a usage error for a URL that cannot be one. */
export function readSiteOptions({ title, baseUrl, reports }: SiteFlags): SiteOptions {
  if (baseUrl !== undefined && !/^https?:\/\/\S+$/.test(baseUrl))
    throw usageError(`--base-url takes the address of the site, and got ${baseUrl}`, {
      hint: "as in https://host/path/",
    });
  if (reports !== undefined && /^(?!https?:)[^/]*:/i.test(reports))
    throw usageError(`--reports takes a folder below the site, or an http address, and got ${reports}`);
  return {
    ...(title !== undefined && { title }),
    ...(baseUrl !== undefined && { baseUrl: baseUrl.replace(/\/?$/, "/") }),
    ...(reports !== undefined && { reports }),
  };
}

/**
 * Draws a site (runs newest first) into a folder: a new one, an empty one, or one with a
 * site of an earlier time, whose pages that are no more go. Other files in it stay. Gives
 * how many files it has, and bytes. Throws a usage error for a folder of anything else.
 */
export async function writeSite(
  runs: readonly NightlyRun[],
  folder: string,
  options: SiteOptions,
): Promise<{ readonly files: number; readonly bytes: number }> {
  await refuseOther(folder);
  const files = renderSite(runs, options);
  let bytes = 0;
  for (const [path, text] of files) {
    const file = join(folder, path);
    await mkdir(dirname(file), { recursive: true });
    await writeFile(file, text);
    bytes += Buffer.byteLength(text);
  }
  for (const own of ownFolders) await removeOthers(folder, own, files);
  return { files: files.size, bytes };
}

async function refuseOther(folder: string): Promise<void> {
  const names = await readdir(folder).catch((cause: unknown) => {
    if (errorCode(cause) === "ENOENT") return [];
    throw usageError(`${folder} cannot be the site's folder (${errorCode(cause) ?? "unknown reason"})`, { cause });
  });
  if (names.length === 0) return;
  const data = await readFile(join(folder, "data.json"), "utf8").catch(() => "");
  if (!data.slice(0, 100).includes('"refoundry/site/v1"'))
    throw usageError(`${folder} holds something else than a site, and is left alone`, {
      hint: "name a new folder with --out",
    });
}

async function removeOthers(folder: string, own: string, files: ReadonlyMap<string, string>): Promise<void> {
  const entries = await readdir(join(folder, own), { recursive: true, withFileTypes: true }).catch(() => []);
  for (const entry of entries) {
    const path = join(entry.parentPath, entry.name);
    if (!entry.isDirectory() && !files.has(relative(folder, path).replaceAll(sep, "/"))) await rm(path);
  }
}

/**
 * Reads runs from files, and from every `.json` below folders that is one. Newest first;
 * what is there twice counts once. Throws a usage error for a named file that is no run.
 */
export async function readRunFiles(paths: readonly string[]): Promise<NightlyRun[]> {
  const runs = new Map<string, NightlyRun>();
  for (const path of paths) {
    const found = await stat(path).catch((cause: unknown) => {
      throw usageError(`${path} cannot be read (${errorCode(cause) ?? "unknown reason"})`, { cause });
    });
    for (const file of found.isDirectory() ? await jsonFilesBelow(path) : [path]) {
      const run = asRun(await readFile(file, "utf8"));
      if (run) runs.set(run.id, run);
      else if (!found.isDirectory())
        throw usageError(`${file} is not a nightly run (refoundry/nightly/v1)`, {
          hint: "refoundry nightly writes them",
        });
    }
  }
  return [...runs.values()].sort((a, b) => byCodeUnit(b.startedAt, a.startedAt) || byCodeUnit(b.id, a.id));
}

async function jsonFilesBelow(folder: string): Promise<string[]> {
  const entries = await readdir(folder, { recursive: true, withFileTypes: true });
  return entries
    .filter((entry) => entry.isFile() && entry.name.endsWith(".json"))
    .map((entry) => join(entry.parentPath, entry.name))
    .sort(byCodeUnit);
}

function asRun(text: string): NightlyRun | undefined {
  // a cheap look first: beside the runs lie larger files of other kinds
  if (!text.slice(0, 400).includes("refoundry/nightly/v1")) return undefined;
  try {
    const parsed: unknown = JSON.parse(text);
    return isRun(parsed) ? parsed : undefined;
  } catch {
    return undefined;
  }
}

function isRun(value: unknown): value is NightlyRun {
  return (
    typeof value === "object" &&
    value !== null &&
    "schema" in value &&
    value.schema === "refoundry/nightly/v1" &&
    "id" in value &&
    typeof value.id === "string" &&
    "startedAt" in value &&
    typeof value.startedAt === "string" &&
    "releases" in value &&
    Array.isArray(value.releases) &&
    "notices" in value &&
    Array.isArray(value.notices)
  );
}
