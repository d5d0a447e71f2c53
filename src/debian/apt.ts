import { mkdir, writeFile } from "node:fs/promises";
import { join } from "node:path";
import { setTimeout as sleep } from "node:timers/promises";
import { RefoundryError, usageError } from "../errors.ts";
import { runChecked } from "../process/run.ts";
import type { PinnedFile } from "./mirror.ts";

/** A package that apt chose: one file of the pool. */
export interface ResolvedPackage extends PinnedFile {
  readonly name: string;
  readonly version: string;
  readonly architecture: string;
}

/** apt with a configuration, lists and state of its own; the system's are not touched. */
export interface PrivateApt {
  /** Fetches and verifies the suites' indexes. */
  update(): Promise<void>;
  /** The packages to install for a request and everything it depends on, from an empty system or `status`. */
  resolveInstall(request: readonly string[]): Promise<ResolvedPackage[]>;
  /** Just the packages named, `name` or `name/suite`. */
  resolveDownload(packages: readonly string[]): Promise<ResolvedPackage[]>;
  /** The files of a source package, its .dsc among them; `version` picks one where the suite has several. */
  resolveSource(name: string, version?: string): Promise<PinnedFile[]>;
  /** Folder with the verified Release files and indexes. */
  readonly listsFolder: string;
}

const keyring = "/usr/share/keyrings/debian-archive-keyring.gpg";

/** Makes a private apt in an empty folder. `status` is a dpkg status file; none means an empty system. */
export async function createPrivateApt(options: {
  readonly folder: string;
  readonly mirrorRoot: string;
  readonly suites: readonly string[];
  readonly architectures: readonly string[];
  readonly status?: string;
  /** Whether source packages are asked for too. */
  readonly sources?: boolean;
  readonly signal?: AbortSignal;
}): Promise<PrivateApt> {
  const { folder, architectures, signal } = options;
  const listsFolder = join(folder, "state", "lists");
  await mkdir(join(listsFolder, "partial"), { recursive: true });
  await mkdir(join(folder, "cache", "archives", "partial"), { recursive: true });
  await mkdir(join(folder, "parts"), { recursive: true });
  const kinds = options.sources ? ["deb", "deb-src"] : ["deb"];
  const lines = options.suites.flatMap((suite) =>
    kinds.map((kind) => `${kind} [signed-by=${keyring}] ${options.mirrorRoot} ${suite} main\n`),
  );
  await writeFile(join(folder, "sources.list"), lines.join(""));
  await writeFile(join(folder, "apt.conf"), aptConfiguration(folder, architectures, options.status ?? "/dev/null"));
  const apt = async (args: readonly string[], purpose: string): Promise<string> => {
    const env = { APT_CONFIG: join(folder, "apt.conf"), LC_ALL: "C" };
    const result = await runChecked(
      { file: "apt-get", args, env, timeoutSeconds: 600, ...(signal && { signal }) },
      purpose,
    );
    return result.stdout;
  };
  return {
    listsFolder,
    async update() {
      const purpose = `reading the package indexes of ${options.suites.join(", ")}`;
      for (const waitSeconds of [5, 20, 60]) {
        try {
          await apt(["update", "-qq"], purpose);
          return;
        } catch (error) {
          // a mirror in the middle of its update serves a new Release with old indexes, for a while
          if (!isMirrorSync(error)) throw error;
        }
        await sleep(waitSeconds * 1000, undefined, signal && { signal });
      }
      await apt(["update", "-qq"], purpose);
    },
    async resolveInstall(request) {
      const printed = await apt(["install", "--print-uris", "-y", "-qq", ...request], "resolving packages");
      return parsePrintedUris(printed, options.mirrorRoot);
    },
    async resolveDownload(packages) {
      const printed = await apt(["download", "--print-uris", "-qq", ...packages], "resolving packages");
      return parsePrintedUris(printed, options.mirrorRoot);
    },
    async resolveSource(name, version) {
      const wanted = version === undefined ? name : `${name}=${version}`;
      const printed = await apt(
        ["source", "--print-uris", "-qq", "--only-source", "--download-only", wanted],
        `resolving the source package ${wanted}`,
      );
      return printed
        .split("\n")
        .filter((line) => line.startsWith("'"))
        .map((line) => parseUri(line, options.mirrorRoot).file);
    },
  };
}

function isMirrorSync(error: unknown): boolean {
  return error instanceof RefoundryError && /Mirror sync in progress|Hash Sum mismatch/.test(error.message);
}

function aptConfiguration(folder: string, architectures: readonly string[], status: string): string {
  const [native = "amd64"] = architectures;
  return [
    `Dir::Etc::main "/dev/null";`,
    `Dir::Etc::parts "${folder}/parts";`,
    `Dir::Etc::sourcelist "${folder}/sources.list";`,
    `Dir::Etc::sourceparts "${folder}/parts";`,
    `Dir::Etc::preferences "/dev/null";`,
    `Dir::Etc::preferencesparts "${folder}/parts";`,
    `Dir::State "${folder}/state";`,
    `Dir::State::status "${status}";`,
    `Dir::Cache "${folder}/cache";`,
    `APT::Architecture "${native}";`,
    `APT::Architectures { ${architectures.map((name) => `"${name}";`).join(" ")} };`,
    `APT::Install-Recommends "false";`,
    `APT::Sandbox::User "root";`,
    `Acquire::Languages "none";`,
    `Acquire::ForceHash "SHA256";`,
    // an archived suite's Release file is past its date for ever
    `Acquire::Check-Valid-Until "false";`,
    `Acquire::Retries "3";`,
    "",
  ].join("\n");
}

/** Reads what `apt-get --print-uris` prints: `'URI' name_version_arch.deb size SHA256:hex`. */
export function parsePrintedUris(printed: string, mirrorRoot: string): ResolvedPackage[] {
  const packages: ResolvedPackage[] = [];
  for (const line of printed.split("\n")) {
    if (!line.startsWith("'")) continue;
    const { name, file } = parseUri(line, mirrorRoot);
    const parts = /^([^ _]+)_([^ _]+)_([a-z0-9-]+)\.deb$/.exec(name);
    if (!parts) throw unforeseen(line);
    const [, packageName = "", version = "", architecture = ""] = parts;
    packages.push({ name: packageName, version: decodeURIComponent(version), architecture, ...file });
  }
  return packages;
}

function parseUri(line: string, mirrorRoot: string): { name: string; file: PinnedFile } {
  const parts = /^'([^']+)' (\S+) (\d+) SHA256:([0-9a-f]{64})$/.exec(line.trim());
  const [, uri = "", name = "", size = "", sha256 = ""] = parts ?? [];
  if (!uri.startsWith(`${mirrorRoot}/`)) throw unforeseen(line);
  return { name, file: { path: decodeURIComponent(uri.slice(mirrorRoot.length + 1)), size: Number(size), sha256 } };
}

function unforeseen(line: string): Error {
  return usageError(`apt printed something unforeseen: ${line.slice(0, 200)}`);
}
