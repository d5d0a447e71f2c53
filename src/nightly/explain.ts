import { messageOf, RefoundryError } from "../errors.ts";
import { readRuns } from "../history/history.ts";
import type { NightlyRelease } from "../nightly-run.ts";
import type { Digest } from "../oci/digest.ts";
import type { RegistryReference } from "../oci/reference.ts";
import type { Repository } from "../oci/repository.ts";
import type { OmittedPlatform } from "../outcome.ts";
import type { PlanJob } from "../plan/types.ts";
import { type NeedingRelease, releasesThatNeed } from "../plan/stands-on.ts";
import { releaseTag } from "../publish/release-tags.ts";
import { listRecipes, loadRecipeForVersion, loadRelease, loadSource } from "../recipe/load.ts";
import type { Context, ContextPin, Recipe, Release, Source } from "../recipe/schema.ts";
import { planReleases, readRemembered } from "../rebuild/plan-release.ts";
import type { Factory } from "../rebuild/types.ts";
import { upstreamName } from "../recipe/upstream.ts";
import { type Trigger, whatRebuilds } from "./what-rebuilds.ts";

/** Of what a release is explained, and who is asked. */
export interface ExplainRequest {
  readonly root: string;
  readonly recipe: string;
  readonly version: string;
  /** `YYYY-MM-DD`, by which waivers expire. */
  readonly today: string;
  readonly history: Repository;
  /** Runs to look through. */
  readonly limit: number;
  /** Where releases are, as `HOST/PREFIX/RECIPE:VERSION`. */
  readonly registry?: RegistryReference;
}

/** A part of an explanation that could not be had, and why; the others are there all the same. */
export interface Missing {
  readonly part: "plan" | "history" | "released" | "needed by";
  readonly message: string;
}

/** Everything that is known of a release; `refoundry/explanation/v1`. */
export interface Explanation {
  readonly schema: "refoundry/explanation/v1";
  readonly recipe: string;
  readonly version: string;
  readonly inputs: readonly {
    readonly kind: "source" | "base" | "toolchain" | "upstream";
    readonly name: string;
    readonly version: string;
    readonly digest: Digest;
    /** The recipe's name for it, where it is one of its contexts. */
    readonly context?: string;
    /** Where it can be had, in the order in which it is tried. */
    readonly places: readonly string[];
  }[];
  /** What the release records of its last rebuild. */
  readonly expect: Release["expect"] | null;
  /** Releases of this checkout that stand on it: in their images, or by their toolchains. */
  readonly neededBy: readonly NeedingRelease[];
  /** What would be built and why, platform by platform. */
  readonly plan: readonly Pick<PlanJob, "platform" | "due" | "needs" | "buildKey" | "reason" | "changes">[];
  /** What would make it rebuild, whatever is due now. */
  readonly rebuiltBy: readonly Trigger[];
  /** Newest first. */
  readonly history: readonly (Pick<NightlyRelease, "status" | "index" | "reason" | "failure"> & {
    readonly run: string;
    readonly platforms: readonly Pick<NightlyRelease["platforms"][number], "platform" | "verdict" | "level">[];
  })[];
  /** Where it is out; null where no registry was asked. */
  readonly released: { readonly name: string; readonly index: Digest | null; readonly isRecorded: boolean } | null;
  /** Platforms that upstream has and the recipe leaves out. */
  readonly omitted: readonly OmittedPlatform[];
  readonly waivers: readonly (Recipe["waivers"][number] & {
    /** Negative when it has expired. */
    readonly daysLeft: number;
  })[];
  readonly missing: readonly Missing[];
}

const dayMs = 24 * 3600 * 1000;

/**
 * Gathers what is known of a release. What cannot be had (no engine, a registry out of
 * reach) is listed under `missing`. Throws a usage error for a recipe, source or release
 * that cannot be read.
 */
export async function explainRelease(request: ExplainRequest, factory: Factory): Promise<Explanation> {
  const { root, version, today } = request;
  const recipe = await loadRecipeForVersion(root, request.recipe, version);
  const [release, source] = await Promise.all([
    loadRelease(root, request.recipe, version),
    loadSource(root, recipe.source),
  ]);
  const missing: Missing[] = [];
  const attempt = async <T>(part: Missing["part"], otherwise: T, work: () => Promise<T>): Promise<T> => {
    try {
      return await work();
    } catch (error) {
      if (!(error instanceof RefoundryError) || error.kind === "interrupted") throw error;
      missing.push({ part, message: messageOf(error) });
      return otherwise;
    }
  };
  const [plan, history, released, neededBy] = await Promise.all([
    attempt("plan", [], () => planOne(request, factory)),
    attempt("history", [], () => historyOf(request, missing, factory.signal)),
    attempt("released", null, () => releasedOf(request, release, factory)),
    attempt("needed by", [], () => neededByOf(request, missing, factory)),
  ]);
  return {
    schema: "refoundry/explanation/v1",
    recipe: request.recipe,
    version,
    inputs: inputsOf(recipe, release, source),
    expect: release.expect ?? null,
    neededBy,
    plan,
    rebuiltBy: whatRebuilds(recipe, release),
    history,
    released,
    omitted: recipe.platforms.omit,
    waivers: recipe.waivers.map((waiver) => ({
      ...waiver,
      daysLeft: (Date.parse(waiver.expires) - Date.parse(today)) / dayMs,
    })),
    missing,
  };
}

/** A recipe that cannot be read may need it too: that is said. */
async function neededByOf(
  { root, recipe, version }: ExplainRequest,
  missing: Missing[],
  { store }: Factory,
): Promise<Explanation["neededBy"]> {
  const names = await listRecipes(root);
  const selections = names.map((name) => ({ recipe: name, releases: "all" as const }));
  const { releases, problems } = await readRemembered(root, selections, store);
  missing.push(...problems.map(({ message }) => ({ part: "needed by" as const, message })));
  return releasesThatNeed({ recipe, version }, releases);
}

async function planOne(request: ExplainRequest, factory: Factory): Promise<Explanation["plan"]> {
  const { root, recipe, version, today, registry } = request;
  const selections = [{ recipe, releases: { version } }];
  const asked = { root, selections, today, attestations: false, upstream: registry !== undefined, maxAge: 600 };
  const { jobs } = await planReleases({ ...asked, ...(registry && { registry }) }, factory);
  return jobs.map(({ platform, due, needs, buildKey, reason, changes }) => ({
    platform,
    due,
    needs,
    buildKey,
    reason,
    changes,
  }));
}

async function historyOf(
  { recipe, version, history, limit }: ExplainRequest,
  missing: Missing[],
  signal: AbortSignal,
): Promise<Explanation["history"]> {
  const onDamaged = (tag: string, message: string): void =>
    void missing.push({ part: "history", message: `${tag}: ${message}` });
  const runs = await readRuns(history, { limit, onDamaged, signal });
  return runs.flatMap(({ id, releases }) =>
    releases
      .filter((release) => release.recipe === recipe && release.version === version)
      .map(({ status, index, reason, failure, platforms }) => ({
        run: id,
        status,
        index,
        reason,
        ...(failure && { failure }),
        platforms: platforms.map(({ platform, verdict, level }) => ({ platform, verdict, level })),
      })),
  );
}

async function releasedOf(
  { recipe, version, registry }: ExplainRequest,
  { expect }: Release,
  factory: Factory,
): Promise<Explanation["released"]> {
  if (!registry) return null;
  const repository = factory.registry.repository({ ...registry, repository: `${registry.repository}/${recipe}` });
  const tag = releaseTag(version);
  const found = await (repository.head ?? repository.find)(tag, factory.signal);
  const index = found?.digest ?? null;
  return { name: `${repository.name}:${tag}`, index, isRecorded: index !== null && index === expect?.index };
}

function contextInput(context: Context | undefined, name: string, pin: ContextPin): Explanation["inputs"][number] {
  if ("source" in pin) {
    const { commit, archive } = pin.source;
    const source = context && "source" in context ? context.source : name;
    return { kind: "source", name: source, version: commit, digest: archive, context: name, places: [] };
  }
  if ("recipe" in pin) {
    const { version, index } = pin.recipe;
    const image = context && "recipe" in context ? context.recipe : name;
    return { kind: "base", name: image, version, digest: index, context: name, places: [] };
  }
  const { lock, version, digest } = pin.toolchain;
  const toolchain = context && "toolchain" in context ? context.toolchain : name;
  const which = lock ?? version ?? "pinned image";
  return { kind: "toolchain", name: toolchain, version: which, digest, context: name, places: [] };
}

function inputsOf(recipe: Recipe, release: Release, source: Source): Explanation["inputs"] {
  const { upstream } = recipe;
  return [
    {
      kind: "source",
      name: source.source,
      version: release.source.commit,
      digest: release.source.archive,
      places: [...source.forks, source.upstream],
    },
    {
      kind: "toolchain",
      name: recipe.toolchain,
      version: release.toolchain.lock ?? release.toolchain.version ?? "pinned image",
      digest: release.toolchain.digest,
      places: [],
    },
    ...Object.entries(release.contexts ?? {}).map(([name, pin]) => contextInput(recipe.contexts[name], name, pin)),
    {
      kind: "upstream",
      name: upstreamName(upstream),
      version: release.version,
      digest: release.upstream.digest,
      places: "image" in upstream ? [upstream.image] : [],
    },
  ];
}
