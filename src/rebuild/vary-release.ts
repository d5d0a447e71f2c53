import pLimit from "p-limit";
import { type Variation, variations } from "../build/variations.ts";
import { compareImages } from "../compare/compare-images.ts";
import type { Difference } from "../compare/types.ts";
import { runTogether } from "../concurrency.ts";
import type { Engine } from "../engine/types.ts";
import { mismatch } from "../errors.ts";
import { runStage } from "../events.ts";
import type { Digest } from "../oci/digest.ts";
import { readManifest } from "../oci/manifest.ts";
import type { PlatformName } from "../oci/platform.ts";
import type { Descriptor } from "../oci/types.ts";
import { buildPlatform, isFailure, storeBuild } from "./build-platform.ts";
import { prepareInputs, runBuilds } from "./run-builds.ts";
import type { Factory, PreparedInputs, ReleaseInputs } from "./types.ts";

/** What became of one platform's build under other conditions. */
export interface VariedPlatform {
  readonly platform: PlatformName;
  /** What the release's own build gave. */
  readonly manifest: Digest;
  /** What a build under all variations at once gave; null where it did not build. */
  readonly varied: Digest | null;
  readonly agrees: boolean;
  /** The variations that change the result when each is tried alone; empty where only several together do. */
  readonly causes: readonly Variation[];
  /** What differs under all variations at once. */
  readonly differences: readonly Difference[];
}

interface VaryContext {
  readonly inputs: ReleaseInputs;
  readonly prepared: PreparedInputs;
  readonly engine: Engine;
  readonly factory: Factory;
}

/**
 * Builds platforms of a release again under every variation at once, and where the layers
 * are others, under each alone, to name the cause. What the store has is not touched.
 * Throws a mismatch error when the release itself does not build.
 */
export async function varyRelease(
  inputs: ReleaseInputs,
  platforms: readonly PlatformName[],
  factory: Factory,
): Promise<VariedPlatform[]> {
  const { work } = await runBuilds({ inputs, force: false, build: "where due", smoke: false, platforms }, factory);
  const engine = await (await factory.engine()).acquire(factory.signal);
  try {
    const prepared = await prepareInputs(inputs, platforms, engine, factory);
    const limit = pLimit(factory.settings.jobs);
    return await runTogether<VariedPlatform[]>(
      factory.signal,
      work.map(({ job, built, failure }) => (signal: AbortSignal) => {
        const context = { inputs, prepared, engine, factory: { ...factory, signal } };
        if (!built) throw mismatch(`${job.platform} does not build: ${failure?.message ?? ""}`);
        return limit(() => varyPlatform(job.platform, built.manifest, context));
      }),
    );
  } finally {
    await engine.release();
  }
}

async function varyPlatform(platform: PlatformName, own: Descriptor, context: VaryContext): Promise<VariedPlatform> {
  const together = await buildVaried(platform, variations, context);
  if (together && (await sameLayers(own, together, context.factory)))
    return {
      platform,
      manifest: own.digest,
      varied: together.digest,
      agrees: true,
      causes: [],
      differences: [],
    };
  const causes: Variation[] = [];
  for (const variation of variations) {
    const alone = await buildVaried(platform, [variation], context);
    if (!alone || !(await sameLayers(own, alone, context.factory))) causes.push(variation);
  }
  const differences = together ? await differencesOf(own, together, context.factory) : [];
  return { platform, manifest: own.digest, varied: together?.digest ?? null, agrees: false, causes, differences };
}

async function buildVaried(
  platform: PlatformName,
  chosen: readonly Variation[],
  { inputs, prepared, engine, factory }: VaryContext,
): Promise<Descriptor | undefined> {
  const title = `build with another ${chosen.join(", ")}`;
  return runStage(factory.emit, { stage: "build", platform, title }, async () => {
    const request = { inputs, prepared, platform, variations: chosen, noCache: true };
    const built = await buildPlatform(request, engine, factory);
    if (isFailure(built)) return { value: undefined, detail: `failed: ${built.failed.step}` };
    const { manifest } = await storeBuild(built, inputs, factory);
    return { value: manifest, detail: manifest.digest };
  });
}

/** An image on the toolchain has its varied shell in the config; what was built is in the layers. */
async function sameLayers(left: Descriptor, right: Descriptor, { store }: Factory): Promise<boolean> {
  if (left.digest === right.digest) return true;
  const [a, b] = [await readManifest(store.blobs, left), await readManifest(store.blobs, right)];
  return (
    a.layers.length === b.layers.length && a.layers.every(({ digest }, index) => digest === b.layers[index]?.digest)
  );
}

async function differencesOf(left: Descriptor, right: Descriptor, factory: Factory): Promise<readonly Difference[]> {
  const side = ({ mediaType, digest, size }: Descriptor) => ({
    reader: factory.store.blobs,
    descriptor: { mediaType, digest, size },
  });
  const { platforms } = await compareImages(side(left), side(right), { signal: factory.signal });
  return platforms.flatMap(({ differences }) => differences.filter(({ scope }) => scope !== "config"));
}
