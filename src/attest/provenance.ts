import type { Digest } from "../oci/digest.ts";
import type { PlatformName } from "../oci/platform.ts";
import type { Outcome, PlatformOutcome } from "../outcome.ts";
import type { LoadedRelease, LoadedToolchain } from "../recipe/load.ts";
import type { Source, SourcePin } from "../recipe/schema.ts";
import { version } from "../version.ts";
import { digestSet, predicateTypes, type ResourceDescriptor, type Statement, statementOf } from "./statement.ts";

/** What the provenance of a rebuild needs besides the release and its outcome. */
export interface ProvenanceContext {
  readonly inputs: LoadedRelease;
  readonly outcome: Outcome;
  /** Who built: a URI. */
  readonly builderId: string;
  /** What a builder of buildx was given, with SOURCE_DATE_EPOCH and the version of BuildKit. */
  readonly exporter: string;
  readonly normaliser: string;
  /** The recipe as it was: its commit, where it is in git, and the digest of its file. */
  readonly recipe: { readonly uri?: string; readonly commit?: string; readonly path: string; readonly digest: Digest };
}

/** A byproduct whose content is attached as a referrer too. */
export interface Byproduct {
  readonly name: string;
  readonly mediaType: string;
  readonly digest: Digest;
}

/** The predicate of SLSA Provenance v1, as this factory fills it in. */
export interface Provenance {
  readonly buildDefinition: {
    readonly buildType: typeof buildType;
    readonly externalParameters: Readonly<Record<string, unknown>>;
    readonly internalParameters: Readonly<Record<string, unknown>>;
    readonly resolvedDependencies: readonly ResourceDescriptor[];
  };
  readonly runDetails: {
    readonly builder: { readonly id: string; readonly version: Readonly<Record<string, string>> };
    readonly metadata: { readonly startedOn: string; readonly finishedOn: string };
    readonly byproducts: readonly ResourceDescriptor[];
  };
}

/** How to read the parameters: the README describes them. */
export const buildType = "https://refoundry.dev/build/v1";

/**
 * Says from what a platform's image was built, and how (SLSA Provenance v1). Without
 * `platform` it is about the release index, and every platform that was built for it.
 */
export function provenanceOf(
  subject: { readonly name: string; readonly digest: Digest },
  context: ProvenanceContext,
  byproducts: readonly Byproduct[],
  platform?: PlatformName,
): Statement<Provenance> {
  const { inputs, outcome, builderId, recipe } = context;
  const { release } = inputs;
  const built = outcome.platforms.filter((item) => platform === undefined || item.platform === platform);
  const engine = outcome.inputs.find((input) => input.kind === "engine");
  const upstream = outcome.inputs.find((input) => input.kind === "upstream");
  const finished = new Date(Date.parse(outcome.startedAt) + outcome.seconds * 1000);
  return statementOf(predicateTypes.provenance, [{ name: subject.name, digest: digestSet(subject.digest) }], {
    buildDefinition: {
      buildType,
      externalParameters: {
        recipe: { ...recipe, digest: digestSet(recipe.digest) },
        release: release.version,
        ...(outcome.reason !== undefined && { reason: outcome.reason }),
        upstream: { name: upstream?.name ?? "", digest: digestSet(release.upstream.digest) },
        platforms: Object.fromEntries(built.map((item) => [item.platform, modeOf(item)])),
      },
      internalParameters: {
        factory: version,
        engine: engine && { kind: engine.name, version: engine.version },
        exporter: context.exporter,
        normaliser: context.normaliser,
        sourceDateEpoch: release.source.epoch,
        buildArgs: inputs.recipe.build.args,
        platformArgs: inputs.recipe.build.platformArgs,
        network: inputs.recipe.build.network,
        // of these it is only said what they were taken for: another builder built them
        takenOver: Object.fromEntries(
          built.flatMap(({ platform: name, takenOver }) => (takenOver === undefined ? [] : [[name, takenOver]])),
        ),
        buildKeys: Object.fromEntries(built.map((item) => [item.platform, item.buildKey])),
      },
      resolvedDependencies: dependenciesOf(inputs, outcome),
    },
    runDetails: {
      builder: { id: builderId, version: { refoundry: version } },
      metadata: { startedOn: outcome.startedAt, finishedOn: finished.toISOString() },
      byproducts: byproducts.map(({ digest, ...byproduct }) => ({ ...byproduct, digest: digestSet(digest) })),
    },
  });
}

function modeOf(platform: PlatformOutcome): Readonly<Record<string, unknown>> {
  const { origin, rebuilt } = platform;
  return { mode: origin === "upstream" ? "reproduce" : "extend", ...(rebuilt && { rebuilt: digestSet(rebuilt) }) };
}

/** Every input, each with a digest: sources, build context, toolchains with their packages, images of other recipes. */
function dependenciesOf(inputs: LoadedRelease, outcome: Outcome): ResourceDescriptor[] {
  const { source, release, toolchain, toolchainLock, contexts, patches } = inputs;
  const dockerfile = outcome.inputs.find((input) => input.kind === "dockerfile");
  return [
    ...sourceDependencies(source, release.source),
    ...(dockerfile ? [{ name: "build context", digest: digestSet(dockerfile.digest as Digest) }] : []),
    ...patches.map(({ file, digest, reason, origin, forwarded }) => ({
      name: `patch ${file}`,
      digest: digestSet(digest),
      annotations: { reason, origin, forwarded },
    })),
    ...toolchainDependencies({ toolchain, pin: release.toolchain, ...(toolchainLock && { lock: toolchainLock }) }),
    ...Object.entries(contexts).flatMap(([name, context]) => {
      if (context.kind === "source") return sourceDependencies(context.source, context.pin);
      if (context.kind === "toolchain") return context.use === "build" ? toolchainDependencies(context) : [];
      const { version: from, index, manifests } = context.pin;
      const { image } = context.release.recipe;
      return [
        { name: `image ${image} ${from} as ${name}`, digest: digestSet(index) },
        ...Object.entries(manifests).map(([platform, digest]) => ({
          name: `image ${image} ${from} for ${platform}`,
          digest: digestSet(digest),
        })),
      ];
    }),
  ];
}

function sourceDependencies(
  source: Source,
  { commit, tree, archive, submodules = [], debian }: SourcePin,
): ResourceDescriptor[] {
  return [
    {
      name: `source ${source.source}`,
      // what is imported from Debian has a commit that we made; upstream's repository lacks it
      uri:
        source.import.kind === "debian" && debian
          ? `pkg:deb/debian/${source.import.package}@${encodeURIComponent(debian.version)}?arch=source`
          : `git+${source.upstream}@${commit}`,
      digest: { gitCommit: commit, gitTree: tree, ...digestSet(archive) },
    },
    ...submodules.map((each) => ({
      name: `source ${source.source}: submodule ${each.path}`,
      digest: { gitCommit: each.commit, gitTree: each.tree },
    })),
    ...(debian?.files ?? []).map(({ path, sha256 }) => ({
      name: "source file",
      uri: `deb-src:${path}`,
      digest: { sha256 },
    })),
  ];
}

function toolchainDependencies({ toolchain, pin, lock }: Omit<LoadedToolchain, "release">): ResourceDescriptor[] {
  const image = "image" in toolchain ? { uri: `docker://${toolchain.image}` } : {};
  return [
    { name: `toolchain ${toolchain.toolchain}`, ...image, digest: digestSet(pin.digest) },
    ...(lock?.packages ?? []).map(({ name, version: packageVersion, architecture, sha256 }) => ({
      name: `toolchain package ${name}`,
      uri: `pkg:deb/debian/${name}@${encodeURIComponent(packageVersion)}?arch=${architecture}`,
      digest: { sha256 },
    })),
  ];
}
