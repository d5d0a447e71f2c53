import { setTimeout as sleep } from "node:timers/promises";
import { infrastructureError, interrupted } from "../../errors.ts";
import { canonicalJson } from "../../json.ts";
import type { Digest } from "../digest.ts";
import { referrerTag } from "../referrers.ts";
import { type Descriptor, maxDocumentBytes, mediaTypes } from "../types.ts";
import { type Access, nameOf, pushRequest } from "./access.ts";
import { discard } from "./body.ts";
import { send } from "./exchange.ts";
import { headManifest } from "./manifests.ts";
import { readTagIndex, type TagIndex } from "./referrers.ts";
import { retried } from "./retry.ts";

const maxAttempts = 12;
const longestPause = 5000;

/**
 * Adds a referrer to the index under the referrers tag of its subject (distribution-spec,
 * pushing manifests with subject), which is there afterwards: reads the index, writes it
 * with the entry, and reads it again when other writers had the time to overwrite it.
 * Within a client one writes at a time, for all that wait. Throws an infrastructure error
 * when the entry is lost again and again, or when the tag is not an index.
 */
export async function addToTagIndex(access: Access, subject: Digest, referrer: Descriptor): Promise<void> {
  const { listings } = access.connection;
  const key = `${access.repository}@${subject}`;
  const listing = listings.get(key) ?? { waiting: new Map(), turn: Promise.resolve() };
  listings.set(key, listing);
  listing.waiting.set(referrer.digest, referrer);
  const turn = listing.turn.then(() => addWaiting(access, subject, referrer, listing.waiting));
  const settled = turn.catch(() => {});
  listing.turn = settled;
  try {
    await turn;
  } finally {
    listing.waiting.delete(referrer.digest);
    if (listing.turn === settled) listings.delete(key);
  }
}

async function addWaiting(
  access: Access,
  subject: Digest,
  referrer: Descriptor,
  waiting: ReadonlyMap<Digest, Descriptor>,
): Promise<void> {
  for (let attempt = 0; attempt < maxAttempts; attempt++) {
    const startedAt = performance.now();
    const index = await readTagIndex(access, subject);
    const listed = new Set(index?.referrers.map(({ digest }) => digest));
    if (listed.has(referrer.digest)) return;
    const missing = [...waiting.values()].filter(({ digest }) => !listed.has(digest));
    try {
      await writeTagIndex(access, subject, documentOf(index, missing));
    } catch (error) {
      // a registry may refuse an index that names what was deleted from it
      const gone = await findGone(access, index?.referrers ?? []);
      if (gone.size === 0) throw error;
      await writeTagIndex(access, subject, documentOf(index, missing, gone));
    }
    // who read before we wrote has written by then, unless much slower than we are
    const pause = (performance.now() - startedAt) * (2 + Math.random() * (attempt + 1));
    const { signal } = access;
    await sleep(Math.min(pause, longestPause), undefined, signal && { signal }).catch(() => {
      throw interrupted();
    });
  }
  const index = await readTagIndex(access, subject);
  if (index?.referrers.some(({ digest }) => digest === referrer.digest)) return;
  throw infrastructureError(
    `${nameOf(access)}:${referrerTag(subject)}: others wrote the list of referrers of ${subject} at the same time, and ${referrer.digest} was lost from it ${maxAttempts} times`,
    { hint: "run the same command again when nobody else pushes" },
  );
}

async function findGone(access: Access, entries: readonly Descriptor[]): Promise<ReadonlySet<string>> {
  const gone = new Set<string>();
  for (const { digest } of entries) if (!(await headManifest(access, digest))) gone.add(digest);
  return gone;
}

/** The index with more entries, in one order whoever writes it; what we do not know of it is kept. */
function documentOf(
  index: TagIndex | undefined,
  missing: readonly Descriptor[],
  gone: ReadonlySet<string> = new Set(),
): Uint8Array {
  const digestIn = (entry: unknown): string =>
    typeof entry === "object" && entry !== null && "digest" in entry ? String(entry.digest) : "";
  const kept = (index?.manifests ?? []).filter((entry) => !gone.has(digestIn(entry)));
  const manifests = [...kept, ...missing].toSorted((a, b) =>
    digestIn(a) < digestIn(b) ? -1 : digestIn(a) > digestIn(b) ? 1 : 0,
  );
  return Buffer.from(canonicalJson({ ...index?.document, schemaVersion: 2, mediaType: mediaTypes.index, manifests }));
}

async function writeTagIndex(access: Access, subject: Digest, bytes: Uint8Array): Promise<void> {
  const tag = referrerTag(subject);
  if (bytes.length > maxDocumentBytes)
    throw infrastructureError(`${nameOf(access)}:${tag}: the list of referrers of ${subject} is full`, {
      hint: `it may have ${maxDocumentBytes} bytes; remove referrers that nobody needs any more`,
    });
  const work = async (): Promise<void> => {
    const answer = await send(access.connection, {
      ...pushRequest(access, `manifests/${tag}`, `list of referrers of ${subject}`),
      method: "PUT",
      accept: [201, 202],
      headers: { "content-type": mediaTypes.index },
      body: () => bytes,
      isCommit: true,
    });
    await discard(answer.body);
  };
  await retried(work, access.policy, access.signal);
}
