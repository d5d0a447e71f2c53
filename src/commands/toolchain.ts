import { usageError } from "../errors.ts";
import { findRoot, loadToolchain, loadToolchainLock } from "../recipe/load.ts";
import { listToolchainLocks } from "../recipe/tree.ts";
import { writeToolchainLock } from "../recipe/write.ts";
import { runStage } from "../events.ts";
import { bootstrapToolchain } from "../toolchain/bootstrap.ts";
import { lockNameOf, resolveToolchain } from "../toolchain/lock-packages.ts";
import { obtainToolchain } from "../toolchain/obtain.ts";
import { type CliContext, type CommonFlags, runCommand } from "./context.ts";
import { withFactory } from "./factory.ts";

/** `refoundry toolchain lock TOOLCHAIN` */
export function lock(this: CliContext, flags: CommonFlags, name: string): Promise<void> {
  return runCommand(this, flags, async () => {
    const root = await findRoot(this.cwd);
    const toolchain = await loadToolchain(root, name);
    if (!("debian" in toolchain)) throw usageError(`the toolchain ${name} is a pinned image and needs no lock`);
    return withFactory(this, async (factory) => {
      const { store, emit, signal } = factory;
      const { debian } = toolchain;
      const lockData = await runStage(emit, { stage: "toolchain", title: `lock ${name}` }, async () => {
        const resolved = await resolveToolchain(debian, {
          mirrorRoot: await factory.mirror.rootUrl(),
          temporaryFolder: await store.temporaryFolder("apt"),
          signal,
        });
        const input = {
          ...resolved,
          architecture: debian.architecture,
          foreign: debian.foreign,
          packages: [...resolved.packages],
        };
        const image = await bootstrapToolchain(input, {
          ...factory,
          blobs: store.blobs,
          temporaryFolder: await store.temporaryFolder("toolchain"),
        });
        await store.writeRecord("toolchains", image.digest, image);
        return {
          value: { name: lockNameOf(resolved), lock: { ...input, digest: image.digest } },
          detail: `${resolved.packages.length} packages, ${image.digest}`,
        };
      });
      const path = await writeToolchainLock(root, name, lockData.name, lockData.lock);
      return {
        text: `${path}: ${lockData.lock.packages.length} packages, image ${lockData.lock.digest}`,
        document: {
          schema: "refoundry/toolchain-lock/v1",
          toolchain: name,
          lock: lockData.name,
          path,
          digest: lockData.lock.digest,
        },
        exitCode: 0,
      };
    });
  });
}

/** `refoundry toolchain build TOOLCHAIN [LOCK]` */
export function build(
  this: CliContext,
  flags: CommonFlags & { readonly force?: boolean },
  name: string,
  lockName?: string,
): Promise<void> {
  return runCommand(this, flags, async () => {
    const root = await findRoot(this.cwd);
    const toolchain = await loadToolchain(root, name);
    if ("recipe" in toolchain) {
      throw usageError(`the toolchain ${name} is the recipe ${toolchain.recipe}`, {
        hint: `refoundry rebuild ${toolchain.recipe}`,
      });
    }
    const chosen = lockName ?? (await listToolchainLocks(root, name)).at(-1);
    const lockData =
      "debian" in toolchain && chosen !== undefined ? await loadToolchainLock(root, name, chosen) : undefined;
    const digest = lockData?.digest ?? ("image" in toolchain ? toolchain.image.split("@").at(-1) : undefined);
    if (!digest?.startsWith("sha256:"))
      throw usageError(`the toolchain ${name} has no lock`, { hint: `refoundry toolchain lock ${name}` });
    return withFactory(this, async (factory) => {
      const obtained = await runStage(factory.emit, { stage: "toolchain", title: `toolchain ${name}` }, async () => {
        const value = await obtainToolchain(
          {
            toolchain,
            digest: digest as `sha256:${string}`,
            ...(lockData && { lock: lockData }),
            again: flags.force ?? false,
          },
          { ...factory, temporaryFolder: await factory.store.temporaryFolder("toolchain") },
        );
        return { value, detail: value.image.digest, reused: value.origin === "store" };
      });
      return {
        text: `${name}: ${obtained.image.digest}, from ${obtained.origin}`,
        document: {
          schema: "refoundry/toolchain/v1",
          toolchain: name,
          lock: chosen ?? null,
          image: obtained.image,
          origin: obtained.origin,
        },
        exitCode: 0,
      };
    });
  });
}
