import { coversPath } from "../compare/waivers.ts";
import type { Digest } from "../oci/digest.ts";
import type { PlatformName } from "../oci/platform.ts";
import type { Descriptor } from "../oci/types.ts";
import type { Dependence, Variation } from "../recipe/variations.ts";
import { buildVaried, changedPaths, sameLayers, type VaryContext } from "./vary-build.ts";

/** How many paths a result lists. */
const listed = 100;

/** What was seen of a dependence that a recipe names. */
export interface KnownDependence {
  readonly by: Variation;
  /** Files that the recipe says it may change, and why. */
  readonly named: readonly string[];
  readonly reason: string;
  /** What a build under this variation alone gave; null where it did not build. */
  readonly varied: Digest | null;
  /**
   * `as-named`: it changes files, all of which the recipe names; `more`: others too;
   * `not-seen`: it changes nothing (any more); `build-failed`: it did not build.
   */
  readonly seen: "as-named" | "more" | "not-seen" | "build-failed";
  /** Up to 100 of what it changes, and of these what the recipe does not name. */
  readonly paths: readonly string[];
  readonly unnamed: readonly string[];
}

/** Builds under a variation that a recipe names, alone, to see whether it is as the recipe says. */
export async function varyKnown(
  platform: PlatformName,
  own: Descriptor,
  { by, paths: named, reason }: Dependence,
  context: VaryContext,
): Promise<KnownDependence> {
  const entry = { by, named, reason };
  const none = { paths: [], unnamed: [] };
  const alone = await buildVaried(platform, [by], context);
  if (!alone) return { ...entry, varied: null, seen: "build-failed", ...none };
  const varied = alone.digest;
  if (await sameLayers(own, alone, context.factory)) return { ...entry, varied, seen: "not-seen", ...none };
  const paths = await changedPaths(own, alone, context.factory);
  const unnamed = paths.filter((path) => !named.some((pattern) => coversPath(pattern, path)));
  const seen = paths.length > 0 && unnamed.length === 0 ? "as-named" : "more";
  return { ...entry, varied, seen, paths: paths.slice(0, listed), unnamed: unnamed.slice(0, listed) };
}
