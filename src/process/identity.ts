import { readFile } from "node:fs/promises";
import { errorCode } from "../errors.ts";

/**
 * A name for a process that no later process gets: its id and, on Linux, its start
 * time in clock ticks since boot (proc(5)), as `pid.ticks`.
 */
export async function processIdentity(pid: number = process.pid): Promise<string> {
  const ticks = await startTicks(pid);
  return `${pid}.${typeof ticks === "number" ? ticks : 0}`;
}

/** Whether the process that an identity (or a name that begins with one and `-`) speaks of still runs. */
export async function isProcessAlive(identity: string): Promise<boolean> {
  const parts = /^(\d+)\.(\d+)(-|$)/.exec(identity);
  const pid = Number(parts?.[1]);
  if (!parts || !Number.isSafeInteger(pid) || pid <= 0) return false;
  if (!exists(pid)) return false;
  const ticks = await startTicks(pid);
  if (ticks === "ended") return false;
  // without /proc there is nothing to tell processes apart by; with it, it ended since
  if (ticks === undefined) return process.platform !== "linux";
  return parts[2] === "0" || String(ticks) === parts[2];
}

/** Whether any process has this id now. */
function exists(pid: number): boolean {
  try {
    process.kill(pid, 0);
    return true;
  } catch (error) {
    return errorCode(error) === "EPERM";
  }
}

/** Start time of a process, and nothing for one that has ended but is not reaped yet (a zombie). */
async function startTicks(pid: number): Promise<number | "ended" | undefined> {
  const stat = await readFile(`/proc/${pid}/stat`, "utf8").catch(() => undefined);
  if (stat === undefined) return undefined;
  // the program's name, in parentheses, may hold spaces and parentheses; field 3 comes after it
  const fields = stat.slice(stat.lastIndexOf(")") + 2).split(" ");
  return fields[0] === "Z" ? "ended" : Number(fields[19]);
}
