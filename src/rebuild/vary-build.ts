import type { Difference } from "../compare/types.ts";
import type { Engine } from "../engine/types.ts";
import { runStage } from "../events.ts";
import { readManifest } from "../oci/manifest.ts";
import type { PlatformName } from "../oci/platform.ts";
import type { Descriptor } from "../oci/types.ts";
import type { Variation } from "../recipe/variations.ts";
import { buildPlatform, isFailure, storeBuild } from "./build-platform.ts";
import { compareBuilds } from "./compare-builds.ts";
import type { Factory, PreparedInputs, ReleaseInputs } from "./types.ts";

/** What builds of one release under other conditions need. */
export interface VaryContext {
  readonly inputs: ReleaseInputs;
  readonly prepared: PreparedInputs;
  readonly engine: Engine;
  readonly factory: Factory;
}

/** Builds a platform under some variations; undefined where it does not build. */
export async function buildVaried(
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
export async function sameLayers(left: Descriptor, right: Descriptor, { store }: Factory): Promise<boolean> {
  if (left.digest === right.digest) return true;
  const [a, b] = [await readManifest(store.blobs, left), await readManifest(store.blobs, right)];
  return (
    a.layers.length === b.layers.length && a.layers.every(({ digest }, index) => digest === b.layers[index]?.digest)
  );
}

/** What differs between the layers of two images, with proofs and up to 100 paths each. */
export function differencesOf(left: Descriptor, right: Descriptor, factory: Factory): Promise<readonly Difference[]> {
  return compareLayersOf(left, right, { explain: true }, factory);
}

/**
 * Every path at which the layers of two images differ, sorted. What differs and is at no path
 * stands there by its class: `tar-headers in layer 0`, `layer-split`.
 */
export async function changedPaths(left: Descriptor, right: Descriptor, factory: Factory): Promise<readonly string[]> {
  const options = { explain: false, listed: Number.MAX_SAFE_INTEGER };
  const differences = await compareLayersOf(left, right, options, factory);
  const all = differences.flatMap(({ class: name, count, paths }) => [
    ...paths.map((path) => (path.startsWith("/") ? path : `${name} in ${path}`)),
    ...(count > paths.length ? [name] : []),
  ]);
  return [...new Set(all)].toSorted();
}

async function compareLayersOf(
  left: Descriptor,
  right: Descriptor,
  options: { readonly explain: boolean; readonly listed?: number },
  factory: Factory,
): Promise<readonly Difference[]> {
  const { differences } = await compareBuilds(left, right, options, factory);
  return differences.filter(({ scope }) => scope !== "config" && scope !== "runtime-config");
}
