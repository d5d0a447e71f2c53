import { randomUUID } from "node:crypto";
import { link, mkdir, readFile, rm, writeFile } from "node:fs/promises";
import { dirname } from "node:path";
import { setTimeout as sleep } from "node:timers/promises";
import { errorCode, interrupted } from "../errors.ts";
import { isProcessAlive, processIdentity } from "./identity.ts";

/**
 * Runs `work` while holding a lock file; waits for other processes that hold it. A
 * lock of a process that died is taken over. `onWait` is told once when it must wait.
 */
export async function withLock<T>(
  path: string,
  work: () => Promise<T>,
  options: { readonly signal?: AbortSignal; readonly onWait?: (holder: string) => void } = {},
): Promise<T> {
  await mkdir(dirname(path), { recursive: true });
  const identity = await processIdentity();
  let told = false;
  while (!(await tryLock(path, identity))) {
    if (options.signal?.aborted) throw interrupted();
    const holder = await readFile(path, "utf8").catch(() => "");
    if (holder !== "" && !(await isProcessAlive(holder))) {
      await removeStale(path, holder);
      continue;
    }
    if (!told) options.onWait?.(holder.split(".")[0] ?? "");
    told = true;
    await sleep(50);
  }
  try {
    return await work();
  } finally {
    await rm(path, { force: true });
  }
}

/** A link appears whole or not at all, so a lock always says who holds it. */
async function tryLock(path: string, identity: string): Promise<boolean> {
  const draft = `${path}.${identity}-${randomUUID().slice(0, 8)}`;
  await writeFile(draft, identity);
  try {
    await link(draft, path);
    return true;
  } catch (error) {
    if (errorCode(error) === "EEXIST") return false;
    throw error;
  } finally {
    await rm(draft, { force: true });
  }
}

/** Looks once more before it removes: the lock may have changed hands since. */
async function removeStale(path: string, seen: string): Promise<void> {
  const now = await readFile(path, "utf8").catch(() => "");
  if (now === seen) await rm(path, { force: true });
}
