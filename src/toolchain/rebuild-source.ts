import { createReadStream } from "node:fs";
import { copyFile, mkdir, readdir } from "node:fs/promises";
import { join } from "node:path";
import type { PinnedFile } from "../debian/mirror.ts";
import { infrastructureError, usageError } from "../errors.ts";
import type { Emit } from "../events.ts";
import { createDigester, hexOf } from "../oci/digest.ts";
import type { OciLayout } from "../oci/layout.ts";
import { readManifest } from "../oci/manifest.ts";
import type { Descriptor } from "../oci/types.ts";
import { lastLines, run, runChecked } from "../process/run.ts";
import type { ToolchainLock } from "../recipe/schema.ts";

/** What building a source package in a toolchain needs; all of it is in the store. */
export interface SourceRebuild {
  readonly lock: Pick<ToolchainLock, "packages">;
  /** Of the toolchain; made by us, of uncompressed layers. */
  readonly image: Descriptor;
  /** The .dsc and all that it lists. */
  readonly files: readonly PinnedFile[];
  readonly blobs: OciLayout;
  readonly temporaryFolder: string;
  /** Where what came out is copied; there is such a folder. */
  readonly out?: string;
  readonly emit: Emit;
  readonly signal?: AbortSignal;
}

/** A package that came out, beside the one of that name in the lock. */
export interface RebuiltPackage {
  /** As in `hostname_3.25_amd64.deb`. */
  readonly file: string;
  readonly sha256: string;
  /** What the lock says; absent where the toolchain has no such package. */
  readonly locked?: string;
}

/** Where Debian's own reproducible builds are made, and what paths in a package are therefore below. */
const buildFolder = "build/reproducible-path";

/** `$1` is the root, `$2` the .dsc; everything mounted goes with the namespace. */
const outside = `set -e
mount -t proc proc "$1/proc"
mount --bind /dev "$1/dev"
exec chroot "$1" /bin/sh -ec "$3" sh "$2"`;
const inside = `cd /${buildFolder}
dpkg-source --no-check --extract "$1"
cd "$(find . -mindepth 1 -maxdepth 1 -type d)"
exec dpkg-buildpackage --build=binary --no-check-builddeps --unsigned-source --unsigned-changes`;

/**
 * Builds a source package in its toolchain, without a network, and gives the digests of what
 * came out beside those of the lock. Needs root, for chroot. Throws an infrastructure error
 * with the last lines of the log where it does not build: what it needs to be built may not
 * be in the toolchain.
 */
export async function rebuildSource(request: SourceRebuild): Promise<RebuiltPackage[]> {
  if (process.getuid?.() !== 0)
    throw infrastructureError("building a package in its toolchain needs root, for chroot", {
      hint: "run this as root",
    });
  const { blobs, files, lock, signal, emit } = request;
  const root = join(request.temporaryFolder, "root");
  emit({ type: "stage-progress", stage: "toolchain", doing: "unpacking the toolchain" });
  await unpackImage(request, root);
  const folder = join(root, buildFolder);
  await mkdir(folder, { recursive: true });
  for (const { path, sha256 } of files) await copyFile(blobs.blobPath(`sha256:${sha256}`), join(folder, nameOf(path)));
  const dsc = files.map(({ path }) => nameOf(path)).find((name) => name.endsWith(".dsc"));
  if (dsc === undefined) throw usageError("no .dsc is pinned for this source package");
  const result = await run({
    file: "/usr/bin/unshare",
    args: [
      ...["--net", "--mount", "--pid", "--fork", "--kill-child", "--"],
      ...["/bin/sh", "-c", outside, "sh", root, dsc, inside],
    ],
    env: {
      PATH: "/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin",
      HOME: "/nonexistent",
      LC_ALL: "C.UTF-8",
      TZ: "UTC",
      DEB_BUILD_OPTIONS: "nocheck",
      SOURCE_DATE_EPOCH: undefined,
      TMPDIR: undefined,
    },
    timeoutSeconds: 3600,
    onStdoutLine: (line) => emit({ type: "stage-progress", stage: "toolchain", doing: line.trim().slice(0, 200) }),
    ...(signal && { signal }),
  });
  if (result.exitCode !== 0)
    throw infrastructureError(`${dsc} does not build in its toolchain:\n${lastLines(result.stderr, 15)}`, {
      hint: "what it needs to be built has to be among the toolchain's packages",
    });
  const locked = new Map(lock.packages.map(({ path, sha256 }) => [nameOf(decodeURIComponent(path)), sha256]));
  const made = (await readdir(folder)).filter((name) => name.endsWith(".deb")).toSorted();
  return Promise.all(
    made.map(async (file): Promise<RebuiltPackage> => {
      const digester = createDigester();
      for await (const chunk of createReadStream(join(folder, file))) digester.update(chunk as Buffer);
      const pin = locked.get(file);
      if (request.out !== undefined) await copyFile(join(folder, file), join(request.out, file));
      return { file, sha256: hexOf(digester.digest()), ...(pin !== undefined && { locked: pin }) };
    }),
  );
}

async function unpackImage({ image, blobs, signal }: SourceRebuild, root: string): Promise<void> {
  await mkdir(root, { recursive: true });
  for (const { digest } of (await readManifest(blobs, image, signal)).layers)
    await runChecked(
      {
        file: "tar",
        args: [
          "--extract",
          "--numeric-owner",
          "--preserve-permissions",
          "--file",
          blobs.blobPath(digest),
          "--directory",
          root,
        ],
        ...(signal && { signal }),
      },
      "unpacking the toolchain",
    );
}

function nameOf(path: string): string {
  return path.split("/").at(-1) ?? path;
}
