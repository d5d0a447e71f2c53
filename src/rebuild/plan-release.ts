import pLimit from "p-limit";
import { formatLocation, RefoundryError } from "../errors.ts";
import { openRevision } from "../git/revision.ts";
import { type Digest, digestOf } from "../oci/digest.ts";
import type { RegistryReference } from "../oci/reference.ts";
import { type Answers, openAnswers } from "../plan/answers.ts";
import { releaseBuildKeys } from "../plan/build-inputs.ts";
import {
  type Catalogue,
  type CatalogueMemory,
  type CatalogueRelease,
  readCatalogue,
  type Selection,
} from "../plan/catalogue.ts";
import { askUpstream, readPinned, upstreamPlaceOf } from "../plan/pinned-upstream.ts";
import { planOf } from "../plan/plan.ts";
import { askReleased, askTag, type ReleaseRegistry } from "../plan/released.ts";
import { standsOnOf } from "../plan/stands-on.ts";
import { checksOf, readEarlier } from "../plan/since.ts";
import type { Earlier, Plan, PlanNotice, PlatformFacts, ReleaseFacts } from "../plan/types.ts";
import { type WrongPin, wrongPinsOf } from "../plan/wrong-pins.ts";
import { mayMoveReleaseTag } from "../publish/release-tags.ts";
import { inOrder, readDocument } from "../recipe/document.ts";
import { type Release, releaseSchema } from "../recipe/schema.ts";
import { releaseFile } from "../recipe/tree.ts";
import { listRecords } from "../store/records.ts";
import type { Store } from "../store/store.ts";
import { type BuildRecord, findBuild } from "./build-platform.ts";
import type { Factory } from "./types.ts";

/** What a plan is made for, and what is asked for it. */
export interface PlanRequest {
  /** The folder with recipes, toolchains and sources. */
  readonly root: string;
  readonly selections: readonly Selection[];
  /** `YYYY-MM-DD`, for waivers. */
  readonly today: string;
  /** A git revision: only what changed since then is due. */
  readonly since?: string;
  /** Where releases are: a release of a recipe is `HOST/PREFIX/RECIPE:VERSION`. */
  readonly registry?: RegistryReference;
  /** Look for signature and provenance of each release; one request more. */
  readonly attestations: boolean;
  /** Ask upstream's registries whether tags moved. */
  readonly upstream: boolean;
  /** Seconds for which an answer of a registry is believed. */
  readonly maxAge: number;
}

/**
 * Which builds of a catalogue are due, and why. Nothing is fetched or built; registries
 * are asked for digests only, and only where the request says so. Throws one usage error
 * with all that is wrong with the recipes and releases that were asked for.
 */
export async function planReleases(request: PlanRequest, factory: Factory): Promise<Plan> {
  const answers = await openAnswers(factory.store, request.maxAge);
  const released: ReleaseRegistry | undefined = request.registry && {
    place: request.registry,
    client: factory.registry,
    answers,
    attestations: request.attestations,
    signal: factory.signal,
  };
  // both take their time without this process having much to do
  factory.engine().catch(() => {});
  const askAhead = (release: CatalogueRelease): void => {
    if (released) askTag(release, released).answer.catch(() => {});
  };
  const releases = await readReleases(request, factory.store, askAhead);
  const builder = await builderOf(releases, factory);
  const earlier = await earlierOf(request, releases, factory);
  const context: Context = {
    request,
    factory,
    answers,
    builder: builder.version,
    built: await listRecords(factory.store, "builds"),
    ...(released && { released }),
    ...(earlier && { earlier }),
  };
  const limit = pLimit(32);
  try {
    const found = await Promise.all(releases.map((release) => limit(() => factsOf(release, context))));
    return planOf(
      found.map(({ facts }) => facts),
      [...builder.notices, ...found.flatMap(({ notices }) => notices)],
    );
  } finally {
    await answers.save();
  }
}

async function readReleases(
  { root, selections }: PlanRequest,
  store: Store,
  onRead: (release: CatalogueRelease) => void,
): Promise<readonly CatalogueRelease[]> {
  const { releases, problems } = await readRemembered(root, selections, store, onRead);
  if (problems.length > 0) throw new RefoundryError("usage", inOrder(problems));
  return releases;
}

/** Reads a catalogue; what the store remembers of unchanged files is not read again. */
export async function readRemembered(
  root: string,
  selections: readonly Selection[],
  store: Store,
  onRead?: (release: CatalogueRelease) => void,
): Promise<Pick<Catalogue, "releases" | "problems">> {
  const record = ["plan", digestOf(`catalogue ${root}`)] as const;
  const remembered = (await store.readRecord<CatalogueMemory>(...record)) ?? {};
  const { releases, problems, memory, fresh } = await readCatalogue(root, selections, remembered, Date.now(), onRead);
  if (fresh) await store.writeRecord(...record, memory);
  return { releases, problems };
}

/** A machine without an engine can plan too: by the builder that each release records. */
async function builderOf(
  releases: readonly CatalogueRelease[],
  factory: Factory,
): Promise<{ readonly version: (release: Release) => string; readonly notices: readonly PlanNotice[] }> {
  try {
    const { builderVersion } = await factory.engine();
    return { version: () => builderVersion, notices: [] };
  } catch (error) {
    const recorded = releases.flatMap(({ release }) => release.expect?.inputs?.builder ?? [])[0];
    if (!(error instanceof RefoundryError) || error.kind !== "infrastructure" || recorded === undefined) throw error;
    const sentence = `no engine here says which builder there is, so it is taken to be the one that releases record: ${error.message.split("\n")[0] ?? ""}`;
    return {
      version: (release) => release.expect?.inputs?.builder ?? recorded,
      notices: [{ code: "builder-unknown", sentence }],
    };
  }
}

async function earlierOf(
  { root, since }: PlanRequest,
  releases: readonly CatalogueRelease[],
  { store, signal }: Factory,
): Promise<((release: CatalogueRelease) => Promise<Earlier>) | undefined> {
  if (since === undefined) return undefined;
  const revision = await openRevision(root, since, signal);
  return readEarlier(revision, releases, await store.temporaryFolder("since"));
}

interface Context {
  readonly request: PlanRequest;
  readonly factory: Factory;
  readonly answers: Answers;
  readonly builder: (release: Release) => string;
  /** Keys under which the store has a build, whole or not. */
  readonly built: ReadonlySet<Digest>;
  readonly released?: ReleaseRegistry;
  readonly earlier?: (release: CatalogueRelease) => Promise<Earlier>;
}

async function factsOf(
  item: CatalogueRelease,
  context: Context,
): Promise<{ readonly facts: ReleaseFacts; readonly notices: readonly PlanNotice[] }> {
  const { request, factory, answers } = context;
  const { recipe, release, toolchain } = item;
  const { store, registry, signal } = factory;
  const { expect, version } = release;
  const { inputs, keys } = releaseBuildKeys(item, context.builder(release));
  const place = request.upstream ? upstreamPlaceOf(recipe, release, registry) : undefined;
  const [platforms, released, upstream, pinned] = await Promise.all([
    platformsOf(item, keys, context),
    context.released && askReleased(item, context.released),
    place && askUpstream(place, release.upstream.digest, answers, signal),
    readPinned(release, store, place, signal),
  ]);
  const facts: ReleaseFacts = {
    recipe: recipe.image,
    version,
    inputs,
    toolchain,
    checks: checksOf(recipe),
    upstream: release.upstream.digest,
    platforms,
    standsOn: standsOnOf(item),
    tagMoves: mayMoveReleaseTag(recipe.tags.floating),
    expiredWaivers: recipe.waivers.filter(({ expires }) => expires < request.today),
    wrongPins: await located(request.root, item, wrongPinsOf(release, pinned)),
    ...(expect && { recorded: { index: expect.index, ...(expect.inputs && { inputs: expect.inputs }) } }),
    ...(context.earlier && { since: { name: request.since ?? "", earlier: await context.earlier(item) } }),
    ...(released && { released }),
    ...(upstream && "digest" in upstream && { upstreamTag: upstream }),
  };
  const notices: PlanNotice[] =
    upstream && "failure" in upstream
      ? [{ code: "upstream-unreachable", recipe: recipe.image, version, sentence: upstream.failure }]
      : [];
  return { facts, notices };
}

function readBuild(key: Digest, { store }: Factory): Promise<BuildRecord | undefined> {
  return store.readRecord<BuildRecord>("builds", key);
}

async function platformsOf(
  { recipe, release }: CatalogueRelease,
  keys: ReturnType<typeof releaseBuildKeys>["keys"],
  { factory, built }: Context,
): Promise<PlatformFacts[]> {
  const { extend } = recipe.platforms;
  return Promise.all(
    keys.map(async ({ platform, buildKey }) => {
      const recorded = release.expect?.platforms[platform];
      const isRecorded = recorded?.buildKey === buildKey;
      // what the release records need not be whole here, only the same
      const stored = built.has(buildKey)
        ? await (isRecorded ? readBuild(buildKey, factory) : findBuild(buildKey, factory))
        : undefined;
      const before =
        recorded && !stored && built.has(recorded.buildKey) ? await readBuild(recorded.buildKey, factory) : undefined;
      return {
        platform,
        extended: extend.includes(platform),
        buildKey,
        ...(stored && {
          stored: { manifest: stored.manifest.digest, varied: stored.varied, seconds: stored.seconds },
        }),
        ...(recorded && { recorded }),
        ...(before && { recordedSeconds: before.seconds }),
      };
    }),
  );
}

/** Wrong pins with the place in the file, which is read again for that. */
async function located(
  root: string,
  { recipe, release }: CatalogueRelease,
  wrong: readonly WrongPin[],
): Promise<ReleaseFacts["wrongPins"]> {
  if (wrong.length === 0) return [];
  const { document } = await readDocument(root, releaseFile(recipe.image, release.version), releaseSchema);
  return wrong.map(({ platform, message, path }) => ({
    ...(platform !== undefined && { platform }),
    message: document ? `${formatLocation(document.locate([...path]))}: ${message}` : message,
  }));
}
