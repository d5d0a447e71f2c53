import { runTogether } from "../concurrency.ts";
import { listedPaths } from "../compare/findings.ts";
import type { Difference, PlatformComparison } from "../compare/types.ts";
import { type WaiverBook, waiversFor } from "../compare/waivers.ts";
import { runStage } from "../events.ts";
import { readManifest } from "../oci/manifest.ts";
import type { Descriptor } from "../oci/types.ts";
import type { PlatformOutcome } from "../outcome.ts";
import { compareBuilds } from "./compare-builds.ts";
import type { PlatformWork } from "./platform-job.ts";
import type { Factory, ReleaseInputs } from "./types.ts";
import type { UpstreamState } from "./upstream-state.ts";
import { type Judgement, judgeExtension, judgeReproduction } from "./verdict.ts";

/** An outcome that knows whether it lets the release go out. */
export interface JudgedPlatform extends PlatformOutcome {
  readonly releasable: boolean;
}

/**
 * Compares what was built, with upstream where upstream has the platform and else with a
 * sibling platform of our own, and judges each.
 */
export async function judgePlatforms(
  work: readonly PlatformWork[],
  upstream: UpstreamState,
  inputs: ReleaseInputs,
  today: string,
  factory: Factory,
): Promise<JudgedPlatform[]> {
  // where upstream has none, our own first is what the others have to be like
  const sibling = work.find((item) => !item.job.extended && item.built) ?? work.find(({ built }) => built);
  return runTogether<JudgedPlatform[]>(
    factory.signal,
    work.map((item) => async (signal: AbortSignal) => {
      const startedAt = performance.now();
      const size = item.built ? await imageSize(item.built.manifest, factory) : null;
      // by the platform that is built for: a config need not name its variant
      const book = { waivers: waiversFor(item.job.platform, inputs.recipe.waivers), today };
      const compared = await judgeOne(item, upstream, sibling === item ? undefined : sibling, book, {
        ...factory,
        signal,
      });
      const timing = { stage: "compare", seconds: (performance.now() - startedAt) / 1000, reused: false };
      return outcomeOf(item, upstream, { ...compared, size }, [...item.timings, timing]);
    }),
  );
}

interface Judged extends Judgement {
  readonly level: PlatformOutcome["level"];
  readonly comparison?: PlatformComparison;
}

async function judgeOne(
  item: PlatformWork,
  upstream: UpstreamState,
  sibling: PlatformWork | undefined,
  book: WaiverBook,
  factory: Factory,
): Promise<Judged> {
  const { job, built, smoke } = item;
  if (!built)
    return {
      verdict: "build-failed",
      level: "build-failed",
      explanation: item.failure?.message ?? "the build failed",
      releasable: false,
    };
  if (smoke?.failure !== undefined) {
    return {
      verdict: "build-failed",
      level: "build-failed",
      explanation: `the image does not work: ${smoke.failure}`,
      releasable: false,
    };
  }
  if (job.extended) {
    const other = sibling?.built?.manifest;
    const parity = other && (await comparePair(other, built.manifest, item, book, factory));
    const judgement = judgeExtension(parity, sibling?.job.platform ?? "");
    return { ...judgement, level: "no-upstream", ...(parity && { comparison: shortened(parity) }) };
  }
  const theirs = upstream.manifests.get(job.platform);
  if (!theirs) {
    const explanation = `upstream's image could not be had: ${upstream.unavailable ?? "it has no such platform"}`;
    return { verdict: "upstream-unavailable", level: "upstream-unavailable", explanation, releasable: false };
  }
  const comparison = await comparePair(theirs, built.manifest, item, book, factory);
  return { ...judgeReproduction(comparison), level: comparison.level, comparison };
}

/** Parity looks at every path: a folder that is named by its platform may hold many. */
const judgedPaths = 10_000;

/** A comparison with as many paths of each difference as other comparisons list. */
function shortened(comparison: PlatformComparison): PlatformComparison {
  const shown = (difference: Difference): Difference => ({
    ...difference,
    paths: difference.paths.slice(0, listedPaths),
  });
  return { ...comparison, differences: comparison.differences.map(shown) };
}

async function comparePair(
  left: Descriptor,
  right: Descriptor,
  item: PlatformWork,
  book: WaiverBook,
  factory: Factory,
): Promise<PlatformComparison> {
  const title = item.job.extended ? "compare with a sibling platform" : "compare with upstream";
  return runStage(factory.emit, { stage: "compare", platform: item.job.platform, title }, async () => {
    // between platforms other machine code is what one wants: nothing to look into
    const options = item.job.extended ? { explain: false, listed: judgedPaths } : { explain: true };
    const platform = await compareBuilds(left, right, { ...book, ...options }, factory);
    return { value: platform, detail: item.job.extended ? "parity" : `equal at ${platform.level}` };
  });
}

function outcomeOf(
  item: PlatformWork,
  upstream: UpstreamState,
  judged: Judged & Pick<PlatformOutcome, "size">,
  timings: PlatformOutcome["timings"],
): JudgedPlatform {
  const { job, built } = item;
  const theirs = upstream.manifests.get(job.platform);
  return {
    platform: job.platform,
    origin: job.extended ? "rebuilt" : "upstream",
    manifest: (job.extended ? built?.manifest.digest : theirs?.digest) ?? null,
    rebuilt: built?.manifest.digest ?? null,
    size: judged.size,
    verdict: judged.verdict,
    level: judged.level,
    unexplained: job.extended ? 0 : (judged.comparison?.unexplained ?? 0),
    buildKey: job.buildKey,
    cached: built?.cached ?? false,
    ...(built?.takenOver !== undefined && { takenOver: built.takenOver }),
    seconds: timings.reduce((sum, timing) => sum + timing.seconds, 0),
    explanation: judged.explanation,
    ...(judged.comparison && { comparison: judged.comparison }),
    timings,
    smoke: item.smoke?.results ?? [],
    log: item.log,
    releasable: judged.releasable,
  };
}

async function imageSize(manifest: Descriptor, { store }: Factory): Promise<number> {
  const { config, layers } = await readManifest(store.blobs, manifest);
  return [manifest, config, ...layers].reduce((sum, { size }) => sum + size, 0);
}
