import { join } from "node:path";
import { runStage } from "../events.ts";
import { mismatch } from "../errors.ts";
import type { Digest } from "../oci/digest.ts";
import type { Descriptor } from "../oci/types.ts";
import { fetchSource } from "../source/fetch.ts";
import { stageSource } from "../source/stage.ts";
import { stageBuildContext } from "../build/context.ts";
import { obtainToolchain } from "../toolchain/obtain.ts";
import type { Factory, ReleaseInputs } from "./types.ts";

/** The pinned inputs of a build, in place. */
export interface PreparedInputs {
  readonly sourceFolder: string;
  readonly sourceOrigin: string;
  readonly contextFolder: string;
  readonly contextDigest: Digest;
  readonly dockerfile: string;
  readonly toolchain: Descriptor;
  readonly toolchainOrigin: string;
}

/** Copies the recipe's Dockerfile and what lies beside it; cheap, and needed for every build key. */
export async function prepareContext(
  inputs: ReleaseInputs,
  factory: Factory,
): Promise<Pick<PreparedInputs, "contextFolder" | "contextDigest" | "dockerfile">> {
  const contextFolder = await factory.store.temporaryFolder("context");
  const contextDigest = await stageBuildContext(inputs.dockerfile.folder, contextFolder, inputs.release.source.epoch);
  return { contextFolder, contextDigest, dockerfile: join(contextFolder, inputs.recipe.build.dockerfile) };
}

/** Fetches, verifies and stages the source. */
export async function prepareSource(
  inputs: ReleaseInputs,
  factory: Factory,
): Promise<{ readonly folder: string; readonly origin: string }> {
  const { store, emit, signal, mirror } = factory;
  const pin = inputs.release.source;
  return runStage(
    emit,
    { stage: "source", title: `source ${inputs.source.source} ${pin.commit.slice(0, 12)}` },
    async () => {
      const fetched = await fetchSource({
        source: inputs.source,
        pin,
        repositoryPath: store.repositoryPath(inputs.source.source),
        blobs: store.blobs,
        mirror,
        temporaryFolder: await store.temporaryFolder("import"),
        emit,
        signal,
      });
      const folder = join(await store.temporaryFolder("source"), "src");
      const staged = await stageSource({
        repositoryPath: fetched.repositoryPath,
        commit: pin.commit,
        folder,
        epoch: pin.epoch,
        emit,
        signal,
      });
      if (staged.archive !== pin.archive) {
        throw mismatch(
          `the staged source of ${inputs.source.source} has digest ${staged.archive}, and the release pins ${pin.archive}`,
          {
            hint: "the pin or the import changed since the release was written; refoundry pin writes a new release",
          },
        );
      }
      return {
        value: { folder, origin: fetched.origin },
        detail: `commit and tree verified, from ${fetched.origin}`,
        reused: fetched.origin === "store",
      };
    },
  );
}

/** Gives the toolchain image in the store. */
export async function prepareToolchain(
  inputs: ReleaseInputs,
  factory: Factory,
): Promise<{ readonly image: Descriptor; readonly origin: string }> {
  const { emit } = factory;
  return runStage(emit, { stage: "toolchain", title: `toolchain ${inputs.toolchain.toolchain}` }, async () => {
    const obtained = await obtainToolchain(
      {
        toolchain: inputs.toolchain,
        digest: inputs.release.toolchain.digest,
        ...(inputs.toolchainLock && { lock: inputs.toolchainLock }),
      },
      { ...factory, temporaryFolder: await factory.store.temporaryFolder("toolchain") },
    );
    return {
      value: obtained,
      detail: `${obtained.image.digest.slice(0, 19)} from ${obtained.origin}`,
      reused: obtained.origin === "store",
    };
  });
}
