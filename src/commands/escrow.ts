import { infrastructureError, usageError } from "../errors.ts";
import { type Emit, runStage } from "../events.ts";
import { openEscrow, openPlace } from "../escrow/open-escrow.ts";
import { findCapsule, readCapsule } from "../escrow/read-capsule.ts";
import { restoreCapsule } from "../escrow/restore.ts";
import type { Capsule } from "../escrow/types.ts";
import { parseReference } from "../oci/reference.ts";
import type { RegistryClient } from "../oci/registry/client.ts";
import type { Repository } from "../oci/repository.ts";
import type { LoadedRelease } from "../recipe/load.ts";
import type { Store } from "../store/store.ts";

interface Where {
  readonly cwd: string;
  readonly emit: Emit;
  readonly signal: AbortSignal;
}

/** Where inputs come from beside the store: an escrow, or one capsule of it. */
interface EscrowPlace {
  readonly escrow?: string | undefined;
  readonly fromCapsule?: string | undefined;
}

/** A registry client that reads no registry. */
export function offlineRegistry(client: RegistryClient): RegistryClient {
  return {
    ...client,
    repository: ({ host, repository }) => {
      throw infrastructureError(`${host}/${repository} is not asked offline`, {
        hint: "leave out --offline, or vendor the release where there is a network",
      });
    },
  };
}

/**
 * Puts releases into the store out of the escrow or the one capsule that the options name,
 * each once. Without either it does nothing; a release that the escrow lacks is no error here.
 */
export function createRestore(
  from: EscrowPlace,
  client: RegistryClient,
  store: Store,
  where: Where,
): (release: LoadedRelease) => Promise<void> {
  const done = new Map<string, Promise<void>>();
  const restore = async ({ recipe, release }: LoadedRelease): Promise<void> => {
    const found = await find(from, { recipe: recipe.image, version: release.version }, client, where);
    if (!found) return;
    const { capsule, repository } = found;
    await runStage(
      where.emit,
      { stage: "escrow", title: `escrow of ${capsule.recipe} ${capsule.version}` },
      async () => {
        const restored = await restoreCapsule(capsule, repository, store, where.signal);
        const detail = restored.size === 0 ? "the store has it all" : `${restored.size} inputs from ${repository.name}`;
        return { value: undefined, detail, reused: restored.size === 0 };
      },
    );
  };
  return (release) => {
    const key = from.fromCapsule ?? `${release.recipe.image}@${release.release.version}`;
    const started = done.get(key) ?? restore(release);
    done.set(key, started);
    return started;
  };
}

async function find(
  { escrow, fromCapsule }: EscrowPlace,
  { recipe, version }: { readonly recipe: string; readonly version: string },
  client: RegistryClient,
  where: Where,
): Promise<{ readonly capsule: Capsule; readonly repository: Repository } | undefined> {
  if (fromCapsule !== undefined) return openCapsule(fromCapsule, client, where);
  if (escrow === undefined) return undefined;
  const repository = await openEscrow(escrow, client, { cwd: where.cwd });
  const found = await findCapsule(repository, recipe, version, where.signal);
  return found && { capsule: found, repository };
}

/** Opens a capsule by its reference: `oci:PATH:TAG`, `oci:PATH@DIGEST`, `HOST/NAME@DIGEST`. */
export async function openCapsule(
  text: string,
  client: RegistryClient,
  { cwd, signal }: Pick<Where, "cwd" | "signal">,
): Promise<{ readonly capsule: Capsule; readonly repository: Repository }> {
  const reference = parseReference(text);
  const wrong = (): Error =>
    usageError(`a capsule is oci:PATH:TAG, oci:PATH@DIGEST or HOST/NAME@DIGEST, and not ${text}`);
  if (reference.kind !== "oci" && reference.kind !== "registry") throw wrong();
  const name = reference.digest ?? reference.tag;
  if (name === undefined) throw wrong();
  const repository = await openPlace(reference, client, { cwd });
  const { descriptor } = await repository.resolve(name, signal);
  return { capsule: await readCapsule(repository, descriptor, signal), repository };
}
