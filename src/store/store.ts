import { randomUUID } from "node:crypto";
import { mkdir, readFile, readdir, rename, rm, writeFile } from "node:fs/promises";
import { join } from "node:path";
import { errorCode } from "../errors.ts";
import { type Digest, hexOf } from "../oci/digest.ts";
import { ensureLayout, type OciLayout } from "../oci/layout.ts";
import { isProcessAlive, processIdentity } from "../process/identity.ts";

/**
 * The local content-addressed cache: an OCI layout, with records that say what was
 * made from what. Losing it costs time, never truth.
 */
export interface Store {
  readonly path: string;
  readonly blobs: OciLayout;
  /** A bare git repository's place in the store. */
  repositoryPath(source: string): string;
  /** A record by kind and key; undefined when there is none or it cannot be read. */
  readRecord<T>(kind: string, key: Digest): Promise<T | undefined>;
  /** Writes a record in one step. */
  writeRecord(kind: string, key: Digest, value: unknown): Promise<void>;
  /** A folder for this process, gone after {@link Store.close} or at the next start if we are killed. */
  temporaryFolder(purpose: string): Promise<string>;
  /** Where locks of this store are. */
  lockPath(name: string): string;
  /** Removes this process's temporary folders. */
  close(): Promise<void>;
}

/** Opens the store, making it where there is none, and sweeps what killed processes left. */
export async function openStore(path: string): Promise<Store> {
  const blobs = await ensureLayout(path);
  const temporary = join(path, "tmp");
  await mkdir(temporary, { recursive: true });
  await mkdir(join(path, "locks"), { recursive: true });
  await sweepTemporary(temporary, join(path, "ingest"));
  const own = `${await processIdentity()}-${randomUUID().slice(0, 8)}`;
  const recordPath = (kind: string, key: Digest): string => join(path, "records", kind, `${hexOf(key)}.json`);
  return {
    path,
    blobs,
    repositoryPath: (source) => join(path, "git", `${source}.git`),
    lockPath: (name) => join(path, "locks", name),
    async readRecord<T>(kind: string, key: Digest) {
      const text = await readFile(recordPath(kind, key), "utf8").catch((error: unknown) => {
        if (errorCode(error) === "ENOENT") return undefined;
        throw error;
      });
      if (text === undefined) return undefined;
      try {
        return JSON.parse(text) as T;
      } catch {
        return undefined;
      }
    },
    async writeRecord(kind, key, value) {
      const target = recordPath(kind, key);
      await mkdir(join(path, "records", kind), { recursive: true });
      // two tasks of one process may write the same record at once
      const draft = `${target}.${own}-${randomUUID()}`;
      await writeFile(draft, `${JSON.stringify(value, null, 2)}\n`, { flush: true });
      await rename(draft, target);
    },
    async temporaryFolder(purpose) {
      const folder = join(temporary, own, `${purpose}-${randomUUID().slice(0, 8)}`);
      await mkdir(folder, { recursive: true });
      return folder;
    },
    async close() {
      await rm(join(temporary, own), { recursive: true, force: true });
    },
  };
}

/** Folders are named by the process that made them; those of dead ones go. */
async function sweepTemporary(temporary: string, ingest: string): Promise<void> {
  for (const name of await readdir(temporary)) {
    if (!(await isProcessAlive(name))) await rm(join(temporary, name), { recursive: true, force: true });
  }
  for (const name of await readdir(ingest).catch(() => [])) {
    if (!(await isProcessAlive(name))) await rm(join(ingest, name), { force: true });
  }
}
