import type { Problem } from "../errors.ts";
import type { Digest } from "../oci/digest.ts";
import type { MirrorEntry } from "./mirror-file.ts";
import { currentDigest, type MirrorLock } from "./mirror-lock.ts";

/** What registries say of one tag of a mirror file. */
export interface TagState {
  readonly entry: MirrorEntry;
  /** In its full form, `docker.io/library/busybox`. */
  readonly image: string;
  readonly tag: string;
  /** The mirrored image's name: `registry.example/mirror/busybox`. */
  readonly destination: string;
  /** What the tag names upstream; absent where it is gone. */
  readonly upstream?: Digest;
  /** What the mirrored tag names. */
  readonly mirrored?: Digest;
  /** What that was copied from: itself, or the index that it is a part of. */
  readonly mirroredFrom?: Digest;
  /** Why a registry could not say. */
  readonly problems?: readonly Problem[];
}

/**
 * What is to be done for a tag.
 * - `copy`: the destination has not what upstream has
 * - `there`: it has; what is below it and refers to it is looked through
 * - `moved`: upstream's tag names another image than the lock says; it is copied
 * - `gone`: upstream has no such tag; what was mirrored stays
 * - `failed`: a registry could not be asked
 */
export type MirrorAction = "copy" | "there" | "moved" | "gone" | "failed";

/** One tag of a plan. */
export interface PlannedTag extends TagState {
  readonly action: MirrorAction;
  /** What the lock says that the tag named, where that is something else. */
  readonly previous?: Digest;
  /** One sentence for people. */
  readonly reason: string;
}

/** Says for each tag what is to be done, in the order of the mirror file, from what the lock and the registries say. */
export function planMirror(states: readonly TagState[], lock: MirrorLock): PlannedTag[] {
  return states.map((state) => planTag(state, currentDigest(lock, state.image, state.tag)));
}

function planTag(state: TagState, locked: Digest | undefined): PlannedTag {
  const { upstream, mirrored, mirroredFrom, problems } = state;
  if (problems) return { ...state, action: "failed", reason: problems[0]?.message ?? "it could not be asked for" };
  if (upstream === undefined) {
    const kept = mirrored === undefined ? "it was never mirrored" : "what was mirrored stays";
    return {
      ...state,
      action: "gone",
      ...(locked && { previous: locked }),
      reason: `upstream has no such tag; ${kept}`,
    };
  }
  if (locked !== undefined && locked !== upstream)
    return { ...state, action: "moved", previous: locked, reason: `upstream's tag was ${locked} and is ${upstream}` };
  if (mirroredFrom === upstream) return { ...state, action: "there", reason: "the destination has it" };
  const reason =
    mirrored === undefined ? "the destination does not have it" : `the destination's tag names ${mirrored}`;
  return { ...state, action: "copy", reason };
}
