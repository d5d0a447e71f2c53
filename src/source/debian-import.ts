import { writeFile } from "node:fs/promises";
import { decompress } from "../debian/decompress.ts";
import type { Mirror, PinnedFile } from "../debian/mirror.ts";
import { infrastructureError, mismatch, usageError } from "../errors.ts";
import type { Emit } from "../events.ts";
import { type CommitFile, openBareRepository } from "../git/repository.ts";
import type { OciLayout } from "../oci/layout.ts";
import type { Descriptor } from "../oci/types.ts";
import { changelogDate } from "./changelog.ts";
import { parseSourceControl, type SourceControl } from "./dsc.ts";
import { collectTree, type SourceTree } from "./source-tree.ts";

/** What importing a Debian source package needs. */
export interface DebianImport {
  readonly package: string;
  readonly version: string;
  /** The .dsc and every file that it lists. */
  readonly files: readonly PinnedFile[];
  readonly repositoryPath: string;
  readonly blobs: OciLayout;
  readonly mirror: Mirror;
  readonly temporaryFolder: string;
  readonly emit: Emit;
  readonly signal?: AbortSignal;
}

const author = "refoundry import <import@refoundry.invalid>";
const sourceFile = "application/vnd.debian.source-file";

/**
 * Imports a Debian source package into a repository as one commit: the upstream tree
 * with the packaging beside it, patches not applied (dpkg-source does that when it
 * builds). Author, date and message follow from the package alone, so whoever imports
 * the same package gets the same commit id. Empty folders are left out, as git has none.
 */
export async function importDebianSource(
  request: DebianImport,
): Promise<{ readonly commit: string; readonly tree: string; readonly epoch: number }> {
  for (const file of request.files) {
    request.emit({ type: "stage-progress", stage: "source", doing: `fetching ${nameOf(file)}` });
    await request.mirror.fetchFile(file, request.signal);
  }
  const control = await readControl(request);
  request.emit({ type: "stage-progress", stage: "source", doing: "importing" });
  const tree = await unpack(control, request);
  const epoch = changelogDate(await tree.readText("debian/changelog"));
  const names = request.files.map((file) => `${file.sha256}  ${nameOf(file)}`).toSorted();
  const repository = await openBareRepository(request.repositoryPath, request.signal);
  const commit = await repository.writeCommit({
    files: await writeContents(tree, request.temporaryFolder),
    author,
    date: epoch,
    message: `Import ${control.name} ${control.version} from its Debian source package\n\n${names.join("\n")}\n`,
    branch: `debian/${control.version.replaceAll(/[^A-Za-z0-9.+-]/g, "_")}`,
  });
  return { commit, tree: await repository.treeOf(commit), epoch };
}

async function readControl(request: DebianImport): Promise<SourceControl> {
  const dsc = request.files.find((file) => file.path.endsWith(".dsc"));
  if (!dsc) throw usageError(`no .dsc is pinned for ${request.package} ${request.version}`);
  const bytes = await request.blobs.readDocument(descriptorOf(dsc), request.signal);
  const control = parseSourceControl(Buffer.from(bytes).toString("utf8"), nameOf(dsc));
  if (control.name !== request.package)
    throw mismatch(`${nameOf(dsc)} is the source of ${control.name}, not of ${request.package}`);
  const pinned = new Map(request.files.map((file) => [nameOf(file), file]));
  for (const [name, { sha256, size }] of control.files) {
    const pin = pinned.get(name);
    if (!pin) throw mismatch(`${nameOf(dsc)} lists ${name}, which is not pinned`);
    if (pin.sha256 !== sha256 || pin.size !== size)
      throw mismatch(`${name} is pinned with sha256 ${pin.sha256}, and ${nameOf(dsc)} lists ${sha256}`);
  }
  return control;
}

/** Unpacks the archives that the format names, in the order in which dpkg-source does. */
async function unpack(control: SourceControl, request: DebianImport): Promise<SourceTree> {
  const upstream = control.version.replace(/^\d+:/, "").replace(/-[^-]*$/, "");
  const native = control.format === "3.0 (native)" || (control.format === "1.0" && !control.version.includes("-"));
  if (!native && control.format !== "3.0 (quilt)") {
    throw usageError(
      `${control.name} ${control.version} has source format ${control.format}, which cannot be imported`,
      { hint: "3.0 (quilt) and native packages can" },
    );
  }
  const tree = collectTree();
  for (const file of request.files.filter((candidate) => /\.tar\.[a-z0-9]+$/.test(candidate.path))) {
    const name = nameOf(file);
    const component = new RegExp(`^${escape(`${control.name}_${upstream}`)}\\.orig-([A-Za-z0-9-]+)\\.tar\\.`).exec(
      name,
    )?.[1];
    if (component !== undefined || name.includes(".debian.tar.") || name.endsWith(".asc")) continue;
    await addArchive(tree, file, "", request);
  }
  for (const file of request.files) {
    const component = /\.orig-([A-Za-z0-9-]+)\.tar\.[a-z0-9]+$/.exec(nameOf(file))?.[1];
    if (component !== undefined) await addArchive(tree, file, `${component}/`, request);
  }
  const packaging = request.files.find((file) => /\.debian\.tar\.[a-z0-9]+$/.test(file.path));
  if (packaging) {
    tree.remove("debian/");
    await addArchive(tree, packaging, undefined, request);
  }
  return tree;
}

/** `under` is where the archive's single top folder goes; the packaging has no such folder. */
async function addArchive(
  tree: SourceTree,
  file: PinnedFile,
  under: string | undefined,
  request: DebianImport,
): Promise<void> {
  const blob = request.blobs.openBlob(descriptorOf(file), request.signal);
  try {
    await tree.add(decompress(nameOf(file), blob), under);
  } catch (cause) {
    if (cause instanceof Error && "kind" in cause) throw cause;
    throw infrastructureError(`${nameOf(file)} cannot be unpacked: ${String(cause)}`, { cause });
  }
}

/** Contents go to files named by number: nothing is written under a name that an archive chose. */
async function writeContents(tree: SourceTree, folder: string): Promise<CommitFile[]> {
  const files: CommitFile[] = [];
  for (const [path, entry] of tree.entries()) {
    const contentPath = `${folder}/${files.length}`;
    await writeFile(contentPath, entry.content);
    files.push({ path, mode: entry.mode, contentPath });
  }
  return files;
}

function descriptorOf(file: PinnedFile): Descriptor {
  return { mediaType: sourceFile, digest: `sha256:${file.sha256}`, size: file.size };
}

function nameOf(file: PinnedFile): string {
  return file.path.split("/").at(-1) ?? file.path;
}

function escape(text: string): string {
  return text.replaceAll(/[.*+?^${}()|[\]\\]/g, "\\$&");
}
