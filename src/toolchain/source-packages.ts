import { createPrivateApt } from "../debian/apt.ts";
import type { PinnedFile } from "../debian/mirror.ts";
import type { SnapshotArchive } from "../debian/snapshot.ts";
import { findInSourcesIndexes, type SourceIdentity, sourceKey } from "../debian/sources-index.ts";
import { infrastructureError, mismatch } from "../errors.ts";
import { digestOf, hexOf } from "../oci/digest.ts";
import { openLayer } from "../oci/layer.ts";
import { readManifest } from "../oci/manifest.ts";
import { readTar } from "../oci/tar/read.ts";
import type { ContentReader, Descriptor } from "../oci/types.ts";
import type { ToolchainLock } from "../recipe/schema.ts";
import type { ToolchainSources } from "../recipe/toolchain-sources.ts";
import { isCopyrightFile, readDebianPackages } from "../sbom/distribution-packages.ts";
import { parseSourceControl } from "../source/dsc.ts";
import type { DebianToolchain } from "./lock-packages.ts";

const statusPath = "var/lib/dpkg/status";
const largestStatus = 64 * 1024 * 1024;
const largestControl = 1024 * 1024;
const largestCopyright = 1024 * 1024;

/** A source package that a toolchain's packages were built from, with its licence where that is known. */
export interface UsedSource extends SourceIdentity {
  readonly licence?: string;
}

/**
 * The source packages of a lock's packages, by what dpkg's database in the toolchain's image
 * says of them, each once and in order. Throws a mismatch error when the image has not each of
 * the lock's packages.
 */
export async function listUsedSources(
  lock: Pick<ToolchainLock, "packages">,
  image: Descriptor,
  blobs: ContentReader,
  signal?: AbortSignal,
): Promise<UsedSource[]> {
  const files = await readPackageFiles(image, blobs, signal);
  const { packages } = readDebianPackages(files, { id: "debian", label: "", name: "Debian" });
  const installed = new Map(packages.map((each) => [`${each.name} ${each.version} ${each.architecture}`, each]));
  const used = new Map<string, UsedSource>();
  for (const { name, version, architecture } of lock.packages) {
    const found = installed.get(`${name} ${version} ${architecture}`);
    if (!found?.source)
      throw mismatch(`the toolchain's image has no ${name} ${version} (${architecture}), and its lock has`);
    const { licence } = found;
    const known = used.get(sourceKey(found.source))?.licence;
    const expression = known ?? (licence && "expression" in licence ? licence.expression : undefined);
    const identity = { name: found.source.name, version: found.source.version };
    used.set(sourceKey(identity), { ...identity, ...(expression !== undefined && { licence: expression }) });
  }
  return [...used.values()].toSorted((a, b) => (sourceKey(a) < sourceKey(b) ? -1 : 1));
}

/** dpkg's database and the copyright files of an image that is one system. */
async function readPackageFiles(
  image: Descriptor,
  blobs: ContentReader,
  signal?: AbortSignal,
): Promise<Map<string, Buffer>> {
  const files = new Map<string, Buffer>();
  for (const layer of (await readManifest(blobs, image, signal)).layers) {
    for await (const entry of readTar(openLayer(blobs, layer, signal).chunks)) {
      const path = entry.path.replace(/^\.?\//, "");
      const most = path === statusPath ? largestStatus : isCopyrightFile(path) ? largestCopyright : 0;
      if (entry.type === "file" && entry.size <= most)
        files.set(path, Buffer.concat(await Array.fromAsync(entry.content)));
    }
  }
  if (!files.has(statusPath)) throw infrastructureError("the toolchain's image has no database of its packages");
  return files;
}

const notInIndex = "no suite of the toolchain lists this version any more";

/**
 * Pins the files of source packages by the signed indexes of the toolchain's suites. A
 * version that is superseded by now is in none of them: it is pinned as the snapshot archive
 * has it, where there is one, and else named as missing.
 */
export async function pinSources(
  used: readonly UsedSource[],
  { suite, also, architecture }: Pick<DebianToolchain, "suite" | "also" | "architecture">,
  options: {
    readonly mirrorRoot: string;
    readonly temporaryFolder: string;
    readonly snapshot?: SnapshotArchive;
    readonly signal?: AbortSignal;
  },
): Promise<ToolchainSources> {
  const apt = await createPrivateApt({
    folder: options.temporaryFolder,
    mirrorRoot: options.mirrorRoot,
    suites: [suite, ...also],
    architectures: [architecture],
    sources: true,
    ...(options.signal && { signal: options.signal }),
  });
  await apt.update();
  const found = new Map(await findInSourcesIndexes(apt.listsFolder, used));
  for (const source of used) {
    if (found.has(sourceKey(source)) || !options.snapshot) continue;
    const files = await pinArchived(source, options.snapshot, options.signal);
    if (files) found.set(sourceKey(source), files);
  }
  return {
    sources: used.map((source) => ({ ...source, ...(!found.has(sourceKey(source)) && { missing: notInIndex }) })),
    files: used.flatMap((source) =>
      (found.get(sourceKey(source)) ?? []).map((file) => ({ ...file, source: source.name, version: source.version })),
    ),
  };
}

/** The files of a source package as its .dsc in an archive lists them; undefined where the archive lacks it. */
export async function pinArchived(
  { name, version }: SourceIdentity,
  archive: SnapshotArchive,
  signal?: AbortSignal,
): Promise<readonly PinnedFile[] | undefined> {
  const listed = await archive.listSource(name, version, signal);
  const dsc = listed?.find(({ path }) => path.endsWith(".dsc"));
  if (!listed || !dsc) return undefined;
  const bytes = await archive.read(dsc, largestControl, signal);
  const file = dsc.path.split("/").at(-1) ?? "";
  const control = parseSourceControl(bytes.toString("utf8"), file);
  if (control.name !== name || control.version !== version)
    throw infrastructureError(
      `${archive.name} has ${control.name} ${control.version} as the source ${name} ${version}`,
    );
  const folder = dsc.path.slice(0, -file.length);
  return [
    { path: dsc.path, size: bytes.length, sha256: hexOf(digestOf(bytes)) },
    ...[...control.files].map(([each, { size, sha256 }]) => ({ path: folder + each, size, sha256 })),
  ];
}
