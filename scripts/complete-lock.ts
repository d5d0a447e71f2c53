// Completes package-lock.json after npm install. A registry mirror may lack the binaries
// that a tool publishes for other platforms; npm then leaves them out of the lock, and
// npm ci refuses such a lock everywhere. Their versions are exact in the tool's own
// manifest, so they are written from there, for the platforms that their names say.
import { readFile, writeFile } from "node:fs/promises";

interface Entry {
  version?: string;
  resolved?: string;
  optional?: boolean;
  dev?: boolean;
  os?: string[];
  cpu?: string[];
  libc?: string[];
  optionalDependencies?: Record<string, string>;
}

const path = new URL("../package-lock.json", import.meta.url);
const lock = JSON.parse(await readFile(path, "utf8")) as { packages: Record<string, Entry> };
const systems = ["android", "darwin", "freebsd", "linux", "openharmony", "win32"];
const processors = ["arm64", "arm", "x64", "ia32", "ppc64", "riscv64", "s390x"];

for (const entry of Object.values(lock.packages)) {
  delete entry.resolved;
  for (const [name, version] of Object.entries(entry.optionalDependencies ?? {})) {
    const key = `node_modules/${name}`;
    if (lock.packages[key] || !/^\d+\.\d+\.\d+$/.test(version)) continue;
    const words = name.split(/[/-]/);
    const os = systems.find((system) => words.includes(system));
    const cpu = processors.find((processor) => words.includes(processor));
    if (!os || !cpu) throw new Error(`${name} does not say which platform it is for`);
    const libc = words.some((word) => word.startsWith("musl"))
      ? ["musl"]
      : words.includes("gnu") || words.includes("gnueabihf")
        ? ["glibc"]
        : undefined;
    lock.packages[key] = {
      version,
      cpu: [cpu],
      ...(entry.dev && { dev: true }),
      ...(libc && { libc }),
      optional: true,
      os: [os],
    };
  }
}
const root = lock.packages[""];
const sorted = Object.entries(lock.packages)
  .filter(([key]) => key !== "")
  .toSorted(([a], [b]) => (a < b ? -1 : 1));
lock.packages = { ...(root && { "": root }), ...Object.fromEntries(sorted) };
await writeFile(path, `${JSON.stringify(lock, null, 2)}\n`);
