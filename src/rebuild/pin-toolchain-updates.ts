import { usageError } from "../errors.ts";
import { formatReference, parseReference } from "../oci/reference.ts";
import { listReleases, loadToolchain, loadToolchainLock } from "../recipe/load.ts";
import type { ToolchainLock } from "../recipe/schema.ts";
import { listToolchainLocks } from "../recipe/tree.ts";
import { lockNameOf, resolveToolchain } from "../toolchain/lock-packages.ts";
import type { Factory } from "./types.ts";

/** What is newer of a toolchain. */
export interface ToolchainUpdate {
  readonly toolchain: string;
  /** The newest lock, or the pinned digest. */
  readonly current: string;
  /** The lock that would be written, or the digest that its tag names now; absent where nothing changed. */
  readonly next?: string;
  /** What changed, as a sentence; absent where nothing did. */
  readonly change?: string;
  /** What to do about it: a command, or an edit. */
  readonly action?: string;
  /** Why it is not known. */
  readonly unknown?: string;
}

type Packages = Readonly<ToolchainLock["packages"]>;

const shownPackages = 5;

/**
 * Asks whether a toolchain has something newer: of a package list, whether the suites have
 * other packages than its newest lock; of a pinned image, whether its tag names another
 * digest. Throws an infrastructure error when mirror or registry cannot be reached.
 */
export async function findToolchainUpdate(root: string, name: string, factory: Factory): Promise<ToolchainUpdate> {
  const toolchain = await loadToolchain(root, name);
  if ("image" in toolchain) return findImageUpdate(name, toolchain.image, factory);
  if ("recipe" in toolchain) {
    const newest = (await listReleases(root, toolchain.recipe)).at(-1) ?? "none";
    return { toolchain: name, current: `${toolchain.recipe}@${newest}` };
  }
  const current = (await listToolchainLocks(root, name)).at(-1);
  const action = `refoundry toolchain lock ${name}`;
  if (current === undefined) return { toolchain: name, current: "none", change: "it has no lock yet", action };
  const lock = await loadToolchainLock(root, name, current);
  const now = await resolveToolchain(toolchain.debian, {
    mirrorRoot: await factory.mirror.rootUrl(),
    temporaryFolder: await factory.store.temporaryFolder("apt"),
    signal: factory.signal,
  });
  const changes = changedPackages(lock.packages, now.packages);
  if (changes.length === 0) return { toolchain: name, current };
  const next = lockNameOf(now);
  const more = changes.length > shownPackages ? ` and ${changes.length - shownPackages} more` : "";
  return { toolchain: name, current, next, change: `${changes.slice(0, shownPackages).join(", ")}${more}`, action };
}

async function findImageUpdate(name: string, image: string, { registry, signal }: Factory): Promise<ToolchainUpdate> {
  const reference = parseReference(image);
  if (reference.kind !== "registry" || reference.digest === undefined)
    throw usageError(`the toolchain ${name} is not pinned by digest in a registry`);
  const current = reference.digest;
  if (reference.tag === undefined)
    return { toolchain: name, current, unknown: "its image has no tag beside the digest to follow" };
  const repository = registry.repository(reference);
  const now = (await (repository.head ?? repository.find)(reference.tag, signal))?.digest;
  if (now === undefined)
    return { toolchain: name, current, unknown: `its registry has no tag ${reference.tag} any more` };
  if (now === current) return { toolchain: name, current };
  return {
    toolchain: name,
    current,
    next: now,
    change: `${reference.tag} names ${now} now`,
    action: `image: ${formatReference({ ...reference, digest: now })}`,
  };
}

function changedPackages(before: Packages, after: Packages): string[] {
  const key = ({ name, architecture }: Packages[number]): string => `${name}:${architecture}`;
  const old = new Map(before.map((file) => [key(file), file]));
  const now = new Map(after.map((file) => [key(file), file]));
  const changed = [...now].flatMap(([id, file]) => {
    const was = old.get(id);
    if (was?.sha256 === file.sha256) return [];
    return [was ? `${id} ${was.version} -> ${file.version}` : `${id} ${file.version} is new`];
  });
  return [...changed, ...[...old.keys()].filter((id) => !now.has(id)).map((id) => `${id} is gone`)];
}
