import { mkdir, readFile, rename, rm, writeFile } from "node:fs/promises";
import { join } from "node:path";
import pLimit from "p-limit";
import { infrastructureError } from "../errors.ts";
import type { OciLayout } from "../oci/layout.ts";
import { run, runChecked } from "../process/run.ts";
import { createPrivateApt, type ResolvedPackage } from "./apt.ts";
import type { Mirror } from "./mirror.ts";

/** Programs taken from Debian packages into a folder of ours, without installing them. */
export interface ToolSet {
  readonly name: string;
  /** `package/suite` choices, best first; the first whose `check` programs run is kept. */
  readonly choices: readonly (readonly string[])[];
  /** Programs, relative to the unpacked root, that must answer `--version` with exit code 0. */
  readonly check: readonly string[];
  /** Whether the packages' dependencies that this system lacks come along. */
  readonly withDependencies?: boolean;
}

/** A tool set that is unpacked. */
export interface UnpackedTools {
  /** The folder that plays the file system's root. */
  readonly root: string;
  /** Package versions by name. */
  readonly versions: Readonly<Record<string, string>>;
  readonly reused: boolean;
}

interface UnpackOptions {
  /** Where tool sets are kept. */
  readonly folder: string;
  readonly blobs: OciLayout;
  readonly mirror: Mirror;
  readonly temporaryFolder: string;
  readonly signal?: AbortSignal;
  readonly onProgress?: (doing: string) => void;
}

/** The unpacked tool set, if it was unpacked before. */
export async function findTools(folder: string, set: ToolSet): Promise<UnpackedTools | undefined> {
  const root = join(folder, set.name);
  const text = await readFile(join(root, marker), "utf8").catch(() => undefined);
  if (text === undefined) return undefined;
  const recorded = JSON.parse(text) as { readonly choices: unknown; readonly versions: Record<string, string> };
  if (JSON.stringify(recorded.choices) !== JSON.stringify(set.choices)) return undefined;
  return { root, versions: recorded.versions, reused: true };
}

const marker = ".refoundry-tools.json";

/**
 * Gives a tool set, unpacking it from the mirror the first time. The folder appears
 * under its name in one step. Needs apt-get and dpkg-deb; throws an infrastructure
 * error that says so where they are missing.
 */
export async function unpackTools(set: ToolSet, options: UnpackOptions): Promise<UnpackedTools> {
  const found = await findTools(options.folder, set);
  if (found) return found;
  await requireDebianTools(set);
  const failures: string[] = [];
  for (const choice of set.choices) {
    const unpacked = await tryChoice(set, choice, options);
    if (typeof unpacked !== "string") return unpacked;
    failures.push(`${choice.join(" ")}: ${unpacked}`);
  }
  throw infrastructureError(`no choice of packages for ${set.name} works on this machine\n${failures.join("\n")}`);
}

async function requireDebianTools(set: ToolSet): Promise<void> {
  const probe = await run({ file: "dpkg-deb", args: ["--version"] }).catch(() => undefined);
  if (probe?.exitCode === 0) return;
  throw infrastructureError(
    `${set.name} would be unpacked from Debian packages, and this machine has no apt and dpkg`,
    {
      hint: "on a machine that is not Debian, install Docker with buildx (and mmdebstrap, for toolchains that are package lists)",
    },
  );
}

async function tryChoice(
  set: ToolSet,
  choice: readonly string[],
  options: UnpackOptions,
): Promise<UnpackedTools | string> {
  const { signal, onProgress = () => {} } = options;
  const work = join(options.temporaryFolder, `tools-${set.name}`);
  await mkdir(work, { recursive: true });
  onProgress(`resolving ${choice.length} packages`);
  const packages = await resolveChoice(set, choice, work, options);
  const limit = pLimit(4);
  await Promise.all(packages.map((file) => limit(() => options.mirror.fetchFile(file, signal))));
  const root = join(work, "root");
  await mkdir(root, { recursive: true });
  for (const file of packages) {
    onProgress(`unpacking ${file.name} ${file.version}`);
    const blob = options.blobs.blobPath(`sha256:${file.sha256}`);
    await runChecked(
      { file: "dpkg-deb", args: ["-x", blob, root], ...(signal && { signal }) },
      `unpacking ${file.name}`,
    );
  }
  for (const program of set.check) {
    const result = await run({
      file: join(root, program),
      args: ["--version"],
      timeoutSeconds: 20,
      ...(signal && { signal }),
    });
    if (result.exitCode !== 0) {
      await rm(work, { recursive: true, force: true });
      return `${program} does not start here: ${(result.stderr || result.stdout).trim().slice(0, 300)}`;
    }
  }
  const versions = Object.fromEntries(packages.map((file) => [file.name, file.version]));
  await writeFile(join(root, marker), JSON.stringify({ choices: set.choices, versions }, null, 2));
  await mkdir(options.folder, { recursive: true });
  const destination = join(options.folder, set.name);
  await rm(destination, { recursive: true, force: true });
  await rename(root, destination);
  await rm(work, { recursive: true, force: true });
  return { root: destination, versions, reused: false };
}

async function resolveChoice(
  set: ToolSet,
  choice: readonly string[],
  work: string,
  options: UnpackOptions,
): Promise<ResolvedPackage[]> {
  const architecture = (
    await runChecked({ file: "dpkg", args: ["--print-architecture"] }, "asking dpkg")
  ).stdout.trim();
  const apt = await createPrivateApt({
    folder: join(work, "apt"),
    mirrorRoot: await options.mirror.rootUrl(),
    suites: [...new Set(choice.map((entry) => entry.split("/")[1] ?? ""))],
    architectures: [architecture],
    ...(set.withDependencies && { status: "/var/lib/dpkg/status" }),
    ...(options.signal && { signal: options.signal }),
  });
  await apt.update();
  return set.withDependencies ? apt.resolveInstall(choice) : apt.resolveDownload(choice);
}
