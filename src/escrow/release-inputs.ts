import type { Digest } from "../oci/digest.ts";
import type { PlatformName } from "../oci/platform.ts";
import type { LoadedRelease } from "../recipe/load.ts";
import type { Release, Source, Toolchain, ToolchainLock } from "../recipe/schema.ts";
import type { Holding } from "./types.ts";

/**
 * Every input of a release as its pins name it, each once for what it is an input of: the
 * one list by which inputs are put into an escrow, and by which it is said what is held.
 * Source packages of a toolchain's packages are not among them, as no pin names them.
 */
export function listReleaseHoldings(inputs: LoadedRelease): Holding[] {
  const { recipe, release, source, toolchain, toolchainLock } = inputs;
  return [
    { kind: "recipe", of: "recipe", name: recipe.image, version: release.version, origins: [] },
    ...sourceHoldings("source", source, release.source),
    ...toolchainHoldings("toolchain", toolchain, release.toolchain.digest, toolchainLock),
    ...upstreamHoldings(inputs),
    ...toolHoldings(release),
  ];
}

/** What holdings are told apart by: their digest, a commit's id, or what they are called. */
export function holdingKey({ kind, digest, commit, of, name, version }: Holding): string {
  return digest ?? (commit === undefined ? `${kind} ${of} ${name} ${version}` : `commit:${commit}`);
}

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
  return [commit, ...files];
}

function toolchainHoldings(
  of: string,
  toolchain: Toolchain,
  digest: Digest,
  lock: ToolchainLock | undefined,
): Holding[] {
  const image: Holding = {
    kind: "image",
    of,
    name: toolchain.toolchain,
    version: lock ? lockVersion(lock) : digest,
    digest,
    ...("platform" in toolchain && { platform: toolchain.platform }),
    origins: "image" in toolchain ? [toolchain.image] : [],
  };
  return [image, ...(lock?.packages ?? []).map((file) => packageHolding(of, file))];
}

function lockVersion({ suite, epoch }: ToolchainLock): string {
  return `${suite} of ${new Date(epoch * 1000).toISOString().slice(0, 10)}`;
}

function packageHolding(of: string, file: ToolchainLock["packages"][number]): Holding {
  const { name, version, architecture, path, size } = file;
  return { kind: "package", of, name, version, architecture, digest: digestOfFile(file), size, path, origins: [] };
}

function upstreamHoldings({ recipe, release }: LoadedRelease): Holding[] {
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
  return [
    ...(isSingle ? [] : [index]),
    ...platforms.map(
      ([platform, digest]): Holding => ({ kind: "image", of, name, version, digest, platform, origins }),
    ),
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
