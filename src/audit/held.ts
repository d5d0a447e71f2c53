import pLimit from "p-limit";
import { heldKeys, listCapsules, readCapsule, readHeldSince } from "../escrow/read-capsule.ts";
import type { Repository } from "../oci/repository.ts";
import type { Descriptor } from "../oci/types.ts";
import type { Held } from "./inventory.ts";

/**
 * Everything that an escrow's capsules hold, by the key of the input, with the oldest
 * time since when. Reads capsules and manifests, and asks of every blob whether it is
 * there; none is read.
 */
export async function readHeld(escrow: Repository, signal?: AbortSignal): Promise<Map<string, Held>> {
  const held = new Map<string, Held>();
  const limit = pLimit(16);
  const asked = new Map<string, Promise<boolean>>();
  const isThere = (blob: Descriptor): Promise<boolean> => {
    const known = asked.get(blob.digest) ?? limit(() => escrow.hasBlob(blob, signal));
    asked.set(blob.digest, known);
    return known;
  };
  for (const { tag, descriptor } of await listCapsules(escrow, signal)) {
    const capsule = await readCapsule(escrow, descriptor, signal);
    const { since, origins = {} } = (await readHeldSince(escrow, capsule, signal)) ?? {};
    const place: Held = { where: `${escrow.name}:${tag}`, ...(since !== undefined && { since }) };
    const contents = await Promise.all(
      [...heldKeys(capsule)].map(async ([key, blobs]) => ({
        key,
        isWhole: (await Promise.all(blobs.map(isThere))).every(Boolean),
      })),
    );
    for (const { key, isWhole } of contents) {
      if (!isWhole) continue;
      const from = origins[key.replace(/^commit /, "")];
      const known = held.get(key);
      if (!known || (since !== undefined && (known.since === undefined || since < known.since)))
        held.set(key, { ...place, ...(from !== undefined && { from }) });
    }
  }
  return held;
}
