import { mkdir, writeFile } from "node:fs/promises";
import { freemem, totalmem } from "node:os";
import { dirname, join } from "node:path";
import { expect, test } from "vitest";
import { freeMemory } from "../../../src/process/free-memory.ts";
import { temporaryFolder } from "../../support/temporary.ts";

const mega = 1024 * 1024;

async function machine(files: Readonly<Record<string, string>>): Promise<string> {
  const root = await temporaryFolder();
  for (const [path, text] of Object.entries({
    "proc/meminfo": "MemTotal:       16384000 kB\nMemFree:          100000 kB\nMemAvailable:    8388608 kB\n",
    ...files,
  })) {
    await mkdir(dirname(join(root, path)), { recursive: true });
    await writeFile(join(root, path), text);
  }
  return root;
}

test("of this machine: something, and no more than there is", async () => {
  const free = await freeMemory();
  expect(free).toBeGreaterThan(0);
  expect(free).toBeLessThanOrEqual(totalmem());
  expect(freemem()).toBeGreaterThan(0);
});

test("without limits it is what the kernel calls available; where nothing is said, nothing is known", async () => {
  const unlimited = { "proc/self/cgroup": "0::/user\n", "sys/fs/cgroup/user/memory.max": "max\n" };
  expect(await freeMemory(await machine(unlimited))).toBe(8192 * mega);
  expect(await freeMemory(await temporaryFolder())).toBeUndefined();
});

test("cgroup v2: the tightest group above counts, and idle file pages are free", async () => {
  const root = await machine({
    "proc/self/cgroup": "0::/ci.slice/job\n",
    "sys/fs/cgroup/ci.slice/memory.max": `${2000 * mega}\n`,
    "sys/fs/cgroup/ci.slice/memory.current": `${1900 * mega}\n`,
    "sys/fs/cgroup/ci.slice/memory.stat": `anon 1\ninactive_file ${700 * mega}\n`,
    "sys/fs/cgroup/ci.slice/job/memory.max": `${3000 * mega}\n`,
    "sys/fs/cgroup/ci.slice/job/memory.current": `${mega}\n`,
  });
  expect(await freeMemory(root)).toBe(800 * mega);
});

test("cgroup v1, in a container that sees its own group as the root", async () => {
  const root = await machine({
    "proc/self/cgroup": "5:cpu,cpuacct:/docker/abc\n4:memory:/docker/abc\n",
    "sys/fs/cgroup/memory/memory.limit_in_bytes": `${512 * mega}\n`,
    "sys/fs/cgroup/memory/memory.usage_in_bytes": `${600 * mega}\n`,
    "sys/fs/cgroup/memory/memory.stat": `total_inactive_file ${100 * mega}\n`,
  });
  expect(await freeMemory(root)).toBe(12 * mega);
  const unlimited = await machine({
    "proc/self/cgroup": "4:memory:/\n",
    "sys/fs/cgroup/memory/memory.limit_in_bytes": "9223372036854771712\n",
  });
  expect(await freeMemory(unlimited)).toBe(8192 * mega);
});
