import { join } from "node:path";
import { createPrivateApt } from "../../src/debian/apt.ts";
import { findMachineMirror } from "../../src/debian/machine-mirror.ts";
import { openMirror } from "../../src/debian/mirror.ts";
import { openPackageData } from "../../src/debian/package-file.ts";
import { ensureLayout } from "../../src/oci/layout.ts";
import { readTar } from "../../src/oci/tar/read.ts";
import type { TarInput } from "../../src/oci/tar/write.ts";
import { readSettings } from "../../src/settings.ts";
import { temporaryFolder } from "./temporary.ts";

/** The files of packages of a suite, as their archives have them, for an image's layer. */
export async function filesOfPackages(suite: string, packages: readonly string[]): Promise<TarInput[]> {
  const settings = readSettings(process.env);
  const blobs = await ensureLayout(join(settings.cache, "test-tools", "store"));
  const mirror = openMirror(blobs, async () => settings.debianMirror ?? (await findMachineMirror()));
  try {
    const apt = await createPrivateApt({
      folder: await temporaryFolder(),
      mirrorRoot: await mirror.rootUrl(),
      suites: [suite],
      architectures: ["amd64"],
    });
    await apt.update();
    const found = new Map<string, TarInput>();
    for (const file of await apt.resolveDownload([...packages])) {
      const { digest } = await mirror.fetchFile(file);
      const data = openPackageData(blobs.openBlob({ mediaType: "", digest, size: file.size }));
      for await (const entry of readTar(data)) {
        const path = entry.path.replace(/^\.\//, "").replace(/\/$/, "");
        const common = {
          path,
          mode: entry.mode & 0o7777,
          uid: Number(entry.uid),
          gid: Number(entry.gid),
          mtime: Math.trunc(Number(entry.mtime)),
        };
        if (path === "") continue;
        if (entry.type === "directory") found.set(path, { ...common, type: "directory" });
        else if (entry.type === "symlink") found.set(path, { ...common, type: "symlink", linkName: entry.linkName });
        else if (entry.type === "file") {
          const content = Buffer.concat(await Array.fromAsync(entry.content));
          found.set(path, { ...common, type: "file", size: content.length, content });
        }
      }
    }
    return [...found.values()].toSorted((a, b) => (a.path < b.path ? -1 : 1));
  } finally {
    await mirror.close();
  }
}
