import { basename } from "node:path/posix";
import type { Digest } from "../oci/digest.ts";
import type { PlatformName } from "../oci/platform.ts";
import type { ContentReader, Descriptor } from "../oci/types.ts";
import type { LoadedRelease } from "../recipe/load.ts";
import { listOf } from "../recipe/words.ts";
import { upstreamName } from "../recipe/upstream.ts";
import { readImagePackages } from "./components.ts";
import { declaredLicence } from "./licences.ts";
import { debPurl } from "./purl.ts";
import type { BillPackage, BillSource, ImageBill, PinnedFile } from "./types.ts";

/** Which image is described, and what it was made from. */
export interface ImageBillRequest {
  readonly reader: ContentReader;
  /** Of the image, for one platform. */
  readonly manifest: Descriptor;
  readonly platform: PlatformName;
  readonly inputs: Omit<LoadedRelease, "dockerfile">;
  /** Of the Dockerfile and what lies beside it, as the build got them. */
  readonly contextDigest: Digest;
  readonly signal?: AbortSignal;
}

/**
 * Describes a rebuilt image: what is in it, from the image itself, and what it was made
 * from, from the pins of its release. Throws as {@link readImagePackages} does.
 */
export async function describeImage(request: ImageBillRequest): Promise<ImageBill> {
  const { reader, manifest, platform, inputs, contextDigest, signal } = request;
  const { recipe, release } = inputs;
  const contents = await readImagePackages(reader, manifest, signal);
  return {
    image: { name: recipe.image, version: release.version, platform, digest: manifest.digest },
    createdEpoch: release.source.epoch,
    ...contents,
    source: describeSource(inputs),
    context: { dockerfile: recipe.build.dockerfile, digest: contextDigest },
    toolchain: describeToolchain(inputs),
    toolchainPackages: describeToolchainPackages(inputs),
    upstream: describeUpstream(inputs, platform),
  };
}

function describeSource({ release, source }: ImageBillRequest["inputs"]): BillSource {
  const { commit, tree, archive, debian } = release.source;
  const licence = declaredLicence(source.licence);
  const suite = source.import.kind === "debian" ? listOf(source.import.suite).join(",") : "";
  const name = source.import.kind === "debian" ? source.import.package : source.source;
  return {
    name: source.source,
    version: release.version,
    origin: source.upstream,
    commit,
    tree,
    archive,
    ...(licence && { licence }),
    ...(debian && {
      debian: {
        version: debian.version,
        purl: debPurl(name, debian.version, "source", debianSuite(suite)),
        files: debian.files.map(pinnedFile),
      },
    }),
  };
}

function describeToolchain({ release, toolchain }: ImageBillRequest["inputs"]): ImageBill["toolchain"] {
  const version = "image" in toolchain ? toolchain.image : (release.toolchain.lock ?? "");
  return { name: toolchain.toolchain, version, digest: release.toolchain.digest };
}

function describeToolchainPackages({ toolchainLock }: ImageBillRequest["inputs"]): BillPackage[] {
  if (!toolchainLock) return [];
  const distribution = debianSuite(toolchainLock.suite);
  return toolchainLock.packages.map(({ name, version, architecture, sha256 }) => ({
    type: "deb",
    name,
    version,
    architecture,
    purl: debPurl(name, version, architecture, distribution),
    supplier: distribution.name,
    sha256,
    programs: [],
  }));
}

function describeUpstream(
  { recipe, release }: ImageBillRequest["inputs"],
  platform: PlatformName,
): ImageBill["upstream"] {
  const { upstream } = release;
  const manifest = upstream.manifests[platform];
  return {
    name: upstreamName(recipe.upstream),
    digest: upstream.digest,
    ...(manifest !== undefined && { manifest }),
    files: (upstream.debian ?? []).filter((file) => file.platform === platform).map(pinnedFile),
  };
}

function pinnedFile({ path, sha256 }: { readonly path: string; readonly sha256: string }): PinnedFile {
  return { name: basename(path), sha256 };
}

function debianSuite(suite: string): { readonly id: string; readonly label: string; readonly name: string } {
  return { id: "debian", label: suite === "" ? "" : `debian-${suite}`, name: "Debian" };
}
