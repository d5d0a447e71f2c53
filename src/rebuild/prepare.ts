import { join } from "node:path";
import { runStage } from "../events.ts";
import { mismatch } from "../errors.ts";
import { openBareRepository } from "../git/repository.ts";
import type { Descriptor } from "../oci/types.ts";
import { withLock } from "../process/lock.ts";
import { fetchSource } from "../source/fetch.ts";
import { lfsBringer } from "../source/lfs.ts";
import { stageSource } from "../source/stage.ts";
import { submoduleAddresses } from "../source/submodules.ts";
import { stageBuildContext } from "../build/context.ts";
import { obtainToolchain } from "../toolchain/obtain.ts";
import type { LoadedToolchain } from "../recipe/load.ts";
import type { Source, SourcePin } from "../recipe/schema.ts";
import { originOf, rememberOrigin } from "../store/origins.ts";
import type { Store } from "../store/store.ts";
import type { Factory, PreparedInputs, ReleaseInputs } from "./types.ts";

/** Copies the recipe's Dockerfile and what lies beside it; cheap, and needed for every build key. */
export async function prepareContext(
  inputs: ReleaseInputs,
  factory: Factory,
): Promise<Pick<PreparedInputs, "contextFolder" | "contextDigest" | "dockerfile">> {
  const contextFolder = await factory.store.temporaryFolder("context");
  const { epoch } = inputs.release.source;
  const contextDigest = await stageBuildContext(inputs.dockerfile.folder, contextFolder, epoch, inputs.dockerfile);
  return { contextFolder, contextDigest, dockerfile: join(contextFolder, inputs.recipe.build.dockerfile) };
}

/** Fetches, verifies and stages a source. */
export async function prepareSource(
  { source, pin }: { readonly source: Source; readonly pin: SourcePin },
  factory: Factory,
): Promise<{ readonly folder: string; readonly origin: string }> {
  const { store, emit, signal, mirror } = factory;
  return runStage(emit, { stage: "source", title: `source ${source.source} ${pin.commit.slice(0, 12)}` }, async () => {
    const temporaryFolder = await store.temporaryFolder("import");
    // git does not take two fetches into one shallow repository at once
    const fetched = await withLock(
      store.lockPath(`source-${source.source}`),
      () =>
        fetchSource({
          source,
          pin,
          repositoryPath: store.repositoryPath(source.source),
          blobs: store.blobs,
          mirror,
          temporaryFolder,
          offline: factory.offline,
          softwareHeritage: factory.settings.softwareHeritage,
          emit,
          signal,
        }),
      { signal },
    );
    const folder = join(await store.temporaryFolder("source"), "src");
    const staged = await stageSource({
      repositoryPath: fetched.repositoryPath,
      commit: pin.commit,
      submodules: pin.submodules,
      bringLfs: lfsBringer({
        source,
        blobs: store.blobs,
        submodules: async () =>
          submoduleAddresses(await openBareRepository(fetched.repositoryPath, signal), {
            source,
            commit: pin.commit,
            signal,
          }),
        offline: factory.offline,
        emit,
        signal,
      }),
      folder,
      epoch: pin.epoch,
      emit,
      signal,
    });
    if (staged.archive !== pin.archive) {
      throw mismatch(
        `the staged source of ${source.source} has digest ${staged.archive}, and the release pins ${pin.archive}`,
        {
          hint: "the pin or the import changed since the release was written; refoundry pin writes a new release",
        },
      );
    }
    const origin = await recordOrigin(store, pin.commit, fetched.origin);
    return {
      value: { folder, origin },
      detail: `commit and tree verified, from ${origin}`,
      reused: fetched.origin === "store",
    };
  });
}

/** Gives the image of a toolchain that is pinned in a registry or made from packages, in the store. */
export async function prepareToolchain(
  { toolchain, pin, lock }: Pick<LoadedToolchain, "toolchain" | "pin" | "lock">,
  factory: Factory,
): Promise<{ readonly image: Descriptor; readonly origin: string }> {
  const { emit } = factory;
  return runStage(emit, { stage: "toolchain", title: `toolchain ${toolchain.toolchain}` }, async () => {
    const obtained = await obtainToolchain(
      { toolchain, digest: pin.digest, ...(lock && { lock }) },
      { ...factory, temporaryFolder: await factory.store.temporaryFolder("toolchain") },
    );
    const origin = await recordOrigin(factory.store, pin.digest, obtained.origin);
    return {
      value: { image: obtained.image, origin },
      detail: `${obtained.image.digest.slice(0, 19)} from ${origin}`,
      reused: obtained.origin === "store",
    };
  });
}

/** Writes down where an input came from; of one that was there, says what was written down when it came. */
async function recordOrigin(store: Store, id: string, origin: string): Promise<string> {
  if (origin !== "store") {
    await rememberOrigin(store, id, origin);
    return origin;
  }
  const before = await originOf(store, id);
  return before === undefined ? origin : `store (from ${before})`;
}
