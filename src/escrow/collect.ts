import { readdir, rm, stat } from "node:fs/promises";
import { join } from "node:path";
import { infrastructureError } from "../errors.ts";
import { isIndex } from "../oci/copy-image.ts";
import { type Digest, hexOf, isDigest } from "../oci/digest.ts";
import { openLayout, type OciLayout } from "../oci/layout.ts";
import { readIndex, readManifest } from "../oci/manifest.ts";
import { subjectOf } from "../oci/referrers.ts";
import { type Descriptor, maxDocumentBytes } from "../oci/types.ts";
import { withLock } from "../process/lock.ts";
import { artifactTypes } from "./types.ts";

/** What of an escrow no release reaches. */
export interface Garbage {
  /** Tags of capsules of releases that git has no more. */
  readonly tags: readonly string[];
  readonly blobs: number;
  /** Bytes of these blobs. */
  readonly bytes: number;
}

const refName = "org.opencontainers.image.ref.name";
const mostDepth = 8;

/**
 * Finds, and with `remove` removes, what an escrow in a layout holds beyond the tags to
 * keep: capsules of other tags, and every blob that nothing that is kept leads to. Tags
 * that are no capsules are kept, and so is what was written or asked for less than
 * `graceSeconds` ago: a run beside this one may be about to name it. Throws an
 * infrastructure error, and removes nothing, where something that is kept cannot be read.
 */
export async function collectGarbage(
  path: string,
  keep: ReadonlySet<string>,
  options: {
    readonly graceSeconds: number;
    readonly now: number;
    readonly remove: boolean;
    readonly signal?: AbortSignal;
  },
): Promise<Garbage> {
  const layout = await openLayout(path);
  const { signal, remove } = options;
  // the same lock under which tags are written: what is named now stays named
  return withLock(
    join(layout.path, "ingest", "index.lock"),
    async () => {
      const index = await layout.readIndex();
      const tagged = index.manifests.filter(({ annotations }) => annotations?.[refName] !== undefined);
      const dropped = new Set<Descriptor>();
      for (const entry of tagged)
        if (!keep.has(entry.annotations?.[refName] ?? "") && (await isCapsule(layout, entry, signal)))
          dropped.add(entry);
      const kept = tagged.filter((entry) => !dropped.has(entry));
      const reached = await reach(layout, kept, signal);
      const referrers = index.manifests.filter((entry) => !tagged.includes(entry));
      const staying: Descriptor[] = [];
      for (const entry of referrers) {
        const subject = await subjectAt(layout, entry, signal);
        // what is no referrer is somebody's who did not tag it
        if (subject !== undefined && !reached.has(subject)) continue;
        staying.push(entry);
        for (const digest of await reach(layout, [entry], signal)) reached.add(digest);
      }
      if (remove && kept.length + staying.length < index.manifests.length)
        await layout.writeIndex({
          ...index,
          manifests: index.manifests.filter((entry) => kept.includes(entry) || staying.includes(entry)),
        });
      const blobs = await sweep(layout, reached, options);
      const tags = [...dropped].map(({ annotations }) => annotations?.[refName] ?? "").toSorted();
      return { tags, ...blobs };
    },
    signal ? { signal } : {},
  );
}

async function isCapsule(layout: OciLayout, entry: Descriptor, signal?: AbortSignal): Promise<boolean> {
  if (!isIndex(entry)) return false;
  const document = JSON.parse(Buffer.from(await layout.readDocument(entry, signal)).toString("utf8")) as {
    readonly artifactType?: unknown;
  };
  return document.artifactType === artifactTypes.capsule;
}

async function subjectAt(layout: OciLayout, entry: Descriptor, signal?: AbortSignal): Promise<Digest | undefined> {
  if (!(entry.size <= maxDocumentBytes) || !(await layout.has(entry))) return undefined;
  return subjectOf(await layout.readDocument(entry, signal))?.digest;
}

/** Every digest that some entries lead to. */
async function reach(layout: OciLayout, entries: readonly Descriptor[], signal?: AbortSignal): Promise<Set<Digest>> {
  const reached = new Set<Digest>();
  const visit = async (descriptor: Descriptor, depth: number): Promise<void> => {
    if (reached.has(descriptor.digest)) return;
    reached.add(descriptor.digest);
    if (depth > mostDepth) throw infrastructureError(`${layout.name} has indexes in indexes, ${mostDepth} deep`);
    if (isIndex(descriptor)) {
      for (const child of (await readIndex(layout, descriptor, signal)).manifests) await visit(child, depth + 1);
      return;
    }
    const { config, layers } = await readManifest(layout, descriptor, signal);
    for (const blob of [config, ...layers]) reached.add(blob.digest);
  };
  for (const entry of entries) await visit(entry, 0);
  return reached;
}

async function sweep(
  layout: OciLayout,
  reached: ReadonlySet<Digest>,
  { graceSeconds, now, remove }: { readonly graceSeconds: number; readonly now: number; readonly remove: boolean },
): Promise<Pick<Garbage, "blobs" | "bytes">> {
  let blobs = 0;
  let bytes = 0;
  for (const name of await readdir(join(layout.path, "blobs", "sha256"))) {
    const digest = `sha256:${name}`;
    if (!isDigest(digest) || reached.has(digest)) continue;
    const path = join(layout.path, "blobs", "sha256", hexOf(digest));
    const { mtimeMs, size } = await stat(path);
    if (now - mtimeMs < graceSeconds * 1000) continue;
    blobs += 1;
    bytes += size;
    if (remove) await rm(path, { force: true });
  }
  return { blobs, bytes };
}
