import { usageError } from "../errors.ts";
import { openEscrow } from "../escrow/open-escrow.ts";
import { restoreFiles } from "../escrow/restore.ts";
import { findRoot, loadToolchain, loadToolchainLock } from "../recipe/load.ts";
import { listToolchainLocks } from "../recipe/tree.ts";
import { writeToolchainLock, writeToolchainSources } from "../recipe/write.ts";
import { runStage } from "../events.ts";
import { bootstrapToolchain } from "../toolchain/bootstrap.ts";
import { lockNameOf, resolveToolchain } from "../toolchain/lock-packages.ts";
import { obtainToolchain } from "../toolchain/obtain.ts";
import { listUsedSources, pinSources } from "../toolchain/source-packages.ts";
import type { Factory } from "../rebuild/types.ts";
import type { Toolchain, ToolchainLock } from "../recipe/schema.ts";
import { createRegistryClient } from "../oci/registry/client.ts";
import type { Descriptor } from "../oci/types.ts";
import { formatBytes } from "../report/text.ts";
import { type CliContext, type CommandResult, type CommonFlags, runCommand } from "./context.ts";
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
          value: { name: lockNameOf(resolved), lock: { ...input, digest: image.digest }, image },
          detail: `${resolved.packages.length} packages, ${image.digest}`,
        };
      });
      const path = await writeToolchainLock(root, name, lockData.name, lockData.lock);
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
      if (place !== undefined && lockData) await restorePackages(place, lockData, factory, this);
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

/** What the escrow holds of a lock's packages is not asked for elsewhere. */
async function restorePackages(
  place: string,
  { packages }: ToolchainLock,
  { emit, store, signal }: Factory,
  { cwd, process }: CliContext,
): Promise<void> {
  // offline, the factory's own client asks no registry
  const client = createRegistryClient({ env: process.env });
  try {
    const escrow = await openEscrow(place, client, { cwd });
    await runStage(emit, { stage: "escrow", title: `packages from ${escrow.name}` }, async () => {
      const value = await restoreFiles(packages, escrow, store, signal);
      return { value, detail: `${value} of ${packages.length} packages`, reused: value === 0 };
    });
  } finally {
    await client.close();
  }
}

/** `refoundry toolchain sources TOOLCHAIN [LOCK]` */
export function sources(this: CliContext, flags: CommonFlags, name: string, lockName?: string): Promise<void> {
  return runCommand(this, flags, async () => {
    const root = await findRoot(this.cwd);
    const toolchain = await loadToolchain(root, name);
    if (!("debian" in toolchain)) throw usageError(`the toolchain ${name} is not made from packages`);
    const chosen = lockName ?? (await listToolchainLocks(root, name)).at(-1);
    if (chosen === undefined)
      throw usageError(`the toolchain ${name} has no lock`, { hint: `refoundry toolchain lock ${name}` });
    const lockData = await loadToolchainLock(root, name, chosen);
    return withFactory(this, async (factory) => {
      const temporaryFolder = await factory.store.temporaryFolder("toolchain");
      const { image } = await runStage(factory.emit, { stage: "toolchain", title: `toolchain ${name}` }, async () => {
        const value = await obtainToolchain(
          { toolchain, digest: lockData.digest, lock: lockData },
          { ...factory, temporaryFolder },
        );
        return { value, detail: value.image.digest, reused: value.origin === "store" };
      });
      const pinned = await writeSources({ root, name, toolchain, lockName: chosen, lock: lockData }, image, factory);
      return {
        text: `${pinned.path}: ${pinned.text}`,
        document: { schema: "refoundry/toolchain-sources/v1", toolchain: name, lock: chosen, ...pinned.document },
        exitCode: 0,
      };
    });
  });
}

interface LockedToolchain {
  readonly root: string;
  readonly name: string;
  readonly toolchain: Extract<Toolchain, { debian: unknown }>;
  readonly lockName: string;
  readonly lock: ToolchainLock;
}

/** Pins the source packages of a lock's packages, beside the lock. */
async function writeSources(
  { root, name, toolchain, lockName, lock: lockData }: LockedToolchain,
  image: Descriptor,
  { store, mirror, snapshot, emit, signal }: Factory,
): Promise<{ readonly path: string; readonly text: string; readonly document: object }> {
  const pinned = await runStage(emit, { stage: "toolchain", title: `sources of ${name}` }, async () => {
    const used = await listUsedSources(lockData, image, store.blobs, signal);
    const value = await pinSources(used, toolchain.debian, {
      mirrorRoot: await mirror.rootUrl(),
      temporaryFolder: await store.temporaryFolder("apt"),
      ...(snapshot && { snapshot }),
      signal,
    });
    return { value, detail: `${value.sources.length} source packages` };
  });
  const path = await writeToolchainSources(root, name, lockName, pinned);
  const missing = pinned.sources.filter((source) => source.missing !== undefined);
  const bytes = pinned.files.reduce((sum, { size }) => sum + size, 0);
  const lacking =
    missing.length === 0 ? "" : `; not pinned: ${missing.map((s) => `${s.name} ${s.version}`).join(", ")}`;
  return {
    path,
    text: `${pinned.sources.length} source packages, ${pinned.files.length} files, ${formatBytes(bytes)}${lacking}`,
    document: { path, sources: pinned.sources.length, files: pinned.files.length, bytes, missing },
  };
}
