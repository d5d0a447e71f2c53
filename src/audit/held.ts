import { heldKeys, listCapsules, readCapsule, readHeldSince } from "../escrow/read-capsule.ts";
import type { Repository } from "../oci/repository.ts";
import type { Held } from "./inventory.ts";

/**
 * Everything that an escrow's capsules hold, by the key of the input, with the oldest
 * time since when. Reads capsules and manifests, and no blob.
 */
export async function readHeld(escrow: Repository, signal?: AbortSignal): Promise<Map<string, Held>> {
  const held = new Map<string, Held>();
  for (const { tag, descriptor } of await listCapsules(escrow, signal)) {
    const capsule = await readCapsule(escrow, descriptor, signal);
    const since = (await readHeldSince(escrow, capsule, signal))?.since;
    const place: Held = { where: `${escrow.name}:${tag}`, ...(since !== undefined && { since }) };
    for (const key of heldKeys(capsule)) {
      const known = held.get(key);
      if (!known || (since !== undefined && (known.since === undefined || since < known.since))) held.set(key, place);
    }
  }
  return held;
}
