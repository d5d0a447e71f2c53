import { createHash } from "node:crypto";
import { copyFile, link, mkdir, writeFile } from "node:fs/promises";
import { join } from "node:path";
import pLimit from "p-limit";
import type { OciLayout } from "../oci/layout.ts";
import { runChecked } from "../process/run.ts";
import type { ToolchainLock } from "../recipe/schema.ts";

type LockedPackage = ToolchainLock["packages"][number];

/**
 * Makes a package archive that has exactly the locked packages, so that apt has nothing
 * else to choose: a flat repository (sources.list(5)) with an unsigned Release file.
 * The packages were checked against the lock when they entered the store.
 */
export async function writeLocalArchive(
  folder: string,
  suite: string,
  packages: readonly LockedPackage[],
  blobs: OciLayout,
  signal?: AbortSignal,
): Promise<void> {
  await mkdir(folder, { recursive: true });
  const limit = pLimit(4);
  const stanzas = await Promise.all(packages.map((file) => limit(() => addPackage(folder, file, blobs, signal))));
  const index = stanzas.join("\n");
  await writeFile(join(folder, "Packages"), index);
  const sha256 = createHash("sha256").update(index).digest("hex");
  const release = [
    `Suite: ${suite}`,
    `Codename: ${suite}`,
    "Date: Thu, 01 Jan 1970 00:00:00 UTC",
    "SHA256:",
    ` ${sha256} ${Buffer.byteLength(index)} Packages`,
    "",
  ];
  await writeFile(join(folder, "Release"), release.join("\n"));
}

async function addPackage(
  folder: string,
  file: LockedPackage,
  blobs: OciLayout,
  signal?: AbortSignal,
): Promise<string> {
  const blob = blobs.blobPath(`sha256:${file.sha256}`);
  const name = `${file.name}_${file.architecture}.deb`;
  // a link saves the copy where both are on one file system
  await link(blob, join(folder, name)).catch(() => copyFile(blob, join(folder, name)));
  const control = await runChecked(
    { file: "dpkg-deb", args: ["--field", blob], ...(signal && { signal }) },
    `reading the control file of ${file.name}`,
  );
  return `${control.stdout.trimEnd()}\nFilename: ./${name}\nSize: ${file.size}\nSHA256: ${file.sha256}\n`;
}
