import { createPrivateApt } from "../debian/apt.ts";
import { findInSourcesIndexes, type SourceIdentity, sourceKey } from "../debian/sources-index.ts";
import { infrastructureError, mismatch } from "../errors.ts";
import { openLayer } from "../oci/layer.ts";
import { readManifest } from "../oci/manifest.ts";
import { readTar } from "../oci/tar/read.ts";
import type { ContentReader, Descriptor } from "../oci/types.ts";
import type { ToolchainLock } from "../recipe/schema.ts";
import type { ToolchainSources } from "../recipe/toolchain-sources.ts";
import { isCopyrightFile, readDebianPackages } from "../sbom/distribution-packages.ts";
import type { DebianToolchain } from "./lock-packages.ts";

const statusPath = "var/lib/dpkg/status";
const largestStatus = 64 * 1024 * 1024;
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
 * version that is superseded by now is in none of them: it is named with that.
 */
export async function pinSources(
  used: readonly UsedSource[],
  { suite, also, architecture }: Pick<DebianToolchain, "suite" | "also" | "architecture">,
  options: { readonly mirrorRoot: string; readonly temporaryFolder: string; readonly signal?: AbortSignal },
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
  const found = await findInSourcesIndexes(apt.listsFolder, used);
  return {
    sources: used.map((source) => ({ ...source, ...(!found.has(sourceKey(source)) && { missing: notInIndex }) })),
    files: used.flatMap((source) =>
      (found.get(sourceKey(source)) ?? []).map((file) => ({ ...file, source: source.name, version: source.version })),
    ),
  };
}
