import type { NightlyNotice } from "../nightly-run.ts";
import type { LoadedRelease } from "../recipe/load.ts";
import type { Source } from "../recipe/schema.ts";
import type { Factory } from "../rebuild/types.ts";
import { askForks, type LostPlace } from "./forks.ts";
import { findMovedTags } from "./moved-tags.ts";
import { askPackages, pinnedPaths } from "./packages.ts";

const secondsPerFork = 30;
const secondsForPackages = 600;
const mostNamed = 5;

/**
 * What releases are made from and is gone: forks and upstream repositories, files that the
 * Debian mirror has no more, and tags that name another commit now. What is only out of reach is a warning, for it may pass.
 */
export async function lostInputs(
  releases: readonly LoadedRelease[],
  factory: Pick<Factory, "emit" | "mirror" | "signal" | "store">,
): Promise<NightlyNotice[]> {
  const [forks, packages, tags] = await Promise.all([
    lostForks(releases, factory),
    lostPackages(releases, factory),
    movedTags(releases, factory),
  ]);
  return [...forks, ...packages, ...tags];
}

async function movedTags(
  releases: readonly LoadedRelease[],
  { signal, store }: Pick<Factory, "signal" | "store">,
): Promise<NightlyNotice[]> {
  const moved = await findMovedTags(releases, await store.temporaryFolder("tags"), signal);
  return moved.map(({ recipe, version, url, tag, pinned, now }) => ({
    code: "tag-moved",
    recipe,
    version,
    sentence: `the tag ${tag} of ${url} names ${now.slice(0, 12)}, and the release pins ${pinned.slice(0, 12)}: what is pinned may soon be had from nowhere else`,
  }));
}

async function lostForks(
  releases: readonly LoadedRelease[],
  { emit, signal, store }: Pick<Factory, "emit" | "signal" | "store">,
): Promise<NightlyNotice[]> {
  const sources = new Map<string, { readonly source: Source; readonly recipes: Set<string> }>();
  for (const { recipe, source, contexts } of releases) {
    const others = Object.values(contexts).flatMap((context) => (context.kind === "source" ? [context.source] : []));
    for (const each of [source, ...others]) {
      const known = sources.get(each.source) ?? { source: each, recipes: new Set<string>() };
      known.recipes.add(recipe.image);
      sources.set(each.source, known);
    }
  }
  if (sources.size === 0) return [];
  const asked = [...sources.values()].map(({ source }) => source);
  const lost = await askForks(asked, await store.temporaryFolder("remotes"), secondsPerFork, signal);
  for (const { source, kind, url, place } of lost)
    if (place.state === "unreachable")
      emit({
        type: "notice",
        severity: "warning",
        message: `the ${kind} ${url} of ${source} could not be asked: ${place.said}`,
      });
  return lost.flatMap((one) => {
    const found = noticeOf(one);
    return found ? [...(sources.get(one.source)?.recipes ?? [one.source])].map((recipe) => ({ ...found, recipe })) : [];
  });
}

function noticeOf({ source, kind, url, place }: LostPlace): Pick<NightlyNotice, "code" | "sentence"> | undefined {
  const subject = `the ${kind} ${url} of the source ${source}`;
  switch (place.state) {
    case "unreachable":
      return undefined;
    case "gone":
      return { code: "fork-gone", sentence: `${subject} is gone, or asks for a login: ${place.said}` };
    case "renamed":
      return {
        code: "fork-renamed",
        sentence: `${subject} is ${place.to} now; the old address may be anybody's one day: name the new one in vendor-sources/${source}.yaml`,
      };
  }
}

async function lostPackages(
  releases: readonly LoadedRelease[],
  { emit, mirror, signal }: Pick<Factory, "emit" | "mirror" | "signal">,
): Promise<NightlyNotice[]> {
  const pinned = releases.map((inputs) => ({ inputs, paths: pinnedPaths(inputs) }));
  const distinct = [...new Set(pinned.flatMap(({ paths }) => paths))];
  if (distinct.length === 0) return [];
  const { asked, gone, failure } = await askPackages(distinct, mirror, secondsForPackages, signal);
  emit({
    type: "notice",
    severity: failure === undefined ? "info" : "warning",
    message: `the Debian mirror was asked for ${asked} of ${distinct.length} pinned files: ${gone.size} are gone${failure === undefined ? "" : `; ${failure}`}`,
  });
  return pinned.flatMap(({ inputs: { recipe, release }, paths }) => {
    const missing = paths.filter((path) => gone.has(path));
    if (missing.length === 0) return [];
    const more = missing.length > mostNamed ? ` and ${missing.length - mostNamed} more` : "";
    const sentence = `the Debian mirror no longer has ${missing.length} of ${paths.length} files that are pinned: ${missing.slice(0, mostNamed).join(", ")}${more}; without a copy it cannot be built again`;
    return [{ code: "package-gone", recipe: recipe.image, version: release.version, sentence }];
  });
}
