import { type Digest, digestOf, isDigest } from "../oci/digest.ts";
import type { Store } from "./store.ts";

const kind = "origins";

/** Writes down where content of the store came from. `id` is a digest or a commit. */
export async function rememberOrigin(store: Store, id: string, from: string): Promise<void> {
  await store.writeRecord(kind, keyOf(id), { id, from });
}

/** Where content of the store came from; undefined where that is not known. */
export async function originOf(store: Store, id: string): Promise<string | undefined> {
  const record = await store.readRecord<{ readonly from?: unknown }>(kind, keyOf(id));
  return typeof record?.from === "string" ? record.from : undefined;
}

function keyOf(id: string): Digest {
  return isDigest(id) ? id : digestOf(id);
}
