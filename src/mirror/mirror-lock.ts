import { basename, dirname, join } from "node:path";
import { Document, isMap, visit } from "yaml";
import { z } from "zod";
import { usageError } from "../errors.ts";
import { type Digest, isDigest } from "../oci/digest.ts";
import { displayPath, documentOf, maxFileBytes, parseDocument, readTextFile } from "../recipe/document.ts";
import { compareVersions } from "../recipe/version.ts";
import { byCodeUnit } from "../recipe/words.ts";
import { withLock } from "../process/lock.ts";
import { isAbsent, replaceFile } from "../recipe/replace-file.ts";

const timeSchema = z
  .string()
  .regex(/^\d{4}-\d\d-\d\dT\d\d:\d\d:\d\dZ$/, "must be a time in UTC, as in 2027-06-30T12:00:00Z");
const digestSchema = z.custom<Digest>(
  (value) => typeof value === "string" && isDigest(value),
  "must be sha256: and 64 lower-case hex digits",
);

const sightingSchema = z.strictObject({
  digest: digestSchema,
  firstSeen: timeSchema,
  /** When it was found that the tag names something else or is gone; absent while it names this. */
  lastSeen: timeSchema.optional(),
});

/** `mirror.lock.yaml`, written by `refoundry mirror`: what each tag has been, oldest first. Nothing is ever removed from it. */
export const mirrorLockSchema = z.strictObject({
  mirrors: z.record(z.string(), z.strictObject({ tags: z.record(z.string(), z.array(sightingSchema).min(1)) })),
});

/** What the tags of mirrored images have been. */
export type MirrorLock = z.infer<typeof mirrorLockSchema>;
/** What a tag named, and for how long. */
export type Sighting = z.infer<typeof sightingSchema>;

/** What a registry says that a tag names now; `digest` is absent where there is no such tag any more. */
export interface Observation {
  /** In its full form, `docker.io/library/busybox`. */
  readonly image: string;
  readonly tag: string;
  readonly digest?: Digest;
}

/** The lock's file beside a mirror file: `mirror.lock.yaml` for `mirror.yaml`. */
export function lockPathOf(mirrorFile: string): string {
  return `${mirrorFile.replace(/\.ya?ml$/, "")}.lock.yaml`;
}

/** What a lock says that a tag names; undefined for one that was never seen or is gone. */
export function currentDigest(lock: MirrorLock, image: string, tag: string): Digest | undefined {
  const last = historyOf(lock, image, tag).at(-1);
  return last?.lastSeen === undefined ? last?.digest : undefined;
}

/** The tags of an image that named something when they were last looked at. */
export function currentTags(lock: MirrorLock, image: string): string[] {
  const tags = Object.hasOwn(lock.mirrors, image) ? Object.keys(lock.mirrors[image]?.tags ?? {}) : [];
  return tags.filter((tag) => currentDigest(lock, image, tag) !== undefined);
}

/** All that a tag has been, oldest first. */
export function historyOf(lock: MirrorLock, image: string, tag: string): readonly Sighting[] {
  const tags = Object.hasOwn(lock.mirrors, image) ? lock.mirrors[image]?.tags : undefined;
  return tags && Object.hasOwn(tags, tag) ? (tags[tag] ?? []) : [];
}

/**
 * A lock with what was observed. Only what changed changes: a tag that names what it did
 * keeps its entry as it is, so that a run that finds nothing new leaves the file's bytes
 * alone; for the same reason no `lastSeen` is written before there is something later.
 */
export function withObservations(lock: MirrorLock, observations: readonly Observation[], now: Date): MirrorLock {
  const time = `${now.toISOString().slice(0, 19)}Z`;
  const images = new Map(
    Object.entries(lock.mirrors).map(([image, { tags }]) => [image, new Map(Object.entries(tags))]),
  );
  for (const { image, tag, digest } of observations) {
    const history = images.get(image)?.get(tag) ?? [];
    const last = history.at(-1);
    const current = last?.lastSeen === undefined ? last : undefined;
    if (current?.digest === digest) continue;
    const closed = current ? [...history.slice(0, -1), { ...current, lastSeen: time }] : history;
    const after = digest === undefined ? closed : [...closed, { digest, firstSeen: time }];
    if (after.length === 0) continue;
    const tags = images.get(image) ?? new Map<string, Sighting[]>();
    tags.set(tag, after);
    images.set(image, tags);
  }
  const mirrors = [...images]
    .toSorted(([a], [b]) => byCodeUnit(a, b))
    .map(([image, tags]) => {
      const inOrder = [...tags].toSorted(([a], [b]) => compareVersions(a, b));
      return [image, { tags: Object.fromEntries(inOrder) }] as const;
    });
  return { mirrors: Object.fromEntries(mirrors) };
}

/** Reads a lock; one that is not there yet is empty. Throws a usage error with all that is wrong with it. */
export async function readMirrorLock(path: string): Promise<MirrorLock> {
  const { text, problem, file } = await readTextFile(dirname(path), basename(path));
  if (text === undefined) {
    if (await isAbsent(path)) return { mirrors: {} };
    return documentOf<MirrorLock>({ problems: [problem] }).value;
  }
  return documentOf(parseDocument(text, file, mirrorLockSchema)).value;
}

/**
 * Adds what was observed to the lock's file as it is now, in one step, so that runs side
 * by side lose nothing of each other's. Gives whether the file changed.
 */
export async function updateMirrorLock(
  path: string,
  observations: readonly Observation[],
  options: { readonly now?: Date; readonly signal?: AbortSignal } = {},
): Promise<boolean> {
  const { now = new Date(), signal } = options;
  return withLock(
    join(dirname(path), `.${basename(path)}.lock`),
    async () => {
      const before = await readMirrorLock(path);
      const text = lockText(withObservations(before, observations, now));
      const present = await readTextFile(dirname(path), basename(path));
      if (present.text === text || observations.length === 0) return false;
      if (Buffer.byteLength(text) > maxFileBytes)
        throw usageError(`would become larger than the ${maxFileBytes / 1024 / 1024} MiB that are read`, {
          location: { file: displayPath(path) },
          hint: "divide the mirror file into several: each has a lock of its own, and keeps what its images were",
        });
      await replaceFile(path, text);
      return true;
    },
    signal && { signal },
  );
}

/** The text of a lock's file; the same lock gives the same bytes. */
export function lockText(lock: MirrorLock): string {
  const document = new Document(lock, { version: "1.2", schema: "core", aliasDuplicateObjects: false });
  visit(document, {
    Seq(_, list) {
      // one line for each digest that a tag had
      for (const item of list.items) if (isMap(item)) item.flow = true;
    },
  });
  const body = document.toString({ lineWidth: 0, minContentWidth: 0 });
  return `# Written by refoundry mirror: what each tag has been. Nothing is removed from it; commit it, do not edit it.\n${body}`;
}
