import pLimit from "p-limit";
import type { Difference } from "../compare/types.ts";
import { runTogether } from "../concurrency.ts";
import { mismatch } from "../errors.ts";
import type { Digest } from "../oci/digest.ts";
import type { PlatformName } from "../oci/platform.ts";
import type { Descriptor } from "../oci/types.ts";
import { dependencesFor, type Variation, variations } from "../recipe/variations.ts";
import { prepareInputs, runBuilds } from "./run-builds.ts";
import type { Factory, ReleaseInputs } from "./types.ts";
import { buildVaried, differencesOf, sameLayers, type VaryContext } from "./vary-build.ts";
import { type KnownDependence, varyKnown } from "./vary-known.ts";

/** What became of one platform's build under other conditions. */
export interface VariedPlatform {
  readonly platform: PlatformName;
  /** What the release's own build gave. */
  readonly manifest: Digest;
  /** What was varied at once: all variations but those that the recipe names. */
  readonly together: readonly Variation[];
  /** What a build under these gave; null where it did not build. */
  readonly varied: Digest | null;
  /** Whether that has the same layers as the release's own. */
  readonly agrees: boolean;
  /** Those of them that change the result when each is tried alone; empty where only several together do. */
  readonly causes: readonly Variation[];
  /** What differs under them at once. */
  readonly differences: readonly Difference[];
  /** The variations that the recipe names, each tried alone. */
  readonly known: readonly KnownDependence[];
}

/** Whether a build depends on nothing but what its recipe names, and on that as it says. */
export function isAsNamed({ agrees, known }: VariedPlatform): boolean {
  return agrees && known.every(({ seen }) => seen === "as-named");
}

/**
 * Builds platforms of a release again under every variation at once that its recipe does not
 * name, and where the layers are others, under each alone, to name the cause; then under each
 * that it names. What the store has is not touched.
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
  const dependences = dependencesFor(platform, context.inputs.recipe.varies);
  const together = variations.filter((variation) => !dependences.some(({ by }) => by === variation));
  const unnamed = await varyTogether(platform, own, together, context);
  const known: KnownDependence[] = [];
  for (const dependence of dependences) known.push(await varyKnown(platform, own, dependence, context));
  return { platform, manifest: own.digest, together, ...unnamed, known };
}

/** Builds under variations that a build must not depend on. */
async function varyTogether(
  platform: PlatformName,
  own: Descriptor,
  together: readonly Variation[],
  context: VaryContext,
): Promise<Pick<VariedPlatform, "varied" | "agrees" | "causes" | "differences">> {
  const varied = together.length === 0 ? own : await buildVaried(platform, together, context);
  if (varied && (await sameLayers(own, varied, context.factory)))
    return { varied: varied.digest, agrees: true, causes: [], differences: [] };
  const causes: Variation[] = [];
  for (const variation of together) {
    const alone = await buildVaried(platform, [variation], context);
    if (!alone || !(await sameLayers(own, alone, context.factory))) causes.push(variation);
  }
  const differences = varied ? await differencesOf(own, varied, context.factory) : [];
  return { varied: varied?.digest ?? null, agrees: false, causes, differences };
}
