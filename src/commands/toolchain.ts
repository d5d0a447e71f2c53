import { usageError } from "../errors.ts";
import { findRoot, loadToolchain, loadToolchainLock } from "../recipe/load.ts";
import { listToolchainLocks } from "../recipe/tree.ts";
import { refuseOtherLock, writeToolchainLock } from "../recipe/write.ts";
import { runStage } from "../events.ts";
import { bootstrapToolchain } from "../toolchain/bootstrap.ts";
import { lockNameOf, resolveToolchain } from "../toolchain/lock-packages.ts";
import { obtainToolchain } from "../toolchain/obtain.ts";
import type { Factory } from "../rebuild/types.ts";
import { type CliContext, type CommandResult, type CommonFlags, runCommand } from "./context.ts";
import { withFactory } from "./factory.ts";
import { restorePackages, writeSources } from "./toolchain-sources.ts";

/** Flags of `refoundry toolchain lock`. */
interface LockFlags extends CommonFlags {
  readonly replace?: boolean;
}

/** `refoundry toolchain lock TOOLCHAIN` */
export function lock(this: CliContext, flags: LockFlags, name: string): Promise<void> {
  return runCommand(this, flags, async () => {
    const root = await findRoot(this.cwd);
    const toolchain = await loadToolchain(root, name);
    if (!("debian" in toolchain)) throw usageError(`the toolchain ${name} is a pinned image and needs no lock`);
    return withFactory(this, async (factory) => {
      const { store, emit, signal } = factory;
      const { debian } = toolchain;
      const { replace = false } = flags;
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
        // before the work: an image of hundreds of packages takes minutes
        if (!replace) await refuseOtherLock(root, name, lockNameOf(resolved), input);
        const image = await bootstrapToolchain(input, {
          ...factory,
          blobs: store.blobs,
          temporaryFolder: await store.temporaryFolder("toolchain"),
        });
        await store.writeRecord("toolchains", image.digest, image);
        return {
          value: { name: lockNameOf(resolved), lock: { ...input, digest: image.digest }, image },
          detail: `${resolved.packages.length} packages, ${image.digest}`,
        };
      });
      const path = await writeToolchainLock(root, name, lockData.name, lockData.lock, { replace });
      // now, as the mirror still has them
      const locked = { root, name, toolchain, lockName: lockData.name, lock: lockData.lock };
      const pinned = await writeSources(locked, lockData.image, factory);
      return {
        text: `${path}: ${lockData.lock.packages.length} packages, image ${lockData.lock.digest}\n${pinned.path}: ${pinned.text}`,
        document: {
          schema: "refoundry/toolchain-lock/v1",
          toolchain: name,
          lock: lockData.name,
          path,
          digest: lockData.lock.digest,
          sources: pinned.document,
        },
        exitCode: 0,
      };
    });
  });
}

/** Flags of `refoundry toolchain build`. */
interface BuildFlags extends CommonFlags {
  readonly force?: boolean;
  readonly escrow?: string;
  readonly offline?: boolean;
}

/** `refoundry toolchain build TOOLCHAIN [LOCK]` */
export function build(this: CliContext, flags: BuildFlags, name: string, lockName?: string): Promise<void> {
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
    const { offline = false } = flags;
    const work = async (factory: Factory): Promise<CommandResult> => {
      const place = flags.escrow ?? factory.settings.escrow;
      if (place !== undefined && lockData) await restorePackages(place, lockData.packages, factory, this);
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
    };
    return withFactory(this, work, { offline });
  });
}
