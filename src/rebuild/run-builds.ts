import pLimit from "p-limit";
import { runTogether } from "../concurrency.ts";
import type { Engine, EngineHandle } from "../engine/types.ts";
import { usageError } from "../errors.ts";
import type { Digest } from "../oci/digest.ts";
import { releaseBuildKeys } from "../plan/build-inputs.ts";
import type { PlatformName } from "../oci/platform.ts";
import { type BuildRecord, findBuild } from "./build-platform.ts";
import { type PlatformJob, type PlatformWork, runPlatformJob } from "./platform-job.ts";
import { type PreparedInputs, prepareContext, prepareSource, prepareToolchain } from "./prepare.ts";
import { takeStagedBuild } from "./staging.ts";
import type { Factory, ReleaseInputs } from "./types.ts";

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
    const prepared = due.length > 0 ? await prepareBuild(inputs, context, engine, factory) : undefined;
    const limit = pLimit(factory.settings.jobs);
    const work = await runTogether<PlatformWork[]>(
      factory.signal,
      jobs.map((job) => (signal: AbortSignal) => {
        const shared = { inputs, prepared, engine: engine.get, limit, force: request.force, smoke: request.smoke };
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

async function prepareBuild(
  inputs: ReleaseInputs,
  context: Pick<PreparedInputs, "contextFolder" | "contextDigest" | "dockerfile">,
  engine: SharedEngine,
  factory: Factory,
): Promise<PreparedInputs> {
  type Parts = [Awaited<ReturnType<typeof prepareSource>>, Awaited<ReturnType<typeof prepareToolchain>>, Engine];
  const [source, toolchain] = await runTogether<Parts>(factory.signal, [
    (signal) => prepareSource(inputs, { ...factory, signal }),
    (signal) => prepareToolchain(inputs, { ...factory, signal }),
    () => engine.get(),
  ]);
  return {
    ...context,
    sourceFolder: source.folder,
    sourceOrigin: source.origin,
    toolchain: toolchain.image,
    toolchainOrigin: toolchain.origin,
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
