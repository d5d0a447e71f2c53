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
  return waivers.flatMap(({ class: name, platforms, owner, expires }) => {
    const days = (Date.parse(expires) - Date.parse(today)) / dayMs;
    if (days < 0 || days > warnDays) return [];
    const where = platforms ? ` on ${platforms.join(", ")}` : "";
    const sentence = `the waiver of ${name}${where} ends on ${expires}; ${owner} has to mend its cause or renew it`;
    return [{ code: "waiver-expires", recipe: image, sentence }];
  });
}

/**
 * Platforms that upstream's tag of the version has and the recipe either adds, so that ours
 * may be retired, or does not name, so that nobody would see that they are missing. One
 * request; what cannot be asked gives no notice, as the plan says that.
 */
export async function platformsUpstreamAdded(
  recipe: Recipe,
  version: string,
  registry: RegistryClient,
  signal: AbortSignal,
): Promise<NightlyNotice[]> {
  if (!("image" in recipe.upstream)) return [];
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
  const { reproduce, extend, omit } = recipe.platforms;
  const named = new Set([...reproduce, ...omit.map(({ platform }) => platform)]);
  // attestations are listed under a platform that is none
  return [...theirs]
    .filter((platform) => isPlatformName(platform) && platform.startsWith("linux/") && !named.has(platform))
    .map((platform) => ({
      code: "upstream-added-platform",
      recipe: recipe.image,
      version,
      sentence: extend.includes(platform)
        ? `upstream releases ${platform} now, so that ours can be retired: move it from platforms.extend to platforms.reproduce, and whatever is pinned from then on carries upstream's image and compares ours with it; ${version} stays as it is out, unless refoundry pin ${recipe.image} ${version} --replace`
        : `upstream releases ${platform}: add it to platforms.reproduce, or to platforms.omit with the reason`,
    }));
}
