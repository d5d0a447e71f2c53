import { readFile } from "node:fs/promises";
import type { Variation } from "../build/variations.ts";
import { runStage } from "../events.ts";
import type { Digest } from "../oci/digest.ts";
import type { PlatformName } from "../oci/platform.ts";
import type { Descriptor } from "../oci/types.ts";
import type { PlatformOutcome } from "../outcome.ts";
import type { SmokeOutcome } from "../smoke/smoke-test.ts";
import {
  type BuildFailure,
  type BuildRecord,
  buildPlatform,
  describeFailure,
  isFailure,
  requireSameManifest,
  storeBuild,
} from "./build-platform.ts";
import { type SmokeMeans, smokePlatform } from "./smoke-platform.ts";
import { stageBuild } from "./staging.ts";
import type { Factory, PreparedInputs, ReleaseInputs } from "./types.ts";

/** What is to be done for one platform. */
export interface PlatformJob {
  readonly platform: PlatformName;
  readonly buildKey: Digest;
  /** Upstream never released this platform: two varied builds have to agree. */
  readonly extended: boolean;
  /** The build that the store has under this key. */
  readonly known: BuildRecord | undefined;
  readonly buildAgain: boolean;
}

/** What was done for one platform, before it is judged. */
export interface PlatformWork {
  readonly job: PlatformJob;
  readonly built: { readonly manifest: Descriptor; readonly cached: boolean; readonly takenOver?: string } | undefined;
  readonly failure: { readonly message: string } | undefined;
  readonly smoke: SmokeOutcome | undefined;
  readonly log: string;
  readonly timings: PlatformOutcome["timings"];
}

interface JobContext extends SmokeMeans {
  readonly inputs: ReleaseInputs;
  /** Absent when no platform is due. */
  readonly prepared: PreparedInputs | undefined;
  readonly factory: Factory;
  readonly force: boolean;
  readonly smoke: boolean;
}

/** Builds (once more under varied conditions where upstream has nothing to compare with), records, and smoke-tests. */
export async function runPlatformJob(job: PlatformJob, context: JobContext): Promise<PlatformWork> {
  const timings: { stage: string; seconds: number; reused: boolean }[] = [];
  const timed = async <T>(stage: string, work: () => Promise<{ value: T; reused: boolean }>): Promise<T> => {
    const startedAt = performance.now();
    const { value, reused } = await work();
    timings.push({ stage, seconds: (performance.now() - startedAt) / 1000, reused });
    return value;
  };
  const build = await timed("build", () => obtainBuild(job, context));
  if (isFailure(build)) {
    const log = await readFile(build.logFile, "utf8");
    return { job, built: undefined, failure: { message: describeFailure(build, log) }, smoke: undefined, log, timings };
  }
  if (context.factory.settings.staging !== undefined)
    await timed("stage", async () => ({
      value: await stageBuild(job.buildKey, job.platform, build, context.factory),
      reused: build === job.known,
    }));
  const smoke = context.smoke
    ? await timed("smoke", () => holdPlace(context, () => runSmoke(job, build.manifest, context)))
    : undefined;
  const log = Buffer.from(await context.factory.store.blobs.readDocument(build.log)).toString("utf8");
  const cached = build === job.known;
  const { manifest, takenOver } = build;
  return {
    job,
    built: { manifest, cached, ...(takenOver !== undefined && { takenOver }) },
    failure: undefined,
    smoke,
    log,
    timings,
  };
}

function holdPlace<T>({ factory }: JobContext, work: () => Promise<T>): Promise<T> {
  return factory.places.hold(work, factory.signal);
}

async function obtainBuild(
  job: PlatformJob,
  context: JobContext,
): Promise<{ value: BuildRecord | BuildFailure; reused: boolean }> {
  const { known, platform, extended } = job;
  if (known && !job.buildAgain && (known.varied || !extended)) {
    context.factory.emit({ type: "stage-started", stage: "build", platform, title: "build" });
    context.factory.emit({
      type: "stage-finished",
      stage: "build",
      platform,
      outcome: "reused",
      detail: known.manifest.digest,
      seconds: 0,
    });
    return { value: known, reused: true };
  }
  const first =
    known && !job.buildAgain ? known : await buildOnce(job, context, { varied: false, noCache: job.buildAgain });
  if (isFailure(first)) return { value: first, reused: false };
  requireExpected(job, first.manifest.digest, context.inputs);
  if (known)
    requireSameManifest(known.manifest.digest, first.manifest.digest, platform, "the recorded build and this one");
  const record = extended ? await buildVaried(job, context, first) : first;
  if (!isFailure(record)) await context.factory.store.writeRecord("builds", job.buildKey, record);
  return { value: record, reused: false };
}

/** The release's own record: another digest under the same build key is nondeterminism, under another key a refresh. */
function requireExpected(job: PlatformJob, manifest: Digest, { release }: ReleaseInputs): void {
  const expected = release.expect?.platforms[job.platform];
  if (expected?.buildKey !== job.buildKey) return;
  requireSameManifest(expected.manifest, manifest, job.platform, "the build that the release records and this one");
}

async function buildVaried(
  job: PlatformJob,
  context: JobContext,
  first: BuildRecord,
): Promise<BuildRecord | BuildFailure> {
  const second = await buildOnce(job, context, { varied: true, noCache: true });
  if (isFailure(second)) return second;
  requireSameManifest(
    first.manifest.digest,
    second.manifest.digest,
    job.platform,
    "two builds under different host names and times",
  );
  return { ...first, varied: true };
}

async function buildOnce(
  job: PlatformJob,
  context: JobContext,
  how: { readonly varied: boolean; readonly noCache: boolean },
): Promise<BuildRecord | BuildFailure> {
  const { inputs, prepared, factory } = context;
  if (!prepared) throw new Error(`${job.platform} is built without its inputs`);
  const title = how.varied ? "build again, varied" : "build";
  const { platform } = job;
  const engine = await context.engine();
  // a place is held while buildx runs; checking and compressing need none
  const built = await holdPlace(context, () =>
    runStage(factory.emit, { stage: "build", platform, title }, async () => {
      const { varied, noCache } = how;
      const variations: Variation[] = varied ? ["hostname"] : [];
      const value = await buildPlatform({ inputs, prepared, platform, variations, noCache }, engine, factory);
      return { value, detail: isFailure(value) ? `failed: ${value.failed.step}` : "" };
    }),
  );
  if (isFailure(built)) return built;
  return runStage(factory.emit, { stage: "normalise", platform, title: "normalise" }, async () => {
    const value = await storeBuild(built, inputs, factory);
    return { value, detail: value.manifest.digest };
  });
}

async function runSmoke(
  job: PlatformJob,
  manifest: Descriptor,
  context: JobContext,
): Promise<{ value: SmokeOutcome; reused: boolean }> {
  const { inputs, factory, force } = context;
  let reused = false;
  const value = await runStage(
    factory.emit,
    { stage: "smoke", platform: job.platform, title: "smoke test" },
    async () => {
      const outcome = await smokePlatform(inputs, job.platform, manifest, context, { factory, force });
      reused = outcome.reused;
      const emulated = outcome.results.some((result) => result.emulated) ? ", emulated" : "";
      return { value: outcome, detail: outcome.failure ?? `${outcome.results.length} passed${emulated}`, reused };
    },
  );
  return { value, reused };
}
