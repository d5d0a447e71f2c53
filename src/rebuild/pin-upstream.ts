import { join } from "node:path";
import { createPrivateApt, type ResolvedPackage } from "../debian/apt.ts";
import { packageNameOf, upstreamVersionOf } from "../debian/version.ts";
import { usageError } from "../errors.ts";
import { resolveReference } from "../oci/open-reference.ts";
import type { PlatformName } from "../oci/platform.ts";
import { isTag, parseReference, type Reference } from "../oci/reference.ts";
import { type Descriptor, mediaTypes } from "../oci/types.ts";
import type { Recipe, Release } from "../recipe/schema.ts";
import { type DebianUpstream, packagesOfUpstream } from "../recipe/upstream.ts";
import { listOf, quoted } from "../recipe/words.ts";
import { debianArchitectureOf } from "../toolchain/architecture.ts";
import { assembleDebianUpstream, type UpstreamPackages } from "../upstream/assemble-debian.ts";
import { listChildren } from "../upstream/obtain.ts";
import type { Factory } from "./types.ts";

/**
 * Pins upstream's image of one version: its index and the manifest of each platform to
 * reproduce, or the packages that it is put together from. `below` gives the images that
 * such an upstream lies on. Throws a usage error when upstream lacks a platform.
 */
export async function pinUpstream(
  { recipe, version }: { readonly recipe: Recipe; readonly version: string },
  below: () => Promise<ReadonlyMap<PlatformName, Descriptor>>,
  factory: Factory,
): Promise<Release["upstream"]> {
  const wanted = recipe.platforms.reproduce;
  if ("none" in recipe.upstream) {
    if (wanted.length > 0) {
      throw usageError(`${recipe.image} has no upstream, so ${wanted.join(", ")} cannot be reproduced`, {
        hint: "list them under platforms.extend",
      });
    }
    // what nobody publishes is an index with nothing in it
    const empty = { schemaVersion: 2, mediaType: mediaTypes.index, manifests: [] };
    return pinOf(await factory.store.blobs.writeBytes(JSON.stringify(empty), mediaTypes.index), new Map(), wanted);
  }
  if ("debian" in recipe.upstream) {
    const packages = await pinUpstreamPackages(recipe.upstream.debian, version, wanted, factory);
    const index = await assembleDebianUpstream(recipe.upstream.debian, packages, {
      ...factory,
      blobs: factory.store.blobs,
      ...(recipe.upstream.debian.on !== undefined && { below: await below() }),
    });
    const children = await listChildren(factory.store.blobs, index, wanted, factory.signal);
    return { ...pinOf(index, children, wanted), debian: packages };
  }
  const { reader, descriptor, close } = await resolveReference(
    atVersion(parseReference(recipe.upstream.image), version),
    factory.registry,
    factory.signal,
  );
  try {
    return pinOf(descriptor, await listChildren(reader, descriptor, wanted, factory.signal), wanted);
  } finally {
    await close?.();
  }
}

/** What a recipe names without a tag or digest is looked up by the version's tag. */
function atVersion(reference: Reference, version: string): Reference {
  if (reference.kind !== "registry" || reference.digest !== undefined || reference.tag !== undefined) return reference;
  if (isTag(version)) return { ...reference, tag: version };
  throw usageError(`no image can have the tag ${quoted(version)}, so upstream has none of that version`);
}

function pinOf(
  descriptor: Descriptor,
  children: ReadonlyMap<PlatformName, Descriptor>,
  wanted: readonly PlatformName[],
): Omit<Release["upstream"], "debian"> {
  const manifests: Record<PlatformName, Descriptor["digest"]> = {};
  for (const platform of wanted) {
    const child = children.get(platform);
    if (!child)
      throw usageError(`upstream has no image for ${platform}`, {
        hint: `it has ${[...children.keys()].join(", ")}: move ${platform} to platforms.extend`,
      });
    manifests[platform] = child.digest;
  }
  return {
    digest: descriptor.digest,
    mediaType: descriptor.mediaType || mediaTypes.index,
    size: descriptor.size,
    manifests,
  };
}

/**
 * The packages of one version for each platform: from the first of the suites whose first
 * package is of that version; one suite alone is taken at its word.
 */
async function pinUpstreamPackages(
  upstream: DebianUpstream,
  version: string,
  wanted: readonly PlatformName[],
  factory: Factory,
): Promise<UpstreamPackages> {
  const suites = listOf(upstream.suite);
  const others: string[] = [];
  for (const suite of suites) {
    const found = await packagesInSuite(upstream, suite, wanted, factory);
    const [first] = found;
    if (suites.length === 1 || (first && upstreamVersionOf(first.version) === version)) return found;
    others.push(`Debian ${suite} has ${packageNameOf(first?.path ?? "")} ${first?.version ?? ""}`);
  }
  throw usageError(`${others.join(", ")}, not ${version}`, {
    hint: "pin one of these, or name another suite in the recipe's upstream.debian",
  });
}

async function packagesInSuite(
  upstream: DebianUpstream,
  suite: string,
  wanted: readonly PlatformName[],
  factory: Factory,
): Promise<UpstreamPackages> {
  const architectures = wanted.map(debianArchitectureOf);
  const apt = await createPrivateApt({
    folder: join(await factory.store.temporaryFolder("apt"), suite),
    mirrorRoot: await factory.mirror.rootUrl(),
    suites: [suite],
    architectures,
    signal: factory.signal,
  });
  await apt.update();
  const names = packagesOfUpstream(upstream);
  const [native, ...foreign] = architectures;
  const first = native === undefined ? [] : await apt.resolveDownload(names.map((name) => `${name}:${native}`));
  // apt knows packages for all architectures as the native one's alone
  const specific = first.filter(({ architecture }) => architecture !== "all");
  const others = foreign.flatMap((architecture) => specific.map(({ name }) => `${name}:${architecture}`));
  const found = [...first, ...(others.length > 0 ? await apt.resolveDownload(others) : [])];
  return wanted.flatMap((platform) =>
    names.map((name) => {
      const architecture = debianArchitectureOf(platform);
      const file = found.find(
        (candidate: ResolvedPackage) =>
          candidate.name === name && [architecture, "all"].includes(candidate.architecture),
      );
      if (!file) throw usageError(`Debian ${suite} has no ${name} for ${platform}`);
      return { platform, version: file.version, path: file.path, size: file.size, sha256: file.sha256 };
    }),
  );
}
