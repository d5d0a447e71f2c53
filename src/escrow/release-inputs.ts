import type { Digest } from "../oci/digest.ts";
import type { PlatformName } from "../oci/platform.ts";
import type { LoadedRelease, LoadedToolchain } from "../recipe/load.ts";
import type { LedgerEntry, Release, Source, SourcePin, ToolchainLock } from "../recipe/schema.ts";
import type { ToolchainSources } from "../recipe/toolchain-sources.ts";
import type { Holding } from "./types.ts";

/** The sources and toolchains of one release, and what it is compared with. */
export interface OwnInputs {
  readonly inputs: LoadedRelease;
  /** With what each is an input for: `source`, or a context's name. */
  readonly sources: readonly { readonly of: string; readonly source: Source; readonly pin: SourcePin }[];
  /** Those that are images of a registry or made from packages; of recipes, the releases are listed themselves. */
  readonly toolchains: readonly ({ readonly of: string } & Omit<LoadedToolchain, "release">)[];
}

/** A release and every release of ours that it stands on, each once, what others stand on first. */
export function listReleases(inputs: LoadedRelease): OwnInputs[] {
  const found = new Map<string, OwnInputs>();
  const visit = (each: LoadedRelease): void => {
    const key = `${each.recipe.image}@${each.release.version}`;
    if (found.has(key)) return;
    const contexts = Object.entries(each.contexts);
    const makers = [
      {
        of: "toolchain",
        toolchain: each.toolchain,
        pin: each.release.toolchain,
        ...(each.toolchainLock && { lock: each.toolchainLock }),
        ...(each.toolchainSources && { sources: each.toolchainSources }),
        ...(each.toolchainRelease && { release: each.toolchainRelease }),
      },
      ...contexts.flatMap(([of, context]) => (context.kind === "toolchain" ? [{ of, ...context }] : [])),
    ];
    for (const [, context] of contexts) if (context.kind === "recipe") visit(context.release);
    for (const { release } of makers) if (release) visit(release);
    found.set(key, {
      inputs: each,
      sources: [
        { of: "source", source: each.source, pin: each.release.source },
        ...contexts.flatMap(([of, context]) =>
          context.kind === "source" ? [{ of, source: context.source, pin: context.pin }] : [],
        ),
      ],
      toolchains: makers.filter(({ release }) => release === undefined),
    });
  };
  visit(inputs);
  return [...found.values()];
}

/**
 * Every input of a release as its pins name it, those of the releases that it stands on
 * too: the one list by which inputs are put into an escrow, and by which it is said what
 * is held.
 */
export function listReleaseHoldings(inputs: LoadedRelease): Holding[] {
  return listReleases(inputs).flatMap((own) => {
    const { recipe, release } = own.inputs;
    const isSelf = own.inputs === inputs;
    const holdings: Holding[] = [
      // the recipes that it stands on are in the same tar
      ...(isSelf
        ? [{ kind: "recipe", of: "recipe", name: recipe.image, version: release.version, origins: [] } as const]
        : []),
      ...own.sources.flatMap(({ of, source, pin }) => sourceHoldings(of, source, pin)),
      ...own.toolchains.flatMap(toolchainHoldings),
      ...upstreamHoldings(own.inputs),
      ...(isSelf ? toolHoldings(release) : []),
    ];
    return isSelf ? holdings : holdings.map((holding) => ({ ...holding, of: `${recipe.image}: ${holding.of}` }));
  });
}

/** The hermeticity ledgers of a release's recipe and of those that it stands on. */
export function listLedger(inputs: LoadedRelease): LedgerEntry[] {
  return listReleases(inputs).flatMap(({ inputs: each }) => each.recipe.ledger);
}

/** What holdings are told apart by: their digest, a commit's id, or what they are called. */
export function holdingKey({ kind, digest, commit, name, version }: HoldingIdentity): string {
  return digest ?? (commit === undefined ? `${kind} ${name} ${version}` : `commit ${commit}`);
}

type HoldingIdentity = Pick<Holding, "kind" | "digest" | "commit" | "name" | "version">;

function sourceHoldings(of: string, source: Source, pin: Release["source"]): Holding[] {
  const { licence } = source;
  const isGit = source.import.kind === "git";
  const commit: Holding = {
    kind: "commit",
    of,
    name: source.source,
    version: pin.debian?.version ?? pin.commit,
    commit: pin.commit,
    tree: pin.tree,
    licence,
    origins: [...source.forks, ...(isGit ? [source.upstream] : [])],
  };
  const files = (pin.debian?.files ?? []).map(
    (file): Holding => ({
      kind: "source-file",
      of,
      name: nameOf(file.path),
      version: pin.debian?.version ?? "",
      digest: digestOfFile(file),
      size: file.size,
      path: file.path,
      licence,
      origins: [],
    }),
  );
  const submodules = (pin.submodules ?? []).map(
    (each): Holding => ({
      kind: "commit",
      of,
      name: `${source.source}/${each.path}`,
      version: each.commit,
      commit: each.commit,
      tree: each.tree,
      licence,
      origins: source.submodules?.[each.path]?.forks ?? [],
    }),
  );
  const objects = (pin.lfs ?? []).map(
    (object): Holding => ({
      kind: "source-file",
      of,
      name: object.path,
      version: pin.commit,
      digest: digestOfFile(object),
      size: object.size,
      licence,
      origins: source.lfs?.endpoints ?? [],
    }),
  );
  return [commit, ...submodules, ...objects, ...files];
}

function toolchainHoldings({ of, toolchain, pin, lock, sources }: OwnInputs["toolchains"][number]): Holding[] {
  const image: Holding = {
    kind: "image",
    of,
    name: toolchain.toolchain,
    version: lock ? lockVersion(lock) : pin.digest,
    digest: pin.digest,
    ...("platform" in toolchain && { platform: toolchain.platform }),
    origins: "image" in toolchain ? [toolchain.image] : [],
  };
  const packages = (lock?.packages ?? []).map((file) => packageHolding(of, file));
  if (sources) return [image, ...packages, ...packageSourceHoldings(of, sources)];
  return [image, ...packages.map((each) => ({ ...each, lacksSource: true as const }))];
}

/** Every file of the source packages; of one whose files nothing pins, the package itself. */
function packageSourceHoldings(of: string, { sources, files }: ToolchainSources): Holding[] {
  const licences = new Map(sources.map(({ name, version, licence }) => [`${name} ${version}`, licence]));
  const holding = (name: string, version: string): Holding => {
    const licence = licences.get(`${name} ${version}`);
    return { kind: "package-source", of, name, version, ...(licence !== undefined && { licence }), origins: [] };
  };
  return [
    ...files.map((file) => ({
      ...holding(file.source, file.version),
      digest: digestOfFile(file),
      size: file.size,
      path: file.path,
    })),
    ...sources.filter(({ missing }) => missing !== undefined).map(({ name, version }) => holding(name, version)),
  ];
}

function lockVersion({ suite, epoch }: ToolchainLock): string {
  return `${suite} of ${new Date(epoch * 1000).toISOString().slice(0, 10)}`;
}

function packageHolding(of: string, file: ToolchainLock["packages"][number]): Holding {
  const { name, version, architecture, path, size } = file;
  return { kind: "package", of, name, version, architecture, digest: digestOfFile(file), size, path, origins: [] };
}

function upstreamHoldings({ recipe, release }: LoadedRelease): Holding[] {
  if ("none" in recipe.upstream) return [];
  const { upstream: pin, version } = release;
  const of = "upstream";
  const isImage = "image" in recipe.upstream;
  const name = "image" in recipe.upstream ? recipe.upstream.image : recipe.image;
  const origins = isImage ? [name] : [];
  const platforms = Object.entries(pin.manifests) as [PlatformName, Digest][];
  const isSingle = platforms.length > 0 && platforms.every(([, digest]) => digest === pin.digest);
  const index: Holding = {
    kind: "index",
    of,
    name,
    version,
    digest: pin.digest,
    size: pin.size,
    mediaType: pin.mediaType,
    origins,
  };
  const images = [
    ...(isSingle ? [] : [index]),
    ...platforms.map(
      ([platform, digest]): Holding => ({ kind: "image", of, name, version, digest, platform, origins }),
    ),
  ];
  return [
    // what is put together from packages is put together again
    ...(isImage ? images : []),
    ...(pin.debian ?? []).map(
      (file): Holding => ({
        kind: "package",
        of,
        name: nameOf(file.path).split("_")[0] ?? "",
        version: file.version,
        architecture: /_([a-z0-9-]+)\.deb$/.exec(file.path)?.[1] ?? "",
        digest: digestOfFile(file),
        size: file.size,
        path: file.path,
        platform: file.platform,
        origins: [],
      }),
    ),
  ];
}

/** What the release says its digests were made with. */
function toolHoldings({ expect }: Release): Holding[] {
  const { builder, exporter, normaliser } = expect?.inputs ?? {};
  return Object.entries({ builder, exporter, normaliser }).flatMap(([name, version]): Holding[] =>
    version === undefined ? [] : [{ kind: "tool", of: "tool", name, version, origins: [] }],
  );
}

function digestOfFile({ sha256 }: { readonly sha256: string }): Digest {
  return `sha256:${sha256}`;
}

function nameOf(path: string): string {
  return path.split("/").at(-1) ?? path;
}
