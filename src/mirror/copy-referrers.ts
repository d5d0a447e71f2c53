import pLimit from "p-limit";
import { infrastructureError } from "../errors.ts";
import type { Digest } from "../oci/digest.ts";
import type { Descriptor } from "../oci/types.ts";
import type { Copying } from "./copy-types.ts";
import { isManifestOrIndex } from "./tree-document.ts";

const concurrency = 4;

/**
 * Copies what refers to the manifests and indexes that a copy has come across, then what
 * refers to that, and so on (distribution-spec, listing referrers). Throws an
 * infrastructure error when there is no end of it within the limits.
 */
export async function copyReferrers(copying: Copying): Promise<void> {
  const { from, limits, seen } = copying;
  const asked = new Set<Digest>();
  for (let depth = 0; ; depth++) {
    const subjects = [...seen.values()].filter(({ digest }) => !asked.has(digest));
    if (subjects.length === 0) return;
    if (depth > limits.referrerDepth) {
      throw infrastructureError(
        `${from.name}: referrers of referrers, more than ${limits.referrerDepth} deep: those of ${subjects[0]?.digest ?? ""} are not read`,
      );
    }
    for (const { digest } of subjects) asked.add(digest);
    const limit = pLimit(concurrency);
    await Promise.all(subjects.map((subject) => limit(() => copying.guarded(() => copyReferrersOf(subject, copying)))));
    if (copying.signal.aborted) return;
  }
}

async function copyReferrersOf(subject: Descriptor, copying: Copying): Promise<void> {
  const { from, to, signal, tell } = copying;
  const theirs = await from.listReferrers(subject.digest, { signal });
  if (theirs.length === 0) return;
  const listed = new Set((await to.listReferrers(subject.digest, { signal })).map(({ digest }) => digest));
  // one after another: where there is no referrers API they share a list that is read and written as a whole
  for (const referrer of theirs) {
    if (signal.aborted) return;
    if (!isManifestOrIndex(referrer)) {
      const message = `${from.name}@${referrer.digest}, which refers to ${subject.digest}, is neither an image nor an index (${referrer.mediaType}) and is not copied`;
      tell({ type: "notice", message });
      continue;
    }
    const { mediaType, digest, size } = referrer;
    // one that is there but not listed was stopped between the two: writing it again lists it
    await copying.copyContent({ mediaType, digest, size }, !listed.has(digest));
  }
}
