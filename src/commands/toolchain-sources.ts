import { mkdir } from "node:fs/promises";
import { resolve } from "node:path";
import { usageError } from "../errors.ts";
import { openEscrow } from "../escrow/open-escrow.ts";
import { restoreFiles } from "../escrow/restore.ts";
import { findRoot, loadToolchain, loadToolchainLock, loadToolchainSources } from "../recipe/load.ts";
import { listToolchainLocks } from "../recipe/tree.ts";
import { writeToolchainSources } from "../recipe/write.ts";
import { runStage } from "../events.ts";
import { obtainToolchain } from "../toolchain/obtain.ts";
import { rebuildSource } from "../toolchain/rebuild-source.ts";
import { listUsedSources, pinSources } from "../toolchain/source-packages.ts";
import type { Factory } from "../rebuild/types.ts";
import type { Toolchain, ToolchainLock } from "../recipe/schema.ts";
import { createRegistryClient } from "../oci/registry/client.ts";
import type { Descriptor } from "../oci/types.ts";
import { formatBytes } from "../report/text.ts";
import { type CliContext, type CommandResult, type CommonFlags, runCommand } from "./context.ts";
import { withFactory } from "./factory.ts";

/** What the escrow holds of these files is not asked for elsewhere. */
export async function restorePackages(
  place: string,
  packages: readonly { readonly sha256: string; readonly size: number }[],
  { emit, store, signal }: Factory,
  { cwd, process }: CliContext,
): Promise<void> {
  // offline, the factory's own client asks no registry
  const client = createRegistryClient({ env: process.env });
  try {
    const escrow = await openEscrow(place, client, { cwd });
    await runStage(emit, { stage: "escrow", title: `files from ${escrow.name}` }, async () => {
      const value = await restoreFiles(packages, escrow, store, signal);
      return { value, detail: `${value} of ${packages.length} files`, reused: value === 0 };
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
export async function writeSources(
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

/** Flags of `refoundry toolchain prove`. */
interface ProveFlags extends CommonFlags {
  readonly out?: string;
  readonly escrow?: string;
  readonly offline?: boolean;
}

/** `refoundry toolchain prove TOOLCHAIN SOURCE [LOCK]` */
export function prove(
  this: CliContext,
  flags: ProveFlags,
  name: string,
  source: string,
  lockName?: string,
): Promise<void> {
  return runCommand(this, flags, async () => {
    const root = await findRoot(this.cwd);
    const toolchain = await loadToolchain(root, name);
    const chosen = lockName ?? (await listToolchainLocks(root, name)).at(-1);
    const pinned = chosen === undefined ? undefined : await loadToolchainSources(root, name, chosen);
    if (chosen === undefined || !pinned)
      throw usageError(`nothing pins the source packages of ${name}`, { hint: `refoundry toolchain sources ${name}` });
    const lockData = await loadToolchainLock(root, name, chosen);
    const files = pinned.files.filter((file) => file.source === source);
    if (files.length === 0)
      throw usageError(`no source package ${source} is pinned for ${name}`, {
        hint: `those that are: ${[...new Set(pinned.files.map((file) => file.source))].slice(0, 20).join(", ")}, ...`,
      });
    const work = async (factory: Factory): Promise<CommandResult> => {
      const { store, mirror, emit, signal } = factory;
      const place = flags.escrow ?? factory.settings.escrow;
      if (place !== undefined) await restorePackages(place, [...lockData.packages, ...files], factory, this);
      for (const file of files) await mirror.fetchFile(file, signal);
      const temporaryFolder = await store.temporaryFolder("toolchain");
      const { image } = await obtainToolchain(
        { toolchain, digest: lockData.digest, lock: lockData },
        { ...factory, temporaryFolder },
      );
      const out = flags.out === undefined ? undefined : resolve(this.cwd, flags.out);
      if (out !== undefined) await mkdir(out, { recursive: true });
      const made = await runStage(emit, { stage: "toolchain", title: `${source} in ${name}` }, async () => {
        const folder = await store.temporaryFolder("prove");
        const value = await rebuildSource({
          lock: lockData,
          image,
          files,
          blobs: store.blobs,
          temporaryFolder: folder,
          ...(out !== undefined && { out }),
          emit,
          signal,
        });
        return { value, detail: `${value.length} packages` };
      });
      const compared = made.filter(({ locked }) => locked !== undefined);
      const isSame = compared.length > 0 && compared.every(({ sha256, locked }) => sha256 === locked);
      const lines = made.map(({ file, sha256, locked }) => {
        if (locked === undefined) return `${file}: sha256 ${sha256}, not in the toolchain`;
        return sha256 === locked
          ? `${file}: sha256 ${sha256}, the same as in the toolchain`
          : `${file}: sha256 ${sha256}, and the toolchain has ${locked}`;
      });
      return {
        text: lines.join("\n"),
        document: {
          schema: "refoundry/toolchain-prove/v1",
          toolchain: name,
          lock: chosen,
          source,
          same: isSame,
          packages: made,
        },
        exitCode: isSame ? 0 : 1,
      };
    };
    return withFactory(this, work, { offline: flags.offline ?? false });
  });
}
