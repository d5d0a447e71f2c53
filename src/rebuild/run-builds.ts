import { runTogether } from "../concurrency.ts";
import type { Engine, EngineHandle } from "../engine/types.ts";
import { mismatch, usageError } from "../errors.ts";
import type { Digest } from "../oci/digest.ts";
import { releaseBuildKeys } from "../plan/build-inputs.ts";
import type { PlatformName } from "../oci/platform.ts";
import type { Descriptor } from "../oci/types.ts";
import type { LoadedToolchain } from "../recipe/load.ts";
import { type BuildRecord, findBuild } from "./build-platform.ts";
import { withinPlace } from "./build-places.ts";
import { type PlatformJob, type PlatformWork, runPlatformJob } from "./platform-job.ts";
import { applyPatches } from "../source/apply-patches.ts";
import { prepareContext, prepareSource } from "./prepare.ts";
import { obtainMaker, obtainRecipeImages, prepareContexts } from "./prepare-contexts.ts";
import { takeStagedBuild } from "./staging.ts";
import type { Factory, PreparedContexts, PreparedInputs, ReleaseInputs } from "./types.ts";

/** Which platforms of a release to build, and how. */
export interface BuildRequest {
  readonly inputs: ReleaseInputs;
  /** Build again what the store has, and require the same digests. */
  readonly force: boolean;
  /** `never`: everything has to be in the store already. */
  readonly build: "where due" | "never";
  readonly smoke: boolean;
  /** Only these platforms. */
  readonly platforms?: readonly PlatformName[];
}

/** What was built, and from what. */
export interface BuildRun {
  readonly work: readonly PlatformWork[];
  readonly contextDigest: Digest;
  readonly builder: Pick<EngineHandle, "kind" | "builderVersion">;
  /** Absent when nothing was due. */
  readonly prepared: PreparedInputs | undefined;
}

/** Builds what is due of a release and smoke-tests it, platforms side by side as far as the settings allow. */
export async function runBuilds(request: BuildRequest, factory: Factory): Promise<BuildRun> {
  const { inputs } = request;
  const handle = await factory.engine();
  const engine = sharedEngine(handle, factory.signal);
  try {
    const context = await prepareContext(inputs, factory);
    const jobs = await planJobs(request, context.contextDigest, handle, factory);
    const due = jobs.filter(isDue);
    if (due.length > 0 && request.build === "never") {
      const names = due.map((job) => job.platform).join(", ");
      throw usageError(`${inputs.recipe.image} ${inputs.release.version} is not built for ${names}`, {
        hint: `refoundry build ${inputs.recipe.image}@${inputs.release.version}`,
      });
    }
    const platforms = due.map(({ platform }) => platform);
    const prepared = due.length > 0 ? await prepareBuild(inputs, platforms, context, engine, factory) : undefined;
    const names = jobs.map(({ platform }) => platform);
    const within = { ...factory, places: withinPlace };
    const smokeContexts = onceAsked(async () => {
      await factory.restore(inputs);
      return prepareContexts(inputs, names, "smoke", buildNeeded, within);
    });
    const toolchain = onceAsked(async () => {
      if (prepared) return prepared.toolchain;
      await factory.restore(inputs);
      return (await obtainMaker(makerOf(inputs), buildNeeded, within)).image;
    });
    const work = await runTogether<PlatformWork[]>(
      factory.signal,
      jobs.map((job) => (signal: AbortSignal) => {
        const { force, smoke } = request;
        const shared = { inputs, prepared, engine: engine.get, force, smoke, smokeContexts, toolchain };
        return runPlatformJob(job, { ...shared, factory: { ...factory, signal } });
      }),
    );
    return { work, contextDigest: context.contextDigest, builder: handle, prepared };
  } finally {
    await engine.release();
  }
}

async function planJobs(
  request: BuildRequest,
  contextDigest: Digest,
  engine: EngineHandle,
  factory: Factory,
): Promise<PlatformJob[]> {
  const { inputs } = request;
  const { extend } = inputs.recipe.platforms;
  const jobs: PlatformJob[] = [];
  for (const { platform, buildKey } of releaseBuildKeys({ ...inputs, contextDigest }, engine.builderVersion).keys) {
    if (request.platforms && !request.platforms.includes(platform)) continue;
    const known = await findKnownBuild(buildKey, platform, request.force, factory);
    jobs.push({ platform, buildKey, extended: extend.includes(platform), known, buildAgain: request.force });
  }
  return jobs;
}

/** What the store has, else what was staged. A build that is forced is compared with what is known here. */
async function findKnownBuild(
  buildKey: Digest,
  platform: PlatformName,
  force: boolean,
  factory: Factory,
): Promise<BuildRecord | undefined> {
  const stored = await findBuild(buildKey, factory);
  // whoever builds again does not need what others built, only to agree with it in the end
  return stored ?? (force ? undefined : takeStagedBuild(buildKey, platform, factory));
}

function isDue(job: PlatformJob): boolean {
  return job.buildAgain || !job.known || (job.extended && !job.known.varied);
}

/** The images of a release for some platforms, by the digests that are pinned: from the store, or built. */
export function imagesOfRecipe(
  needed: ReleaseInputs,
  pinned: Readonly<Record<PlatformName, Digest>>,
  platforms: readonly PlatformName[],
  factory: Factory,
): Promise<ReadonlyMap<PlatformName, Descriptor>> {
  return obtainRecipeImages(needed, pinned, platforms, buildNeeded, factory);
}

/** The builds of a release that another stands on; those that fail are said to. */
async function buildNeeded(
  inputs: ReleaseInputs,
  platforms: readonly PlatformName[],
  factory: Factory,
): Promise<ReadonlyMap<PlatformName, Descriptor>> {
  const { work } = await runBuilds({ inputs, force: false, build: "where due", smoke: false, platforms }, factory);
  const { recipe, release } = inputs;
  const failed = work.find(({ failure }) => failure !== undefined);
  if (failed) {
    throw mismatch(
      `${recipe.image} ${release.version}, which is needed, did not build for ${failed.job.platform}: ${failed.failure?.message ?? ""}`,
      { hint: `refoundry build ${recipe.image}@${release.version} shows its log` },
    );
  }
  return new Map(work.flatMap(({ job, built }) => (built ? [[job.platform, built.manifest] as const] : [])));
}

function makerOf({ toolchain, release, toolchainLock: lock, toolchainRelease }: ReleaseInputs): LoadedToolchain {
  return {
    toolchain,
    pin: release.toolchain,
    ...(lock && { lock }),
    ...(toolchainRelease && { release: toolchainRelease }),
  };
}

function onceAsked<T>(make: () => Promise<T>): () => Promise<T> {
  let made: Promise<T> | undefined;
  return () => (made ??= make());
}

/** The pinned inputs of a release's builds for some platforms, in place, whether or not a build is due. */
export async function prepareInputs(
  inputs: ReleaseInputs,
  platforms: readonly PlatformName[],
  engine: Engine,
  factory: Factory,
): Promise<PreparedInputs> {
  const given = { get: () => Promise.resolve(engine), release: () => Promise.resolve() };
  return prepareBuild(inputs, platforms, await prepareContext(inputs, factory), given, factory);
}

async function prepareBuild(
  inputs: ReleaseInputs,
  platforms: readonly PlatformName[],
  context: Pick<PreparedInputs, "contextFolder" | "contextDigest" | "dockerfile">,
  engine: SharedEngine,
  factory: Factory,
): Promise<PreparedInputs> {
  type Parts = [
    Awaited<ReturnType<typeof prepareSource>>,
    Awaited<ReturnType<typeof obtainMaker>>,
    PreparedContexts,
    Engine,
  ];
  await factory.restore(inputs);
  const [source, toolchain, contexts] = await runTogether<Parts>(factory.signal, [
    async (signal) => {
      const { source: own, patches, release } = inputs;
      const staged = await prepareSource({ source: own, pin: release.source }, { ...factory, signal });
      const tree = { folder: staged.folder, epoch: release.source.epoch };
      await applyPatches(patches, context.contextFolder, tree, signal);
      return staged;
    },
    (signal) => obtainMaker(makerOf(inputs), buildNeeded, { ...factory, signal }),
    (signal) => prepareContexts(inputs, platforms, "build", buildNeeded, { ...factory, signal }),
    () => engine.get(),
  ]);
  return {
    ...context,
    sourceFolder: source.folder,
    sourceOrigin: source.origin,
    toolchain: toolchain.image,
    toolchainOrigin: toolchain.origin,
    contexts,
  };
}

interface SharedEngine {
  get(): Promise<Engine>;
  release(): Promise<void>;
}

/** The engine starts when the first stage needs it, and once. */
function sharedEngine(handle: EngineHandle, signal: AbortSignal): SharedEngine {
  let engine: Promise<Engine> | undefined;
  return {
    get: () => (engine ??= handle.acquire(signal)),
    async release() {
      await (await engine?.catch(() => undefined))?.release();
    },
  };
}
