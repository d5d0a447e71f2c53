import { readdir, readFile, writeFile } from "node:fs/promises";
import { join } from "node:path";
import { errorCode, infrastructureError, messageOf } from "../errors.ts";
import { runChecked } from "../process/run.ts";

const binfmtFolder = "/proc/sys/fs/binfmt_misc";
/** Names of our own registrations, so that the machine's are never touched. */
const prefix = "refoundry-";

/** qemu's names for the architectures of OCI platforms. */
const qemuNames: Readonly<Record<string, string>> = {
  "linux/amd64": "x86_64",
  "linux/386": "i386",
  "linux/arm64": "aarch64",
  "linux/arm/v7": "arm",
  "linux/arm/v6": "arm",
  "linux/arm/v5": "arm",
  "linux/riscv64": "riscv64",
  "linux/loong64": "loongarch64",
  "linux/s390x": "s390x",
  "linux/ppc64le": "ppc64le",
  "linux/mips64le": "mips64el",
};

/** qemu architectures for which the kernel has an enabled handler, whoever registered it. */
export async function registeredEmulators(): Promise<string[]> {
  const names = await readdir(binfmtFolder).catch(() => [] as string[]);
  const found: string[] = [];
  for (const name of names) {
    const architecture = /^(?:refoundry-)?qemu-(.+)$/.exec(name)?.[1];
    if (architecture === undefined) continue;
    const state = await readFile(join(binfmtFolder, name), "utf8").catch(() => "");
    if (state.startsWith("enabled")) found.push(architecture);
  }
  return [...new Set(found)].toSorted();
}

/**
 * Registers the emulators of an unpacked qemu-user-static for every foreign
 * architecture that has none (binfmt_misc, with the kernel holding the program open).
 * Returns whether binfmt_misc had to be mounted. Needs root.
 */
export async function registerEmulators(
  qemuRoot: string,
  signal?: AbortSignal,
): Promise<{ readonly mounted: boolean }> {
  const mounted = await mountBinfmt(signal);
  const present = new Set(await registeredEmulators());
  for (const architecture of new Set(Object.values(qemuNames))) {
    if (present.has(architecture)) continue;
    const path = join(qemuRoot, "usr/lib/binfmt.d", `qemu-${architecture}.conf`);
    const text = await readFile(path, "utf8").catch((error: unknown) => {
      // qemu leaves out the handler of the architecture it was built for
      if (errorCode(error) === "ENOENT") return "";
      throw error;
    });
    const rule = text.split("\n").find((line) => line.startsWith(`:qemu-${architecture}:`));
    if (rule === undefined) continue;
    const ours = rule
      .replace(`:qemu-${architecture}:`, `:${prefix}qemu-${architecture}:`)
      .replace(":/usr/libexec/", `:${qemuRoot}/usr/libexec/`);
    await writeFile(join(binfmtFolder, "register"), ours).catch((cause: unknown) => {
      throw infrastructureError(`emulation of ${architecture} could not be registered: ${messageOf(cause)}`, { cause });
    });
  }
  return { mounted };
}

/** Takes our own registrations back, and the mount if it was ours. */
export async function unregisterEmulators(mounted: boolean): Promise<void> {
  for (const name of await readdir(binfmtFolder).catch(() => [] as string[])) {
    if (name.startsWith(`${prefix}qemu-`)) await writeFile(join(binfmtFolder, name), "-1").catch(() => {});
  }
  if (mounted) await runChecked({ file: "umount", args: [binfmtFolder] }, "unmounting binfmt_misc").catch(() => {});
}

async function mountBinfmt(signal?: AbortSignal): Promise<boolean> {
  const entries = await readdir(binfmtFolder).catch(() => [] as string[]);
  if (entries.includes("register")) return false;
  const args = ["-t", "binfmt_misc", "binfmt_misc", binfmtFolder];
  await runChecked({ file: "mount", args, ...(signal && { signal }) }, "mounting binfmt_misc for emulation");
  return true;
}
