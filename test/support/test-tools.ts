import { chmod, mkdir, writeFile } from "node:fs/promises";
import { join } from "node:path";
import { findMachineMirror } from "../../src/debian/machine-mirror.ts";
import { openMirror } from "../../src/debian/mirror.ts";
import { type ToolSet, unpackTools } from "../../src/debian/unpack-tools.ts";
import { readSettings } from "../../src/settings.ts";
import { withLock } from "../../src/process/lock.ts";
import { openStore } from "../../src/store/store.ts";

/** Other people's programs that judge our work, and the program in the unpacked root that each test calls. */
const testTools: readonly { readonly set: ToolSet; readonly programs: readonly string[] }[] = [
  { set: { name: "crane", choices: [["crane/forky"]], check: [] }, programs: ["usr/bin/crane"] },
  { set: { name: "cosign", choices: [["cosign/forky"]], check: [] }, programs: ["usr/bin/cosign"] },
  { set: { name: "oras", choices: [["oras/forky"], ["oras/trixie"]], check: [] }, programs: ["usr/bin/oras"] },
  {
    set: {
      name: "registry",
      choices: [["docker-registry/trixie"], ["docker-registry/bookworm"]],
      check: ["usr/bin/docker-registry"],
    },
    programs: ["usr/bin/docker-registry"],
  },
  {
    set: { name: "skopeo", choices: [["skopeo/bookworm"]], check: [], withDependencies: true },
    programs: ["usr/bin/skopeo"],
  },
  {
    set: {
      name: "chromium",
      choices: [["chromium/bookworm", "fonts-dejavu-core/bookworm"]],
      check: [],
      withDependencies: true,
    },
    programs: ["usr/lib/chromium/chromium"],
  },
];

/**
 * Unpacks the test programs into the cache and gives a folder with a starter for each,
 * to be put first on PATH. The system's packages are not touched.
 */
export async function prepareTestTools(): Promise<string> {
  const settings = readSettings(process.env);
  const folder = join(settings.cache, "test-tools");
  const bin = join(folder, "bin");
  await mkdir(bin, { recursive: true });
  const store = await openStore(join(settings.cache, "test-tools", "store"));
  const mirror = openMirror(store.blobs, async () => settings.debianMirror ?? (await findMachineMirror()));
  try {
    await withLock(join(folder, "lock"), async () => {
      for (const { set, programs } of testTools) {
        const temporaryFolder = await store.temporaryFolder("tools");
        const tools = await unpackTools(set, { folder, blobs: store.blobs, mirror, temporaryFolder });
        for (const program of programs) await writeStarter(bin, tools.root, program);
      }
    });
  } finally {
    await Promise.all([mirror.close(), store.close()]);
  }
  return bin;
}

/** A program that is not installed finds its libraries and fonts beside it. */
async function writeStarter(bin: string, root: string, program: string): Promise<void> {
  const libraries = [
    "usr/lib/x86_64-linux-gnu",
    "usr/lib/aarch64-linux-gnu",
    "usr/lib/x86_64-linux-gnu/pulseaudio",
    "lib/x86_64-linux-gnu",
    "lib/aarch64-linux-gnu",
    "usr/lib",
  ];
  const lines = [
    "#!/bin/sh",
    `LD_LIBRARY_PATH="${libraries.map((path) => join(root, path)).join(":")}"`,
    `XDG_DATA_DIRS="${join(root, "usr/share")}:/usr/local/share:/usr/share"`,
    "export LD_LIBRARY_PATH XDG_DATA_DIRS",
    `exec "${join(root, program)}" "$@"`,
    "",
  ];
  const path = join(bin, program.split("/").at(-1) ?? program);
  await writeFile(path, lines.join("\n"));
  await chmod(path, 0o755);
}
