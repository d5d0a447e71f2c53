import { createHash } from "node:crypto";
import { createReadStream } from "node:fs";
import { lstat, mkdir, readdir, readFile, readlink, rm } from "node:fs/promises";
import { join } from "node:path";
import { execa } from "execa";
import { afterAll, beforeAll, expect, test } from "vitest";
import { createAttributeTable } from "../../src/compare/entry.ts";
import { flattenLayers, visitTree } from "../../src/compare/flatten.ts";
import { readLayerEntries } from "../../src/compare/layer-entries.ts";
import type { OciLayout } from "../../src/oci/layout.ts";
import { readManifest } from "../../src/oci/manifest.ts";
import { type TarEntry, readTar } from "../../src/oci/tar/read.ts";
import type { TarInput } from "../../src/oci/tar/write.ts";
import type { Descriptor } from "../../src/oci/types.ts";
import { filesOfPackages } from "../support/debian-files.ts";
import { file, folder, link, testLayout, writeImage } from "../support/images.ts";
import { startRegistry, type TestRegistry } from "../support/registry.ts";
import { temporaryFolder } from "../support/temporary.ts";
import { toolPath } from "../support/tools.ts";

let registry: TestRegistry;
beforeAll(async () => {
  registry = await startRegistry();
});
afterAll(() => registry.stop());

/** Real packages, and over them what layers can do to one another. */
async function makeLayers(): Promise<TarInput[][]> {
  const packages = await filesOfPackages("trixie", ["tini", "netbase", "hostname", "python3-six"]);
  return [
    packages,
    [folder("opt"), file("opt/a", "1"), file("opt/b", "2"), folder("opt/d"), file("opt/d/x"), file("opt/d/y")],
    [
      link("opt/hard", "opt/a", "hardlink"),
      file("opt/.wh.b", ""),
      link("to-opt", "opt"),
      { ...file("opt/setuid"), mode: 0o4755 },
    ],
    [file("etc/.wh.services", "")],
    [
      { ...file("opt/owned"), uid: 1234, gid: 70_000 },
      folder("srv", { mode: 0o1777 }),
      file(`srv/${"long-".repeat(30)}name`),
    ],
  ];
}

/** crane does not know opaque markers: they are for GNU tar alone. */
const opaque: readonly TarInput[] = [folder("opt/d"), file("opt/d/.wh..wh..opq", ""), file("opt/d/new")];

/** One line for each path: type, mode, owner, link target, content. */
async function ourTree(
  layers: readonly (readonly TarInput[])[],
): Promise<{ readonly lines: string[]; readonly layout: OciLayout; readonly image: Descriptor }> {
  const layout = await testLayout();
  const image = await writeImage(layout, { layers, compression: "gzip" });
  await layout.writeIndex({
    schemaVersion: 2,
    manifests: [{ ...image, annotations: { "org.opencontainers.image.ref.name": "t" } }],
  });
  const table = createAttributeTable();
  const { layers: blobs } = await readManifest(layout, image);
  const entries = [];
  for (const blob of blobs) entries.push((await readLayerEntries(layout, blob, table)).entries);
  const lines: string[] = [];
  visitTree(flattenLayers(entries, table).root, (path, { facts, links }) => {
    const { type, mode, uid, gid } = facts.attributes;
    const names = (links?.count ?? 1) > 1 ? ` one of ${links?.count}` : "";
    const content = Buffer.from(facts.content, "latin1").toString("hex");
    if (path !== "")
      lines.push(`${path} ${type} ${mode.toString(8)} ${uid}:${gid} ${facts.linkName}${content}${names}`);
  });
  return { lines: lines.toSorted(), layout, image };
}

test("the flattened tree is the one that crane exports", async () => {
  const { lines, layout } = await ourTree(await makeLayers());
  const name = `${registry.host}/tree/image:t`;
  await execa(toolPath("skopeo"), [
    "--insecure-policy",
    "copy",
    "--dest-tls-verify=false",
    `oci:${layout.path}:t`,
    `docker://${name}`,
  ]);
  const exported = join(await temporaryFolder(), "tree.tar");
  await execa(toolPath("crane"), ["export", "--insecure", name, exported]);
  const found = new Map<string, { readonly entry: TarEntry; readonly content: string }>();
  for await (const entry of readTar(createReadStream(exported))) {
    const hash = createHash("sha256");
    for await (const piece of entry.content) hash.update(piece);
    found.set(entry.path.replace(/\/$/, ""), { entry, content: entry.type === "file" ? hash.digest("hex") : "" });
  }
  const theirs = [...found].map(([path, { entry, content }]) => {
    // crane writes the layers' hard links as they stand there
    const target = entry.type === "hardlink" ? found.get(entry.linkName) : undefined;
    const of = target?.entry ?? entry;
    const linkName = of.type === "symlink" ? of.linkName : "";
    return `${path} ${of.type} ${(of.mode & 0o7777).toString(8)} ${of.uid}:${of.gid} ${linkName}${target?.content ?? content}`;
  });
  expect(lines.map((line) => line.replace(/ one of \d+$/, ""))).toEqual(theirs.toSorted());
});

test("and the one that GNU tar unpacks, layer over layer, whiteouts removed first", async () => {
  const { lines, layout, image } = await ourTree([...(await makeLayers()), [...opaque]]);
  const root = join(await temporaryFolder(), "root");
  await mkdir(root);
  for (const { digest } of (await readManifest(layout, image)).layers) {
    const blob = layout.blobPath(digest);
    const { stdout } = await execa("tar", ["--list", "--gzip", "--file", blob]);
    for (const path of stdout.split("\n")) {
      const [, folderPath = "", name = ""] = /^(.*?)([^/]*)$/.exec(path) ?? [];
      if (name === ".wh..wh..opq")
        for (const child of await readdir(join(root, folderPath)))
          await rm(join(root, folderPath, child), { recursive: true });
      else if (name.startsWith(".wh."))
        await rm(join(root, folderPath, name.slice(4)), { recursive: true, force: true });
    }
    const how = ["--extract", "--gzip", "--numeric-owner", "--same-owner", "--preserve-permissions", "--exclude=.wh.*"];
    await execa("tar", [...how, "--file", blob, "--directory", root]);
  }
  const theirs: string[] = [];
  for (const entry of await readdir(root, { recursive: true, withFileTypes: true })) {
    const path = join(entry.parentPath, entry.name);
    const stat = await lstat(path);
    const type = stat.isDirectory() ? "directory" : stat.isSymbolicLink() ? "symlink" : "file";
    const linkName = type === "symlink" ? await readlink(path) : "";
    const content =
      type === "file"
        ? createHash("sha256")
            .update(await readFile(path))
            .digest("hex")
        : "";
    const names = type === "file" && stat.nlink > 1 ? ` one of ${stat.nlink}` : "";
    theirs.push(
      `${path.slice(root.length + 1)} ${type} ${(stat.mode & 0o7777).toString(8)} ${stat.uid}:${stat.gid} ${linkName}${content}${names}`,
    );
  }
  expect(lines).toEqual(theirs.toSorted());
});
