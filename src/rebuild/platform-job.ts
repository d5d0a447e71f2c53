import { readFile } from "node:fs/promises";
import type { Variation } from "../recipe/variations.ts";
import { runTogether } from "../concurrency.ts";
import { ofSecondRun, runStage } from "../events.ts";
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
import type { Turn } from "./build-places.ts";
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
    ? await timed("smoke", () => holdPlace("smoke", context, () => runSmoke(job, build.manifest, context)))
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

function holdPlace<T>(turn: Turn, { factory }: JobContext, work: () => Promise<T>): Promise<T> {
  return factory.places.hold(turn, work, factory.signal);
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
  const record = extended ? await buildTwice(job, context) : await buildFirst(job, context);
  if (!isFailure(record)) await context.factory.store.writeRecord("builds", job.buildKey, record);
  return { value: record, reused: false };
}

/** The build itself, checked against what is known of it. */
async function buildFirst(job: PlatformJob, context: JobContext): Promise<BuildRecord | BuildFailure> {
  const { known, platform } = job;
  const first =
    known && !job.buildAgain ? known : await buildOnce(job, context, { varied: false, noCache: job.buildAgain });
  if (isFailure(first)) return first;
  requireExpected(job, first.manifest.digest, context.inputs);
  if (known)
    requireSameManifest(known.manifest.digest, first.manifest.digest, platform, "the recorded build and this one");
  return first;
}

/** The release's own record: another digest under the same build key is nondeterminism, under another key a refresh. */
function requireExpected(job: PlatformJob, manifest: Digest, { release }: ReleaseInputs): void {
  const expected = release.expect?.platforms[job.platform];
  if (expected?.buildKey !== job.buildKey) return;
  requireSameManifest(expected.manifest, manifest, job.platform, "the build that the release records and this one");
}

/**
 * Two builds under different host names have to agree. They run side by side where there
 * are places for both: a second that only began after the first would leave one idle at
 * the end. BuildKit does not join them: the host name is part of what it runs.
 */
async function buildTwice(job: PlatformJob, context: JobContext): Promise<BuildRecord | BuildFailure> {
  const { factory } = context;
  const firstFailed = new AbortController();
  const [first, second] = await runTogether<[BuildRecord | BuildFailure, BuildRecord | BuildFailure | undefined]>(
    factory.signal,
    [
      async (signal) => {
        const build = await buildFirst(job, { ...context, factory: { ...factory, signal } });
        if (isFailure(build)) firstFailed.abort();
        return build;
      },
      async (signal) => {
        const stop = AbortSignal.any([signal, firstFailed.signal]);
        const again = { ...context, factory: { ...factory, signal: stop, emit: ofSecondRun(factory.emit) } };
        try {
          return await buildOnce(job, again, { varied: true, noCache: true });
        } catch (error) {
          if (firstFailed.signal.aborted) return undefined;
          throw error;
        }
      },
    ],
  );
  if (isFailure(first) || !second) return first;
  if (isFailure(second)) return second;
  const between = "two builds under different host names and times";
  requireSameManifest(first.manifest.digest, second.manifest.digest, job.platform, between);
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
  const built = await holdPlace(how.varied ? "varied build" : "build", context, () =>
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
