import type { Digest } from "../oci/digest.ts";
import type { PlatformName } from "../oci/platform.ts";
import { findBuild, releaseBuildKey } from "./build-platform.ts";
import { prepareContext } from "./prepare.ts";
import type { Factory, ReleaseInputs } from "./types.ts";

/** One build that is due or not, and why. */
export interface PlannedJob {
  readonly recipe: string;
  readonly version: string;
  readonly platform: PlatformName;
  readonly due: boolean;
  readonly buildKey: Digest;
  readonly reason: {
    readonly code: "up-to-date" | "never-built" | "not-varied" | "inputs-changed";
    readonly sentence: string;
  };
}

/** Which builds of a release are due, from digests already known; nothing is fetched or built. */
export async function planRelease(inputs: ReleaseInputs, factory: Factory): Promise<PlannedJob[]> {
  const engine = await factory.engine();
  const { contextDigest } = await prepareContext(inputs, factory);
  const { reproduce, extend } = inputs.recipe.platforms;
  const jobs: PlannedJob[] = [];
  for (const platform of [...reproduce, ...extend]) {
    const buildKey = releaseBuildKey(inputs, contextDigest, engine.builderVersion, platform);
    const known = await findBuild(buildKey, factory);
    const reason = reasonOf(
      known,
      extend.includes(platform),
      inputs.release.expect?.platforms[platform]?.buildKey,
      buildKey,
    );
    jobs.push({
      recipe: inputs.recipe.image,
      version: inputs.release.version,
      platform,
      due: reason.code !== "up-to-date",
      buildKey,
      reason,
    });
  }
  return jobs;
}

function reasonOf(
  known: { readonly varied: boolean } | undefined,
  extended: boolean,
  recorded: Digest | undefined,
  key: Digest,
): PlannedJob["reason"] {
  if (known && (known.varied || !extended))
    return { code: "up-to-date", sentence: "the store has an image with this build key" };
  if (known)
    return {
      code: "not-varied",
      sentence: "it was built once, and a platform upstream never had needs two varied builds that agree",
    };
  if (recorded !== undefined && recorded !== key) {
    return {
      code: "inputs-changed",
      sentence: "something that may change the output is not as it was when the release was recorded",
    };
  }
  return { code: "never-built", sentence: "the store has no image with this build key" };
}
