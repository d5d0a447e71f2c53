import { join } from "node:path";
import { createPrivateApt, type ResolvedPackage } from "../debian/apt.ts";
import { resolveSourcePackage } from "../debian/source-package.ts";
import { packageNameOf, upstreamVersionOf } from "../debian/version.ts";
import { usageError } from "../errors.ts";
import { runStage } from "../events.ts";
import { isDigest } from "../oci/digest.ts";
import type { PlatformName } from "../oci/platform.ts";
import { resolveReference } from "../oci/open-reference.ts";
import { isTag, parseReference, type Reference } from "../oci/reference.ts";
import { type Descriptor, mediaTypes } from "../oci/types.ts";
import { loadToolchain, loadToolchainLock } from "../recipe/load.ts";
import { listToolchainLocks } from "../recipe/tree.ts";
import { listOf, quoted } from "../recipe/words.ts";
import type { Recipe, Release, Source } from "../recipe/schema.ts";
import { importDebianSource } from "../source/debian-import.ts";
import { stageSource } from "../source/stage.ts";
import { assembleDebianUpstream, type UpstreamPackages } from "../upstream/assemble-debian.ts";
import { type DebianUpstream, packagesOfUpstream } from "../recipe/upstream.ts";
import { listChildren } from "../upstream/obtain.ts";
import { debianArchitectureOf } from "../toolchain/architecture.ts";
import { pinGitSource } from "./pin-source.ts";
import type { Factory } from "./types.ts";

/** What is to be pinned. */
export interface PinRequest {
  readonly root: string;
  readonly recipe: Recipe;
  readonly source: Source;
  /** Upstream's version, as in 0.19.0: the tag of its image, too. */
  readonly version: string;
  /** The source's commit, where it is known; else it is the version's tag. */
  readonly commit?: string;
}

/**
 * Resolves every input of one upstream version as it is now: the source's commit, tree
 * and archive digest, the newest lock of the toolchain, upstream's index and manifests.
 */
export async function pinRelease(request: PinRequest, factory: Factory): Promise<Release> {
  const { recipe, version } = request;
  const source = await runStage(
    factory.emit,
    { stage: "source", title: `pin ${request.source.source} ${version}` },
    async () => {
      const value = await pinSource(request, factory);
      return { value, detail: `commit ${value.commit}` };
    },
  );
  const toolchain = await pinToolchain(request.root, recipe.toolchain);
  const upstream = await runStage(factory.emit, { stage: "upstream", title: "pin upstream's image" }, async () => {
    const value = await pinUpstream(request, factory);
    return { value, detail: value.digest };
  });
  return { version, source, toolchain, upstream };
}

async function pinSource(request: PinRequest, factory: Factory): Promise<Release["source"]> {
  const { source, version } = request;
  const { store, emit, signal } = factory;
  const repositoryPath = store.repositoryPath(source.source);
  const resolved: Omit<Release["source"], "archive"> =
    source.import.kind === "debian"
      ? await pinDebianSource(source.import, version, repositoryPath, factory)
      : await pinGitSource({
          source,
          version,
          names: [request.recipe.image],
          ...(request.commit !== undefined && { commit: request.commit }),
          repositoryPath,
          signal,
          emit,
        });
  const folder = join(await store.temporaryFolder("source"), "src");
  const { archive } = await stageSource({
    repositoryPath,
    commit: resolved.commit,
    folder,
    epoch: resolved.epoch,
    emit,
    signal,
  });
  return { ...resolved, archive };
}

async function pinDebianSource(
  source: Extract<Source["import"], { kind: "debian" }>,
  version: string,
  repositoryPath: string,
  factory: Factory,
): Promise<Omit<Release["source"], "archive">> {
  const { store, mirror, signal, emit } = factory;
  const mirrorRoot = await factory.mirror.rootUrl();
  const found = await resolveSourcePackage({
    package: source.package,
    suites: listOf(source.suite),
    version,
    mirrorRoot,
    temporaryFolder: await store.temporaryFolder("apt"),
    signal,
  });
  const temporaryFolder = await store.temporaryFolder("import");
  const imported = await importDebianSource({
    package: source.package,
    version: found.version,
    files: found.files,
    repositoryPath,
    blobs: store.blobs,
    mirror,
    temporaryFolder,
    signal,
    emit,
  });
  return { ...imported, debian: { version: found.version, files: [...found.files] } };
}

async function pinToolchain(root: string, name: string): Promise<Release["toolchain"]> {
  const toolchain = await loadToolchain(root, name);
  if ("image" in toolchain) {
    const digest = toolchain.image.split("@").at(-1) ?? "";
    if (!isDigest(digest)) throw usageError(`the toolchain ${name} is not pinned by digest`);
    return { digest };
  }
  const lock = (await listToolchainLocks(root, name)).at(-1);
  if (lock === undefined)
    throw usageError(`the toolchain ${name} has no lock`, { hint: `refoundry toolchain lock ${name}` });
  return { lock, digest: (await loadToolchainLock(root, name, lock)).digest };
}

async function pinUpstream(request: PinRequest, factory: Factory): Promise<Release["upstream"]> {
  const { recipe, version } = request;
  const wanted = recipe.platforms.reproduce;
  if ("debian" in recipe.upstream) {
    const packages = await pinUpstreamPackages(recipe.upstream.debian, version, wanted, factory);
    const index = await assembleDebianUpstream(recipe.upstream.debian, packages, {
      ...factory,
      blobs: factory.store.blobs,
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
  const found = await apt.resolveDownload(
    architectures.flatMap((architecture) => names.map((name) => `${name}:${architecture}`)),
  );
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
