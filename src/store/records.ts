import { readdir } from "node:fs/promises";
import { join } from "node:path";
import { errorCode } from "../errors.ts";
import { type Digest, isDigest } from "../oci/digest.ts";
import type { Store } from "./store.ts";

/** The keys of all records of a kind: one look at a folder instead of thousands for records that are not there. */
export async function listRecords({ path }: Store, kind: string): Promise<ReadonlySet<Digest>> {
  const names = await readdir(join(path, "records", kind)).catch((error: unknown) => {
    if (errorCode(error) === "ENOENT") return [];
    throw error;
  });
  const keys = names.map((name) => `sha256:${name.replace(/\.json$/, "")}`);
  return new Set(keys.filter(isDigest));
}
