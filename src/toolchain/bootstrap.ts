import { configTime } from "../oci/manifest.ts";
import { createReadStream } from "node:fs";
import { join } from "node:path";
import pLimit from "p-limit";
import type { Mirror } from "../debian/mirror.ts";
import type { ToolSet, UnpackedTools } from "../debian/unpack-tools.ts";
import { infrastructureError } from "../errors.ts";
import type { Emit } from "../events.ts";
import type { OciLayout } from "../oci/layout.ts";
import { parsePlatform } from "../oci/platform.ts";
import { readTar } from "../oci/tar/read.ts";
import { type TarInput, tarEntries } from "../oci/tar/write.ts";
import { type Descriptor, mediaTypes } from "../oci/types.ts";
import { lastLines, run } from "../process/run.ts";
import type { ToolchainLock } from "../recipe/schema.ts";
import { platformOfDebianArchitecture } from "./architecture.ts";
import { belongsInToolchain } from "./clean-root.ts";
import { writeLocalArchive } from "./local-archive.ts";

/** mmdebstrap, with which package lists become root file systems. */
const bootstrapTools: ToolSet = {
  name: "mmdebstrap",
  choices: [["mmdebstrap/bookworm"]],
  check: ["usr/bin/mmdebstrap"],
};

/** What making a toolchain image needs. */
export interface BootstrapContext {
  readonly blobs: OciLayout;
  readonly mirror: Mirror;
  readonly temporaryFolder: string;
  readonly unpack: (set: ToolSet) => Promise<UnpackedTools>;
  readonly emit: Emit;
  readonly signal?: AbortSignal;
}

/** The parts of a lock from which the image is made. */
export type BootstrapInput = Pick<ToolchainLock, "suite" | "epoch" | "architecture" | "foreign" | "packages">;

/**
 * Makes a toolchain image from a lock in the store: fetches the packages, bootstraps
 * them with mmdebstrap, and wraps the root file system as an image of one uncompressed
 * layer. The same lock gives the same digest. Needs root.
 */
export async function bootstrapToolchain(lock: BootstrapInput, context: BootstrapContext): Promise<Descriptor> {
  if (process.getuid?.() !== 0) {
    throw infrastructureError(
      "making a toolchain from a package list needs root, for chroot and the owners of its files",
      {
        hint: "run this as root, or give the toolchain as a pinned image (image: HOST/NAME@sha256:...)",
      },
    );
  }
  await fetchPackages(lock, context);
  context.emit({ type: "stage-progress", stage: "toolchain", doing: "preparing the packages" });
  const archive = join(context.temporaryFolder, "archive");
  await writeLocalArchive(archive, lock.suite, lock.packages, context.blobs, context.signal);
  const tar = join(context.temporaryFolder, "root.tar");
  await runMmdebstrap(lock, archive, tar, context);
  context.emit({ type: "stage-progress", stage: "toolchain", doing: "writing the image" });
  const layer = await context.blobs.writeStream(tarEntries(cleanRoot(tar, lock.epoch)));
  return writeImage(lock, layer, context.blobs);
}

async function fetchPackages(lock: BootstrapInput, context: BootstrapContext): Promise<void> {
  const limit = pLimit(6);
  let fetched = 0;
  const total = lock.packages.length;
  await Promise.all(
    lock.packages.map((file) =>
      limit(async () => {
        await context.mirror.fetchFile(file, context.signal);
        fetched += 1;
        context.emit({
          type: "stage-progress",
          stage: "toolchain",
          doing: `fetching packages: ${file.name}`,
          current: fetched,
          total,
        });
      }),
    ),
  );
}

async function runMmdebstrap(
  lock: BootstrapInput,
  archive: string,
  tar: string,
  context: BootstrapContext,
): Promise<void> {
  const tools = await context.unpack(bootstrapTools);
  const include = lock.packages.map((file) =>
    file.architecture === "all" ? file.name : `${file.name}:${file.architecture}`,
  );
  const result = await run({
    file: "/usr/bin/unshare",
    args: [
      // a process namespace ends everything inside with mmdebstrap, a mount namespace takes its mounts along
      ...["--mount", "--pid", "--fork", "--kill-child", "--mount-proc", "--"],
      ...["perl", join(tools.root, "usr/bin/mmdebstrap"), "--mode=root", "--variant=essential", "--format=tar"],
      `--architectures=${[lock.architecture, ...lock.foreign].join(",")}`,
      ...(lock.foreign.length > 0 ? ["--skip=check/qemu"] : []),
      `--include=${include.join(",")}`,
      ...[lock.suite, tar, `deb [trusted=yes] copy:${archive} ./`],
    ],
    env: {
      SOURCE_DATE_EPOCH: String(lock.epoch),
      TMPDIR: context.temporaryFolder,
      LC_ALL: "C.UTF-8",
      APT_CONFIG: undefined,
      DEBIAN_FRONTEND: "noninteractive",
      PATH: "/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin",
    },
    timeoutSeconds: 3600,
    onStderrLine(line) {
      const doing = line.replace(/^I: /, "").trim().slice(0, 200);
      if (doing !== "") context.emit({ type: "stage-progress", stage: "toolchain", doing });
    },
    ...(context.signal && { signal: context.signal }),
  });
  if (result.exitCode === 0) return;
  throw infrastructureError(`mmdebstrap could not make the toolchain from its lock:\n${lastLines(result.stderr, 15)}`);
}

/** The bootstrapped files that belong in the image, at most as young as the lock. */
async function* cleanRoot(tar: string, epoch: number): AsyncGenerator<TarInput> {
  for await (const entry of readTar(createReadStream(tar, { highWaterMark: 1024 * 1024 }))) {
    const path = entry.path.replace(/^\.\//, "").replace(/\/$/, "");
    if (path === "" || path === "." || !belongsInToolchain(path)) continue;
    if (entry.type !== "file" && entry.type !== "directory" && entry.type !== "symlink" && entry.type !== "hardlink")
      continue;
    const mtime = Math.min(Math.trunc(Number(entry.mtime)), epoch);
    const common = {
      path,
      mode: entry.mode & 0o7777,
      uid: Number(entry.uid),
      gid: Number(entry.gid),
      mtime,
      xattrs: entry.xattrs,
    };
    if (entry.type === "file") yield { ...common, type: "file", size: entry.size, content: entry.content };
    else if (entry.type === "hardlink")
      yield { ...common, type: "hardlink", linkName: entry.linkName.replace(/^\.\//, "") };
    else if (entry.type === "symlink") yield { ...common, type: "symlink", linkName: entry.linkName };
    else yield { ...common, type: "directory" };
  }
}

async function writeImage(
  lock: BootstrapInput,
  layer: { readonly digest: Descriptor["digest"]; readonly size: number },
  blobs: OciLayout,
): Promise<Descriptor> {
  const platform = parsePlatform(platformOfDebianArchitecture(lock.architecture));
  const created = configTime(lock.epoch);
  const config = await blobs.writeBytes(
    JSON.stringify({
      created,
      architecture: platform.architecture,
      ...(platform.variant !== undefined && { variant: platform.variant }),
      os: platform.os,
      config: { Env: ["PATH=/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin"] },
      rootfs: {
        type: "layers",
        diff_ids: [layer.digest],
      },
      history: [
        {
          created,
          created_by: `refoundry: ${lock.packages.length} Debian packages of ${lock.suite}`,
        },
      ],
    }),
    mediaTypes.config,
  );
  const manifest = {
    schemaVersion: 2,
    mediaType: mediaTypes.manifest,
    config,
    layers: [{ mediaType: mediaTypes.layer, ...layer }],
  };
  return blobs.writeBytes(JSON.stringify(manifest), mediaTypes.manifest);
}
