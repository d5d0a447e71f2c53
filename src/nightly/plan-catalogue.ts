import { messageOf, RefoundryError } from "../errors.ts";
import type { NightlyNotice, NightlyRelease } from "../nightly-run.ts";
import type { RegistryReference } from "../oci/reference.ts";
import type { Plan } from "../plan/types.ts";
import { type LoadedRelease, loadRecipeForVersion, loadReleaseInputs } from "../recipe/load.ts";
import { planReleases } from "../rebuild/plan-release.ts";
import type { Factory } from "../rebuild/types.ts";
import { lostInputs } from "./lost-inputs.ts";
import { expiringWaivers, platformsUpstreamAdded } from "./notices.ts";

/** Which releases a night is about. */
export interface CatalogueRequest {
  readonly root: string;
  readonly recipes: readonly string[];
  /** Every release, not only the newest of each recipe. */
  readonly all: boolean;
  /** Where releases are and go, as `HOST/PREFIX/RECIPE`; layouts in the output folder where absent. */
  readonly registry?: RegistryReference;
  /** `YYYY-MM-DD`. */
  readonly today: string;
}

/** What a night is to do, as it was known when it began. */
export interface PlannedCatalogue {
  readonly jobs: Plan["jobs"];
  readonly notices: readonly NightlyNotice[];
  /** Recipes that cannot be read: each is a failure of its own. */
  readonly unreadable: readonly NightlyRelease[];
}

/**
 * Plans what was asked for; a recipe that cannot be read is a failure of its own. Looks for
 * what needs a person.
 */
export async function planCatalogue(request: CatalogueRequest, factory: Factory): Promise<PlannedCatalogue> {
  const plans: Plan[] = [];
  const unreadable: NightlyRelease[] = [];
  const plan = (recipes: readonly string[]): Promise<Plan> =>
    planReleases(
      {
        root: request.root,
        selections: recipes.map((recipe) => ({ recipe, releases: request.all ? "all" : "newest" })),
        today: request.today,
        ...(request.registry && { registry: request.registry }),
        attestations: request.registry !== undefined,
        upstream: true,
        maxAge: 0,
      },
      factory,
    );
  try {
    plans.push(await plan(request.recipes));
  } catch (error) {
    if (!(error instanceof RefoundryError) || error.kind !== "usage") throw error;
    // one recipe that cannot be read is no reason to leave the others
    for (const recipe of request.recipes)
      await plan([recipe]).then(
        (one) => plans.push(one),
        (failure: unknown) => unreadable.push(unreadableRelease(recipe, failure)),
      );
  }
  const jobs = plans.flatMap((one) => one.jobs);
  const notices = await Promise.all([
    plans.flatMap((one) => one.notices).flatMap(noticeOf),
    ...request.recipes.map((recipe) => noticesOf(recipe, jobs, request, factory)),
    lostInputs(await newestInputs(request, jobs), factory),
  ]);
  return { jobs, notices: notices.flat(), unreadable };
}

function noticeOf({ code, recipe, version, sentence }: Plan["notices"][number]): NightlyNotice[] {
  if (recipe === undefined || (code !== "upstream-moved" && code !== "upstream-gone")) return [];
  return [{ code, recipe, ...(version !== undefined && { version }), sentence }];
}

async function noticesOf(
  name: string,
  jobs: Plan["jobs"],
  request: CatalogueRequest,
  { registry, signal }: Factory,
): Promise<NightlyNotice[]> {
  const newest = newestOf(name, jobs);
  if (newest === undefined) return [];
  const recipe = await loadRecipeForVersion(request.root, name, newest);
  return [
    ...expiringWaivers(recipe, request.today),
    ...(await platformsUpstreamAdded(recipe, newest, registry, signal)),
  ];
}

function newestOf(name: string, jobs: Plan["jobs"]): string | undefined {
  return jobs.findLast(({ recipe }) => recipe === name)?.version;
}

/** The newest release of each recipe; one that cannot be loaded is said when it is its turn. */
async function newestInputs(request: CatalogueRequest, jobs: Plan["jobs"]): Promise<LoadedRelease[]> {
  const loaded = request.recipes.map(async (recipe) => {
    const version = newestOf(recipe, jobs);
    if (version === undefined) return [];
    return [await loadReleaseInputs(request.root, recipe, { version, today: request.today })];
  });
  return (await Promise.allSettled(loaded)).flatMap((one) => (one.status === "fulfilled" ? one.value : []));
}

function unreadableRelease(recipe: string, error: unknown): NightlyRelease {
  const failure = { errorClass: "usage" as const, message: messageOf(error) };
  const reason = { code: "unreadable", sentence: "the recipe or one of its releases cannot be read" };
  return {
    recipe,
    version: "",
    status: "failed",
    reason,
    index: null,
    seconds: 0,
    attempts: 0,
    failure,
    platforms: [],
  };
}
