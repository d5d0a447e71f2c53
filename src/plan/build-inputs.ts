import { exporterAttributes } from "../build/buildx.ts";
import { normaliserVersion } from "../normalise/normalise-image.ts";
import { type Digest, isDigest } from "../oci/digest.ts";
import type { PlatformName } from "../oci/platform.ts";
import type { Outcome } from "../outcome.ts";
import type { ContextPin, Recipe, Release } from "../recipe/schema.ts";
import { buildKeyOf } from "./build-key.ts";
import type { CatalogueRelease } from "./catalogue.ts";
import type { BuildInputs } from "./changes.ts";
import { fileInputsOf } from "./since.ts";

/** Everything that the build keys of a release are made from but for the platform, as a release records it. */
function buildInputsOf(recipe: Recipe, release: Release, context: Digest, builder: string): BuildInputs {
  return {
    ...fileInputsOf(recipe, release, context),
    builder,
    exporter: Object.entries(exporterAttributes)
      .map(([name, value]) => `${name}=${value}`)
      .toSorted()
      .join(","),
    normaliser: normaliserVersion,
  };
}

/** What a rebuild was made from, for the release to record; undefined where the outcome does not say it. */
export function recordedInputs(
  outcome: Outcome,
  { recipe, release }: Pick<CatalogueRelease, "recipe" | "release">,
): BuildInputs | undefined {
  const context = outcome.inputs.find(({ kind }) => kind === "dockerfile")?.digest;
  const builder = outcome.inputs.find(({ kind }) => kind === "engine")?.version;
  if (context === undefined || !isDigest(context) || builder === undefined) return undefined;
  return buildInputsOf(recipe, release, context, builder);
}

function keyOf(inputs: BuildInputs, pins: Release["contexts"], platform: PlatformName): Digest {
  const contexts = Object.fromEntries(
    Object.keys(inputs.contexts ?? {}).map((name) => [name, contextDigestOf(pins?.[name], platform)]),
  );
  return buildKeyOf({
    sourceArchive: inputs.source,
    contextDigest: inputs.context,
    dockerfile: inputs.dockerfile,
    ...(inputs.patches && { patches: inputs.patches }),
    toolchain: inputs.toolchain,
    ...(Object.keys(contexts).length > 0 && { contexts }),
    buildArgs: { ...inputs.args, ...inputs.platformArgs?.[platform] },
    platform,
    epoch: inputs.epoch,
    builder: inputs.builder,
    exporter: exporterAttributes,
    normaliser: inputs.normaliser,
  });
}

/** What of a context goes into a platform's build: its sources, or its image for that platform. */
function contextDigestOf(pin: ContextPin | undefined, platform: PlatformName): Digest | null {
  if (!pin) return null;
  if ("source" in pin) return pin.source.archive;
  return "recipe" in pin ? (pin.recipe.manifests[platform] ?? null) : pin.toolchain.digest;
}

/** The build keys of a release for the platforms of its recipe, and what they are made from. */
export function releaseBuildKeys(
  { recipe, release, contextDigest }: Pick<CatalogueRelease, "recipe" | "release" | "contextDigest">,
  builder: string,
): {
  readonly inputs: BuildInputs;
  readonly keys: readonly { readonly platform: PlatformName; readonly buildKey: Digest }[];
} {
  const inputs = buildInputsOf(recipe, release, contextDigest, builder);
  const { reproduce, extend } = recipe.platforms;
  const keys = [...reproduce, ...extend].map((platform) => ({
    platform,
    buildKey: keyOf(inputs, release.contexts, platform),
  }));
  return { inputs, keys };
}
