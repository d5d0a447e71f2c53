import type { NightlyNotice } from "../nightly-run.ts";
import { isPlatformName, platformName } from "../oci/platform.ts";
import { parseReference } from "../oci/reference.ts";
import type { RegistryClient } from "../oci/registry/client.ts";
import type { ImageIndex } from "../oci/types.ts";
import type { Recipe } from "../recipe/schema.ts";

const dayMs = 24 * 3600 * 1000;
const warnDays = 30;
const patienceSeconds = 60;

/** Waivers of a recipe that end within the next 30 days. `today` is `YYYY-MM-DD`. */
export function expiringWaivers({ image, waivers }: Pick<Recipe, "image" | "waivers">, today: string): NightlyNotice[] {
  return waivers.flatMap(({ class: name, owner, expires }) => {
    const days = (Date.parse(expires) - Date.parse(today)) / dayMs;
    if (days < 0 || days > warnDays) return [];
    const sentence = `the waiver of ${name} ends on ${expires}; ${owner} has to mend its cause or renew it`;
    return [{ code: "waiver-expires", recipe: image, sentence }];
  });
}

/**
 * Platforms that a recipe adds and upstream's tag of the version has by now: ours may be
 * retired. One request; what cannot be asked gives no notice, as the plan says that.
 */
export async function platformsUpstreamAdded(
  recipe: Recipe,
  version: string,
  registry: RegistryClient,
  signal: AbortSignal,
): Promise<NightlyNotice[]> {
  if (!("image" in recipe.upstream) || recipe.platforms.extend.length === 0) return [];
  const reference = parseReference(recipe.upstream.image);
  if (reference.kind !== "registry") return [];
  const found = await registry
    .repository(reference)
    .resolve(reference.tag ?? version, AbortSignal.any([signal, AbortSignal.timeout(patienceSeconds * 1000)]))
    .catch((error: unknown) => {
      if (signal.aborted) throw error;
      return undefined;
    });
  if (!found) return [];
  const { manifests } = JSON.parse(Buffer.from(found.bytes).toString("utf8")) as Partial<ImageIndex>;
  const theirs = new Set(
    (Array.isArray(manifests) ? manifests : []).flatMap(({ platform }) => (platform ? [platformName(platform)] : [])),
  );
  return recipe.platforms.extend
    .filter((platform) => isPlatformName(platform) && theirs.has(platform))
    .map((platform) => ({
      code: "upstream-added-platform",
      recipe: recipe.image,
      version,
      sentence: `upstream releases ${platform} now: move it to platforms.reproduce, and pin the release again`,
    }));
}
