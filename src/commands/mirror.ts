import { mkdir, stat, writeFile } from "node:fs/promises";
import { dirname, join, resolve } from "node:path";
import { usageError } from "../errors.ts";
import { mountSource } from "../mirror/copy-tree.ts";
import { type MappingFormat, mappingFormats, renderMapping } from "../mirror/mapping.ts";
import { type MirrorEntry, type MirrorFile, readMirrorFile, sourceOf } from "../mirror/mirror-file.ts";
import { type MirrorContext, type MirroredTag, observationsOf, openMirroring } from "../mirror/mirror-images.ts";
import { lockPathOf, readMirrorLock, updateMirrorLock } from "../mirror/mirror-lock.ts";
import { mappedImages, mirrorDocument, mirrorExitCode, renderMirrorTable } from "../mirror/mirror-report.ts";
import { openLayoutRepository } from "../oci/layout-repository.ts";
import { formatReference, parseReference, type RegistryReference } from "../oci/reference.ts";
import { createRegistryClient, type RegistryClient } from "../oci/registry/client.ts";
import { displayPath } from "../recipe/document.ts";
import { findRoot } from "../recipe/load.ts";
import { createRenderer } from "../report/progress.ts";
import { type Emit, runStage } from "../events.ts";
import { type CliContext, type CommonFlags, runCommand } from "./context.ts";

/** Flags of `refoundry mirror`. */
export interface MirrorFlags extends CommonFlags {
  /** `HOST/PREFIX` of a registry, or `oci:FOLDER`, where each image becomes a layout. */
  readonly to: string;
  /** Whether it is only said what would be done. */
  readonly dryRun?: boolean;
  /** `FORMAT:FILE`, how and where it is written what is where now; of hosts.toml, a folder. */
  readonly mapping?: readonly string[];
}

interface WantedMapping {
  readonly format: MappingFormat;
  readonly path: string;
}

/** `refoundry mirror [FILE]`: copies the images of a mirror file (default: `recipes/mirror.yaml`). */
export function mirror(this: CliContext, flags: MirrorFlags, file?: string): Promise<void> {
  return runCommand(this, flags, async () => {
    const mappings = (flags.mapping ?? []).map((text) => readMappingFlag(text, this.cwd));
    const path =
      file === undefined ? join(await findRoot(this.cwd), "recipes", "mirror.yaml") : resolve(this.cwd, file);
    const mirrorFile = await readMirrorFile(path);
    const lockPath = lockPathOf(path);
    const lock = await readMirrorLock(lockPath);
    const client = createRegistryClient({ env: this.process.env });
    const { stderr } = this.process;
    const renderer = createRenderer({ stream: stderr, kind: stderr.isTTY ? "live" : "plain" });
    const { emit } = renderer;
    try {
      const destination = openDestinations(flags.to, this.cwd, client);
      // what cannot be written is said before hours of copying
      for (const { format } of mappings) renderMapping(format, possibleImages(mirrorFile, destination.nameOf));
      const source: MirrorContext["source"] = (entry) => client.repository(sourceOf(entry));
      const mirroring = openMirroring(mirrorFile, { ...destination, source, emit, signal: this.signal });
      const plan = await runStage(emit, { stage: "upstream", title: "ask the registries" }, async () => {
        const value = await mirroring.plan(lock);
        return { value, detail: `${value.length} tags` };
      });
      const dryRun = flags.dryRun === true;
      // before anything is copied: what was seen was seen, whatever comes of the copying
      const changed = !dryRun && (await updateMirrorLock(lockPath, observationsOf(plan), { signal: this.signal }));
      const results: readonly MirroredTag[] = dryRun
        ? plan
        : await runStage(emit, { stage: "publish", title: `mirror to ${flags.to}` }, async () => {
            const value = await mirroring.run(plan);
            const failed = value.filter(({ action }) => action === "failed").length;
            return { value, detail: `${value.length - failed} of ${value.length} tags` };
          });
      if (!dryRun) for (const wanted of mappings) await writeMapping(wanted, results, emit);
      const document = mirrorDocument(results, {
        destination: flags.to,
        dryRun,
        lock: { path: displayPath(lockPath), changed },
      });
      return { text: renderMirrorTable(document), document, exitCode: mirrorExitCode(document) };
    } finally {
      renderer.close();
      await client.close();
    }
  });
}

function openDestinations(
  to: string,
  cwd: string,
  client: RegistryClient,
): Pick<MirrorContext, "nameOf" | "present" | "destination"> {
  const wrong = (): Error =>
    usageError(`--to takes HOST/PREFIX or oci:FOLDER, without a tag or digest, and got ${to}`, {
      hint: "the mirror file says under which name each image goes below it",
    });
  const base = parseReference(to);
  if ((base.kind !== "registry" && base.kind !== "oci") || base.tag !== undefined || base.digest !== undefined)
    throw wrong();
  if (base.kind === "oci") {
    const pathOf = (entry: MirrorEntry): string => join(resolve(cwd, base.path), entry.to);
    return {
      nameOf: (entry) => `oci:${base.path}/${entry.to}`,
      // opening one makes it, which a dry run must not
      present: async (entry) =>
        (await isFile(join(pathOf(entry), "oci-layout"))) ? openLayoutRepository(pathOf(entry)) : undefined,
      destination: async (entry) => ({ repository: await openLayoutRepository(pathOf(entry)) }),
    };
  }
  // a bare word is Docker Hub's for docker, and a mistake here
  if (!to.replace("docker://", "").startsWith(`${base.host}/`)) throw wrong();
  const nameOf = (entry: MirrorEntry): string => `${formatReference(base)}/${entry.to}`;
  const targetOf = (entry: MirrorEntry): RegistryReference => ({
    kind: "registry",
    host: base.host,
    repository: `${base.repository}/${entry.to}`,
  });
  return {
    nameOf,
    present: async (entry) => client.repository(targetOf(entry)),
    destination: async (entry) => ({
      repository: client.repository(targetOf(entry)),
      ...mountSource(sourceOf(entry), targetOf(entry)),
    }),
  };
}

async function isFile(path: string): Promise<boolean> {
  return (await stat(path).catch(() => undefined))?.isFile() === true;
}

function readMappingFlag(text: string, cwd: string): WantedMapping {
  const colon = text.indexOf(":");
  const format = mappingFormats.find((known) => known === text.slice(0, colon));
  if (format === undefined || text.length === colon + 1)
    throw usageError(`--mapping takes FORMAT:FILE, and got ${text}`, {
      hint: `formats are ${mappingFormats.join(", ")}; of hosts.toml, name the folder (certs.d)`,
    });
  return { format, path: resolve(cwd, text.slice(colon + 1)) };
}

function possibleImages(file: MirrorFile, nameOf: (entry: MirrorEntry) => string) {
  return file.mirrors.map((entry) => {
    const { host, repository } = sourceOf(entry);
    return { from: `${host}/${repository}`, to: nameOf(entry), tags: entry.tags };
  });
}

async function writeMapping(wanted: WantedMapping, results: readonly MirroredTag[], emit: Emit): Promise<void> {
  const { files, notices } = renderMapping(wanted.format, mappedImages(results));
  for (const message of notices) emit({ type: "notice", severity: "warning", message });
  for (const { path, text } of files) {
    const full = join(wanted.path, path);
    await mkdir(dirname(full), { recursive: true });
    await writeFile(full, text);
  }
}
