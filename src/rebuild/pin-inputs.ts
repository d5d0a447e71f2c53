import { join } from "node:path";
import { newestSource, resolveSourcePackage } from "../debian/source-package.ts";
import { upstreamVersionOf } from "../debian/version.ts";
import { usageError } from "../errors.ts";
import { isDigest } from "../oci/digest.ts";
import type { PlatformName } from "../oci/platform.ts";
import { listReleases, loadRelease, loadSource, loadToolchain, loadToolchainLock } from "../recipe/load.ts";
import type { ContextPin, Recipe, Release, Source, SourcePin } from "../recipe/schema.ts";
import { listToolchainLocks } from "../recipe/tree.ts";
import { listOf } from "../recipe/words.ts";
import { importDebianSource } from "../source/debian-import.ts";
import { originOf, rememberOrigin } from "../store/origins.ts";
import { lfsBringer } from "../source/lfs.ts";
import { stageSource } from "../source/stage.ts";
import { bringSubmodules, submoduleAddresses } from "../source/submodules.ts";
import { openBareRepository } from "../git/repository.ts";
import { pinGitSource } from "./pin-source.ts";
import type { Factory } from "./types.ts";

/** A source that was pinned. */
export interface PinnedSource {
  readonly pin: SourcePin;
  /** The Debian suite that had it. */
  readonly suite?: string;
}

/** Resolves one version of a source: commit, tree, archive digest, and the files it was imported from. */
export async function pinSource(
  request: {
    readonly source: Source;
    readonly version: string;
    /** What the project calls itself in tags, besides its source's name. */
    readonly names: readonly string[];
    readonly commit?: string;
  },
  factory: Factory,
): Promise<PinnedSource> {
  const { source, version, names, commit } = request;
  const { store, emit, signal } = factory;
  const repositoryPath = store.repositoryPath(source.source);
  const resolved: Omit<SourcePin, "archive"> & { readonly suite?: string; readonly from?: string } =
    source.import.kind === "debian"
      ? await pinDebianSource(source.import, version, repositoryPath, factory)
      : await pinGitSource({
          source,
          version,
          names,
          ...(commit !== undefined && { commit }),
          repositoryPath,
          signal,
          emit,
        });
  const { suite, from = "the Debian mirror", ...found } = resolved;
  if ((await originOf(store, found.commit)) === undefined) await rememberOrigin(store, found.commit, from);
  const repository = await openBareRepository(repositoryPath, signal);
  const submodules = await bringSubmodules(repository, {
    source,
    commit: found.commit,
    temporaryFolder: await store.temporaryFolder("submodules"),
    offline: factory.offline,
    softwareHeritage: factory.settings.softwareHeritage,
    emit,
    signal,
  });
  const pin = { ...found, ...(submodules.length > 0 && { submodules: [...submodules] }) };
  const folder = join(await store.temporaryFolder("source"), "src");
  const staged = await stageSource({
    repositoryPath,
    commit: pin.commit,
    submodules: pin.submodules,
    bringLfs: lfsBringer({
      source,
      blobs: store.blobs,
      submodules: () => submoduleAddresses(repository, { source, commit: pin.commit, signal }),
      offline: factory.offline,
      emit,
      signal,
    }),
    folder,
    epoch: pin.epoch,
    emit,
    signal,
  });
  const lfs = staged.lfs.length > 0 && { lfs: [...staged.lfs] };
  return { pin: { ...pin, ...lfs, archive: staged.archive }, ...(suite !== undefined && { suite }) };
}

async function pinDebianSource(
  source: Extract<Source["import"], { kind: "debian" }>,
  version: string,
  repositoryPath: string,
  factory: Factory,
): Promise<Omit<SourcePin, "archive"> & { readonly suite: string }> {
  const { store, mirror, signal, emit } = factory;
  const found = await resolveSourcePackage({
    package: source.package,
    suites: listOf(source.suite),
    version,
    mirrorRoot: await mirror.rootUrl(),
    temporaryFolder: await store.temporaryFolder("apt"),
    signal,
  });
  const imported = await importDebianSource({
    package: source.package,
    version: found.version,
    files: found.files,
    repositoryPath,
    blobs: store.blobs,
    mirror,
    temporaryFolder: await store.temporaryFolder("import"),
    signal,
    emit,
  });
  return { ...imported, debian: { version: found.version, files: [...found.files] }, suite: found.suite };
}

/** Pins a toolchain: its image, its newest lock, or its recipe's newest release. */
export async function pinToolchain(root: string, name: string): Promise<Release["toolchain"]> {
  const toolchain = await loadToolchain(root, name);
  if ("image" in toolchain) {
    const digest = toolchain.image.split("@").at(-1) ?? "";
    if (!isDigest(digest)) throw usageError(`the toolchain ${name} is not pinned by digest`);
    return { digest };
  }
  if ("recipe" in toolchain) {
    const { version, manifests } = await pinRecipe(root, toolchain.recipe, [toolchain.platform]);
    const digest = manifests[toolchain.platform];
    if (digest === undefined) throw usageError(`${toolchain.recipe} has no image for ${toolchain.platform}`);
    return { version, digest };
  }
  const lock = (await listToolchainLocks(root, name)).at(-1);
  if (lock === undefined)
    throw usageError(`the toolchain ${name} has no lock`, { hint: `refoundry toolchain lock ${name}` });
  return { lock, digest: (await loadToolchainLock(root, name, lock)).digest };
}

/**
 * Pins the newest release of a recipe that another needs, as it is recorded. Throws a usage
 * error when it has none, records nothing, or lacks a platform.
 */
async function pinRecipe(
  root: string,
  name: string,
  platforms: readonly PlatformName[],
): Promise<Extract<ContextPin, { recipe: unknown }>["recipe"]> {
  const version = (await listReleases(root, name)).at(-1);
  if (version === undefined)
    throw usageError(`the recipe ${name} has no release yet`, { hint: `refoundry pin ${name} VERSION` });
  const { expect } = await loadRelease(root, name, version);
  if (!expect) {
    throw usageError(`${name} ${version} does not record what it gave, so nothing can stand on it`, {
      hint: `refoundry rebuild ${name}@${version} --record`,
    });
  }
  const lacking = platforms.filter((platform) => expect.platforms[platform] === undefined);
  if (lacking.length > 0) throw usageError(`${name} ${version} has no image for ${lacking.join(", ")}`);
  const manifests = Object.fromEntries(
    platforms.flatMap((platform) => {
      const recorded = expect.platforms[platform];
      return recorded ? [[platform, recorded.manifest] as const] : [];
    }),
  );
  return { version, index: expect.index, manifests };
}

/** Pins every context of a recipe for one of its versions; `suite` is where the main source came from. */
export async function pinContexts(
  root: string,
  recipe: Recipe,
  main: { readonly version: string; readonly suite?: string },
  factory: Factory,
): Promise<Record<string, ContextPin>> {
  const pins: Record<string, ContextPin> = {};
  const { reproduce, extend } = recipe.platforms;
  for (const [name, context] of Object.entries(recipe.contexts)) {
    if ("toolchain" in context) pins[name] = { toolchain: await pinToolchain(root, context.toolchain) };
    else if ("recipe" in context) {
      pins[name] = { recipe: await pinRecipe(root, context.recipe, [...reproduce, ...extend]) };
    } else {
      const source = await loadSource(root, context.source);
      const version = context.version ?? (await versionBeside(source, main, factory));
      pins[name] = { source: (await pinSource({ source, version, names: [source.source] }, factory)).pin };
    }
  }
  return pins;
}

/** The version of a further source: what the same suite has of it, else the release's own. */
async function versionBeside(
  { import: from }: Source,
  main: { readonly version: string; readonly suite?: string },
  factory: Factory,
): Promise<string> {
  if (from.kind !== "debian") return main.version;
  const suites = listOf(from.suite);
  const suite = suites.find((each) => each === main.suite) ?? suites[0] ?? "";
  const { version } = await newestSource(suite, {
    package: from.package,
    mirrorRoot: await factory.mirror.rootUrl(),
    temporaryFolder: await factory.store.temporaryFolder("apt"),
    signal: factory.signal,
  });
  return upstreamVersionOf(version);
}
