import { runTogether } from "../concurrency.ts";
import { runStage } from "../events.ts";
import { gzipEncoder } from "../normalise/gzip.ts";
import type { Repository } from "../oci/repository.ts";
import type { Descriptor } from "../oci/types.ts";
import type { Outcome, OutcomeInput, PlatformOutcome } from "../outcome.ts";
import type { LoadedContext } from "../recipe/load.ts";
import { assembleReleaseIndex } from "../publish/release-index.ts";
import type { ReleaseEntry } from "../publish/release-index.ts";
import { releaseTag } from "../publish/release-tags.ts";
import {
  type AssembledRelease,
  type Destination,
  imageNameOf,
  openDestination,
  placeImages,
  releaseEntries,
  tagIndex,
} from "./destination.ts";
import { attachEvidence, attachFailure } from "./evidence.ts";
import { judgePlatforms } from "./judge-platforms.ts";
import { type BuildRequest, type BuildRun, runBuilds } from "./run-builds.ts";
import type { Factory, ReleaseInputs } from "./types.ts";
import { upstreamName } from "../recipe/upstream.ts";
import { obtainReleaseUpstream, type UpstreamState } from "./upstream-state.ts";

/** What a rebuild is asked for. With `platforms`, only those are built and nothing is released. */
export interface RebuildRequest extends Omit<BuildRequest, "smoke"> {
  readonly destination: Destination;
  /** Path of the report, for the outcome. */
  readonly report: string;
  /** RFC 3339. */
  readonly startedAt: string;
  /** `YYYY-MM-DD`, for waivers. */
  readonly today: string;
  /** What the release goes out under; by default its version. */
  readonly tag?: string;
  /** Why it is rebuilt, in a person's words. */
  readonly reason?: string;
}

/**
 * The whole way for one release: inputs, builds, comparison, smoke tests, release. Gives
 * an outcome for every way the images can turn out; throws where a rebuild could not be
 * carried out (inputs that do not match their pins, no engine, an interrupt) and where a
 * build is not deterministic.
 */
export async function rebuildRelease(request: RebuildRequest, shared: Factory): Promise<Outcome> {
  const factory = { ...shared, places: shared.places.line() };
  const startedAt = performance.now();
  const { inputs } = request;
  const [upstream, run] = await runTogether<[UpstreamState, BuildRun]>(factory.signal, [
    (signal) => obtainReleaseUpstream(inputs, { ...factory, signal }),
    (signal) => runBuilds({ ...request, smoke: true }, { ...factory, signal }),
  ]);
  const judged = await judgePlatforms(run.work, upstream, inputs, request.today, factory);
  const outcome = (index: Descriptor | undefined): Outcome => ({
    schema: "refoundry/outcome/v1",
    recipe: inputs.recipe.image,
    version: inputs.release.version,
    destination: request.destination.name,
    index: index ? { digest: index.digest, size: index.size } : null,
    platforms: judged.map(({ releasable: _, ...platform }) => platform),
    ...(inputs.recipe.platforms.omit.length > 0 && { omitted: inputs.recipe.platforms.omit }),
    inputs: listInputs(inputs, run, upstream),
    seconds: (performance.now() - startedAt) / 1000,
    startedAt: request.startedAt,
    report: request.report,
    ...(request.reason !== undefined && { reason: request.reason }),
    ...recordedIn(inputs, judged, index),
  });
  // some platforms alone are nothing that could go out, or be said of the release
  if (request.platforms !== undefined) return outcome(undefined);
  const entries = releaseEntries(judged, run.work, upstream);
  const to = await openDestination(request.destination, factory);
  if (entries) {
    const release = { entries, images: { index: assembleReleaseIndex(entries), manifests: entries.map(descriptorOf) } };
    return publishRelease(release, outcome, request, to, factory);
  }
  await sayFailure(outcome(undefined), request, to, factory);
  return outcome(undefined);
}

/**
 * The way out of a release: its images, what proves them, and last its tag. Each step
 * leaves what is there alone and makes what is missing, so that a run that was cut off
 * anywhere is made whole by the next.
 */
async function publishRelease(
  release: AssembledRelease,
  outcomeWith: (index: Descriptor) => Outcome,
  request: RebuildRequest,
  to: Repository,
  factory: Factory,
): Promise<Outcome> {
  const { inputs, destination } = request;
  const tag = tagOf(request);
  const index = await placeImages(release, destination, to, inputs, tag, factory);
  const outcome = outcomeWith(index);
  const imageName = imageNameOf(destination, inputs.recipe.image);
  await runStage(factory.emit, { stage: "attest", title: "signatures, attestations, report, logs" }, async () => {
    const evidence = { outcome, index, entries: release.entries, imageName };
    const { attached, there } = await attachEvidence(evidence, inputs, to, factory);
    const { name } = await factory.signer();
    return { value: undefined, detail: `${attached} attached, ${there} there; by ${name}`, reused: attached === 0 };
  });
  await tagIndex(release, destination, to, inputs, tag, factory);
  return outcome;
}

/** A release that is out already, and could not be made again: that is said beside it. */
async function sayFailure(outcome: Outcome, request: RebuildRequest, to: Repository, factory: Factory): Promise<void> {
  const { destination } = request;
  const lastGood = await attachFailure(outcome, tagOf(request), to, factory);
  if (lastGood)
    factory.emit({
      type: "notice",
      severity: "warning",
      message: `${destination.name} stays as it is, ${lastGood.digest}; that this rebuild failed is attached to it`,
    });
}

function tagOf({ tag, inputs }: RebuildRequest): string {
  return tag ?? releaseTag(inputs.release.version);
}

/** How it came out beside what the release records; nothing where that says nothing of it. */
function recordedIn(
  { release }: ReleaseInputs,
  judged: readonly PlatformOutcome[],
  index: Descriptor | undefined,
): Pick<Outcome, "recorded"> {
  const { expect } = release;
  if (!expect || !index) return {};
  if (expect.index === index.digest) return { recorded: "same" };
  const changed = judged.some(({ platform, buildKey }) => {
    const before = expect.platforms[platform]?.buildKey;
    return before !== undefined && before !== buildKey;
  });
  // the same keys with other digests were refused when they were built
  return { recorded: changed ? "refreshed" : "other" };
}

function descriptorOf({ descriptor }: ReleaseEntry): Descriptor {
  return descriptor;
}

function listInputs(
  { recipe, release, source, toolchain, contexts, patches }: ReleaseInputs,
  run: BuildRun,
  upstream: UpstreamState,
): OutcomeInput[] {
  const unused = "not needed: every build was in the store";
  return [
    {
      kind: "source",
      name: source.source,
      version: release.source.commit,
      digest: release.source.archive,
      origin: run.prepared?.sourceOrigin ?? unused,
    },
    {
      kind: "dockerfile",
      name: recipe.build.dockerfile,
      version: release.version,
      digest: run.contextDigest,
      origin: "recipe",
    },
    ...patches.map(
      ({ file, digest, origin }): OutcomeInput => ({
        kind: "patch",
        name: file,
        version: origin,
        digest,
        origin: "recipe",
      }),
    ),
    {
      kind: "toolchain",
      name: toolchain.toolchain,
      version: release.toolchain.lock ?? release.toolchain.version ?? "pinned image",
      digest: release.toolchain.digest,
      origin: run.prepared?.toolchainOrigin ?? unused,
    },
    ...Object.entries(contexts).map(([name, context]) => contextInput(name, context)),
    {
      kind: "upstream",
      name: upstreamName(recipe.upstream),
      version: release.version,
      digest: release.upstream.digest,
      origin: upstream.origin,
    },
    { kind: "engine", name: run.builder.kind, version: run.builder.builderVersion, digest: "", origin: "this machine" },
    { kind: "encoder", name: "gzip", version: gzipEncoder, digest: "", origin: "refoundry" },
  ];
}

/** A named context as an input of the outcome. */
function contextInput(name: string, context: LoadedContext): OutcomeInput {
  const origin = `context ${name}`;
  switch (context.kind) {
    case "source": {
      const { commit, archive } = context.pin;
      return { kind: "source", name: context.source.source, version: commit, digest: archive, origin };
    }
    case "recipe": {
      const { version, index } = context.pin;
      return { kind: "base", name: context.release.recipe.image, version, digest: index, origin };
    }
    case "toolchain": {
      const { lock, version, digest } = context.pin;
      const { toolchain } = context.toolchain;
      return { kind: "toolchain", name: toolchain, version: lock ?? version ?? "pinned image", digest, origin };
    }
  }
}
