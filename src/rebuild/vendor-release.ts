import pLimit from "p-limit";
import { archiveRecipe } from "../escrow/recipe-archive.ts";
import { listReleases, type OwnInputs } from "../escrow/release-inputs.ts";
import { annotationNames } from "../escrow/types.ts";
import {
  type CapsuleContent,
  type FilesComponent,
  type ImageComponent,
  markHeld,
  writeCapsule,
  type WrittenCapsule,
} from "../escrow/write-capsule.ts";
import type { PinnedFile } from "../debian/mirror.ts";
import { runStage } from "../events.ts";
import { openCommitBundle } from "../git/commit-bundle.ts";
import type { Digest } from "../oci/digest.ts";
import type { PlatformName } from "../oci/platform.ts";
import type { Repository } from "../oci/repository.ts";
import type { Descriptor } from "../oci/types.ts";
import type { LoadedRelease, LoadedToolchain } from "../recipe/load.ts";
import { platformOfDebianArchitecture } from "../toolchain/architecture.ts";
import { infrastructureError } from "../errors.ts";
import { originOf } from "../store/origins.ts";
import { prepareSource, prepareToolchain } from "./prepare.ts";
import type { Factory } from "./types.ts";
import { type MissingSource, packageSourcesComponent, type WantedSources } from "./vendor-package-sources.ts";
import { obtainReleaseUpstream } from "./upstream-state.ts";

const packageType = "application/vnd.debian.binary-package";
const sourceFileType = "application/vnd.debian.source-file";
const bundleType = "application/vnd.git.bundle";
const lfsType = "application/vnd.git-lfs.object";
const tarType = "application/x-tar";

/** A capsule in an escrow, and which sources of packages it lacks. */
export interface VendoredRelease extends WrittenCapsule {
  readonly missing: readonly MissingSource[];
}

/**
 * Puts everything that a release stands on into an escrow as one capsule: first into the
 * store, by the ways and checks of a rebuild, then from there. `root` is the checkout. Source
 * packages of a toolchain's packages are taken as far as they are to be had, and the rest is named.
 */
export async function vendorRelease(
  inputs: LoadedRelease,
  { root, sources }: { readonly root: string; readonly sources: WantedSources },
  escrow: Repository,
  factory: Factory,
): Promise<VendoredRelease> {
  const components: (FilesComponent | ImageComponent)[] = [await recipeComponent(inputs, root, factory)];
  const missing = new Map<string, MissingSource>();
  for (const own of listReleases(inputs)) {
    components.push(...(await componentsOf(own, own.inputs === inputs, factory)));
    for (const { toolchain, sources: pinned } of own.toolchains) {
      if (!pinned) continue;
      const request = { toolchain: toolchain.toolchain, of: "toolchain", sources: pinned, wanted: sources };
      const taken = await packageSourcesComponent(request, escrow, factory);
      if (taken.component) components.push(taken.component);
      for (const each of taken.missing) missing.set(`${each.name} ${each.version} ${each.path ?? ""}`, each);
    }
  }
  const { recipe, release } = inputs;
  const content: CapsuleContent = {
    recipe: recipe.image,
    version: release.version,
    ...(release.expect && { expectedIndex: release.expect.index }),
    components: withoutRepeats(components),
  };
  return runStage(factory.emit, { stage: "escrow", title: `escrow ${recipe.image} ${release.version}` }, async () => {
    const written = await writeCapsule(content, factory.store.blobs, escrow, factory.signal);
    const { builder, exporter, normaliser } = release.expect?.inputs ?? {};
    const tools = Object.entries({ builder, exporter, normaliser }).filter(
      (entry): entry is [string, string] => entry[1] !== undefined,
    );
    const since = new Date().toISOString();
    const origins = await originsOf(content.components, factory);
    await markHeld(written.capsule, escrow, { since, tools: Object.fromEntries(tools), origins }, factory.signal);
    return {
      value: { ...written, missing: [...missing.values()] },
      detail: written.capsule.digest,
      reused: written.bytesSent === 0,
    };
  });
}

/** Where each commit, image and file came from when it came into the store, as far as that was written down. */
async function originsOf(
  components: CapsuleContent["components"],
  { store }: Factory,
): Promise<Readonly<Record<string, string>>> {
  const ids = components.flatMap((component) =>
    component.kind === "image"
      ? [component.pinned ?? component.manifest.digest]
      : component.layers.map(({ digest, annotations }) => annotations?.[annotationNames.commit] ?? digest),
  );
  const known = await Promise.all(ids.map(async (id) => [id, await originOf(store, id)] as const));
  return Object.fromEntries(known.filter((pair): pair is [string, string] => pair[1] !== undefined));
}

/** Releases that stand on one toolchain name it once. */
function withoutRepeats(components: readonly (FilesComponent | ImageComponent)[]): (FilesComponent | ImageComponent)[] {
  const identityOf = (component: FilesComponent | ImageComponent): string =>
    component.kind === "image"
      ? `${component.manifest.digest} ${component.pinned ?? ""}`
      : `${component.kind} ${component.layers.map(({ digest }) => digest).join(" ")}`;
  return [...new Map(components.map((component) => [identityOf(component), component])).values()];
}

async function recipeComponent(inputs: LoadedRelease, root: string, { store }: Factory): Promise<FilesComponent> {
  const tar = await store.blobs.writeBytes(await archiveRecipe(root, inputs), tarType);
  const annotations = {
    [annotationNames.title]: `${inputs.recipe.image}.tar`,
    [annotationNames.packageName]: inputs.recipe.image,
    [annotationNames.packageVersion]: inputs.release.version,
  };
  return { kind: "recipe", of: "recipe", layers: [{ ...tar, annotations }] };
}

async function componentsOf(
  own: OwnInputs,
  isSelf: boolean,
  factory: Factory,
): Promise<(FilesComponent | ImageComponent)[]> {
  const { recipe } = own.inputs;
  const place = (of: string): string => (isSelf ? of : `${recipe.image}: ${of}`);
  const components: (FilesComponent | ImageComponent)[] = [];
  for (const source of own.sources) components.push(await sourceComponent(source, place(source.of), factory));
  for (const made of own.toolchains) components.push(...(await toolchainComponents(made, place(made.of), factory)));
  components.push(...(await upstreamComponents(own.inputs, place("upstream"), factory)));
  return components;
}

async function sourceComponent(
  { source, pin }: OwnInputs["sources"][number],
  of: string,
  factory: Factory,
): Promise<FilesComponent> {
  const { store, signal } = factory;
  await prepareSource({ source, pin }, factory);
  const bundleOf = async (title: string, commit: string, tree: string): Promise<Descriptor> => {
    const written = await store.blobs.writeStream(
      openCommitBundle(store.repositoryPath(source.source), commit, signal),
    );
    const annotations = {
      [annotationNames.title]: `${title}.bundle`,
      [annotationNames.packageName]: source.source,
      [annotationNames.commit]: commit,
      [annotationNames.tree]: tree,
    };
    return { mediaType: bundleType, digest: written.digest, size: written.size, annotations };
  };
  const bundles = [await bundleOf(source.source, pin.commit, pin.tree)];
  // one repository may be at several paths, at one commit
  const modules = new Map((pin.submodules ?? []).map((each) => [each.commit, each]));
  for (const { path, commit, tree } of modules.values())
    bundles.push(await bundleOf(`${source.source}-${path.replaceAll("/", "-")}`, commit, tree));
  const files = await fetchFiles(pin.debian?.files ?? [], sourceFileType, factory);
  // preparing the source put them into the store
  const objects = new Map(
    (pin.lfs ?? []).map(({ path, sha256, size }): [string, Descriptor] => [
      sha256,
      { mediaType: lfsType, digest: `sha256:${sha256}`, size, annotations: { [annotationNames.title]: path } },
    ]),
  );
  return { kind: "source", of, layers: [...bundles, ...objects.values(), ...files] };
}

async function toolchainComponents(
  made: Omit<LoadedToolchain, "release">,
  of: string,
  factory: Factory,
): Promise<(FilesComponent | ImageComponent)[]> {
  const { toolchain, pin, lock } = made;
  const { image } = await prepareToolchain(made, factory);
  const platform: PlatformName =
    "debian" in toolchain ? platformOfDebianArchitecture(toolchain.debian.architecture) : toolchain.platform;
  const { mediaType, digest, size } = image;
  const component: ImageComponent = {
    kind: "image",
    of,
    title: toolchain.toolchain,
    manifest: { mediaType, digest, size },
    pinned: pin.digest,
    platform,
  };
  if (!lock) return [component];
  const packages = await fetchFiles(lock.packages, packageType, factory);
  return [component, { kind: "packages", of, layers: packages }];
}

async function upstreamComponents(
  inputs: LoadedRelease,
  of: string,
  factory: Factory,
): Promise<(FilesComponent | ImageComponent)[]> {
  const { recipe, release } = inputs;
  if ("none" in recipe.upstream) return [];
  if ("debian" in recipe.upstream)
    return [{ kind: "packages", of, layers: await fetchFiles(release.upstream.debian ?? [], packageType, factory) }];
  const { manifests, unavailable } = await obtainReleaseUpstream(inputs, factory);
  if (unavailable !== undefined) throw infrastructureError(`upstream's image is not to be had: ${unavailable}`);
  const { image } = recipe.upstream;
  const images = [...manifests].map(
    ([platform, { mediaType, digest, size }]): ImageComponent => ({
      kind: "image",
      of,
      title: image,
      manifest: { mediaType, digest, size },
      platform,
    }),
  );
  const { digest, size, mediaType } = release.upstream;
  if (images.some(({ manifest }) => manifest.digest === digest)) return images;
  const annotations = { [annotationNames.title]: image, [annotationNames.mediaType]: mediaType };
  // a registry takes no index of which it has not every child
  return [
    ...images,
    { kind: "document", of, layers: [{ mediaType: "application/octet-stream", digest, size, annotations }] },
  ];
}

/** Pinned files in the store, each described by its name on the mirror. */
async function fetchFiles(
  files: readonly (PinnedFile & {
    readonly name?: string;
    readonly version?: string;
    readonly architecture?: string;
  })[],
  mediaType: string,
  { mirror, signal }: Factory,
): Promise<Descriptor[]> {
  const limit = pLimit(8);
  const distinct = new Map<Digest, (typeof files)[number]>(files.map((file) => [`sha256:${file.sha256}`, file]));
  return Promise.all(
    [...distinct].map(([digest, file]) =>
      limit(async () => {
        await mirror.fetchFile(file, signal);
        const fileName = file.path.split("/").at(-1) ?? file.path;
        const annotations = {
          [annotationNames.title]: fileName,
          [annotationNames.path]: file.path,
          ...(file.name !== undefined && { [annotationNames.packageName]: file.name }),
          ...(file.version !== undefined && { [annotationNames.packageVersion]: file.version }),
          ...(file.architecture !== undefined && { [annotationNames.architecture]: file.architecture }),
        };
        return { mediaType, digest, size: file.size, annotations };
      }),
    ),
  );
}
