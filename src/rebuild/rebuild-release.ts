import { runTogether } from "../concurrency.ts";
import { gzipEncoder } from "../normalise/gzip.ts";
import type { Outcome, OutcomeInput } from "../outcome.ts";
import { assembleReleaseIndex } from "../publish/release-index.ts";
import { type Destination, publishRelease, releaseEntries } from "./destination.ts";
import { judgePlatforms } from "./judge-platforms.ts";
import { type BuildRequest, type BuildRun, runBuilds } from "./run-builds.ts";
import type { Factory, ReleaseInputs } from "./types.ts";
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
}

/**
 * The whole way for one release: inputs, builds, comparison, smoke tests, release. Gives
 * an outcome for every way the images can turn out; throws where a rebuild could not be
 * carried out (inputs that do not match their pins, no engine, an interrupt) and where a
 * build is not deterministic.
 */
export async function rebuildRelease(request: RebuildRequest, factory: Factory): Promise<Outcome> {
  const startedAt = performance.now();
  const { inputs } = request;
  const [upstream, run] = await runTogether<[UpstreamState, BuildRun]>(factory.signal, [
    (signal) => obtainReleaseUpstream(inputs, { ...factory, signal }),
    (signal) => runBuilds({ ...request, smoke: true }, { ...factory, signal }),
  ]);
  const judged = await judgePlatforms(run.work, upstream, inputs, request.today, factory);
  const entries = request.platforms === undefined ? releaseEntries(judged, run.work, upstream) : undefined;
  const index =
    entries &&
    (await publishRelease(
      assembleReleaseIndex(entries),
      entries,
      inputs.release.version,
      request.destination,
      factory,
    ));
  return {
    schema: "refoundry/outcome/v1",
    recipe: inputs.recipe.image,
    version: inputs.release.version,
    destination: request.destination.name,
    index: index ? { digest: index.digest, size: index.size } : null,
    platforms: judged.map(({ releasable: _, ...platform }) => platform),
    inputs: listInputs(inputs, run, upstream),
    seconds: (performance.now() - startedAt) / 1000,
    startedAt: request.startedAt,
    report: request.report,
  };
}

function listInputs(
  { recipe, release, source, toolchain }: ReleaseInputs,
  run: BuildRun,
  upstream: UpstreamState,
): OutcomeInput[] {
  const upstreamName =
    "debian" in recipe.upstream ? `Debian package ${recipe.upstream.debian.package}` : recipe.upstream.image;
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
    {
      kind: "toolchain",
      name: toolchain.toolchain,
      version: release.toolchain.lock ?? "pinned image",
      digest: release.toolchain.digest,
      origin: run.prepared?.toolchainOrigin ?? unused,
    },
    {
      kind: "upstream",
      name: upstreamName,
      version: release.version,
      digest: release.upstream.digest,
      origin: upstream.origin,
    },
    { kind: "engine", name: run.builder.kind, version: run.builder.builderVersion, digest: "", origin: "this machine" },
    { kind: "encoder", name: "gzip", version: gzipEncoder, digest: "", origin: "refoundry" },
  ];
}
