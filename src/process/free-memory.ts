import { readFile } from "node:fs/promises";
import { join } from "node:path";

/**
 * Bytes of memory that this process and its children can still have: what the kernel calls
 * available (`MemAvailable`, proc(5)), and no more than is left of the limit of its control
 * group or of one above it (cgroup v2 `memory.max`, v1 `memory.limit_in_bytes`); file pages
 * that the group would drop first count as free. Undefined where the system does not say.
 * `root` is where `/proc` and `/sys` are.
 */
export async function freeMemory(root = "/"): Promise<number | undefined> {
  const [machine, ...groups] = await Promise.all([readMachine(root), readUnified(root), readLegacy(root)]);
  const known = [machine, ...groups].filter((bytes) => bytes !== undefined);
  return known.length === 0 ? undefined : Math.max(0, Math.min(...known));
}

async function readMachine(root: string): Promise<number | undefined> {
  const found = /^MemAvailable:\s+([0-9]+) kB$/m.exec(await textOf(join(root, "proc/meminfo")));
  return found ? Number(found[1]) * 1024 : undefined;
}

async function readUnified(root: string): Promise<number | undefined> {
  const path = /^0::(\/.*)$/m.exec(await textOf(join(root, "proc/self/cgroup")))?.[1];
  const files = { limit: "memory.max", used: "memory.current", idle: "inactive_file" };
  return path === undefined ? undefined : leastLeft(join(root, "sys/fs/cgroup"), path, files);
}

async function readLegacy(root: string): Promise<number | undefined> {
  const path = /^[0-9]+:(?:[^:]*,)?memory(?:,[^:]*)?:(\/.*)$/m.exec(await textOf(join(root, "proc/self/cgroup")))?.[1];
  const files = { limit: "memory.limit_in_bytes", used: "memory.usage_in_bytes", idle: "total_inactive_file" };
  return path === undefined ? undefined : leastLeft(join(root, "sys/fs/cgroup/memory"), path, files);
}

interface GroupFiles {
  readonly limit: string;
  readonly used: string;
  /** The line of `memory.stat`. */
  readonly idle: string;
}

/** A group may have what the tightest of it and those above it has left. In a container the path may be the host's: the root is asked all the same. */
async function leastLeft(mount: string, path: string, files: GroupFiles): Promise<number | undefined> {
  const parts = path.split("/").filter((part) => part !== "" && part !== "..");
  let least: number | undefined;
  for (let depth = parts.length; depth >= 0; depth--) {
    const folder = join(mount, ...parts.slice(0, depth));
    const [limit, used, stat] = await Promise.all([
      textOf(join(folder, files.limit)),
      textOf(join(folder, files.used)),
      textOf(join(folder, "memory.stat")),
    ]);
    // `max`, and the number near 2^63 that v1 says for it, are no limits
    if (!/^[0-9]+$/.test(limit.trim()) || Number(limit) > 2 ** 60) continue;
    const idle = Number(new RegExp(`^${files.idle} ([0-9]+)$`, "m").exec(stat)?.[1] ?? 0);
    const left = Number(limit) - Math.max(0, Number(used) - idle);
    least = Math.min(least ?? left, left);
  }
  return least;
}

async function textOf(path: string): Promise<string> {
  return readFile(path, "utf8").catch(() => "");
}
