import pLimit, { type LimitFunction } from "p-limit";
import { infrastructureError, interrupted, type Problem, RefoundryError } from "../errors.ts";
import type { Emit } from "../events.ts";
import { type Digest, digestOf } from "../oci/digest.ts";
import type { Repository } from "../oci/repository.ts";
import { type Descriptor, mediaTypes } from "../oci/types.ts";
import { chooseTags } from "./choose-tags.ts";
import { copyTree } from "./copy-tree.ts";
import type { CopyProgress, CopyResult } from "./copy-types.ts";
import { createRequestBudget, digestOfTag, limitedRepository, type RequestBudget } from "./limited-repository.ts";
import { canonicalImage, type MirrorEntry, type MirrorFile, sourceOf } from "./mirror-file.ts";
import { currentTags, type MirrorLock, type Observation } from "./mirror-lock.ts";
import { type PlannedTag, planMirror, type TagState } from "./plan-mirror.ts";
import { selectedFrom, selectPlatforms } from "./select-platforms.ts";

/** What mirroring works with. */
export interface MirrorContext {
  /** The source's repository. */
  readonly source: (entry: MirrorEntry) => Repository;
  /** The name of an entry's mirror in references, without a tag. */
  readonly nameOf: (entry: MirrorEntry) => string;
  /** Where an entry goes, to be looked at; undefined where there is nothing yet. */
  readonly present: (entry: MirrorEntry) => Promise<Repository | undefined>;
  /** Where an entry goes, to be written to. */
  readonly destination: (
    entry: MirrorEntry,
  ) => Promise<{ readonly repository: Repository; readonly mountFrom?: string }>;
  readonly emit: Emit;
  readonly signal: AbortSignal;
}

/** What came of one tag. */
export interface MirroredTag extends PlannedTag {
  /** Absent for a tag of which nothing was to be copied, and for a failure. */
  readonly copied?: CopyResult;
}

const concurrentTags = 2;
const nothing: CopyResult = {
  descriptor: { mediaType: mediaTypes.index, digest: digestOf(""), size: 0 },
  ...{ blobs: 0, bytesCopied: 0, bytesThere: 0, manifests: 0, referrers: 0, foreignLayers: 0 },
};

/** A mirror file with the registries that it is about. */
export interface Mirroring {
  /** Asks the registries and says what is to be done; a registry that cannot be asked fails its own tags only. */
  plan(lock: MirrorLock): Promise<PlannedTag[]>;
  /** Does what a plan says, in any order; what fails is in the result, and stops nothing else. */
  run(plan: readonly PlannedTag[]): Promise<MirroredTag[]>;
}

/** Opens a mirror file's images for planning and copying, within the file's request limits. */
export function openMirroring(file: MirrorFile, context: MirrorContext): Mirroring {
  const { emit, signal } = context;
  const budgets = new Map<string, RequestBudget>();
  const limits = new Map<string, LimitFunction>();

  /** Each registry has its own: one that makes us wait keeps nobody else waiting. */
  function limitOf(entry: MirrorEntry): LimitFunction {
    const { host } = sourceOf(entry);
    const limit = limits.get(host) ?? pLimit(concurrentTags);
    limits.set(host, limit);
    return limit;
  }

  function limitedSource(entry: MirrorEntry): Repository {
    const { host } = sourceOf(entry);
    const perHour = Object.hasOwn(file.requestsPerHour, host) ? file.requestsPerHour[host] : undefined;
    if (perHour === undefined) return context.source(entry);
    const onWait = (seconds: number): void =>
      emit({
        type: "notice",
        severity: "info",
        message: `${host}: ${perHour} manifests were read within an hour, which is its limit in the mirror file; going on in ${seconds} seconds`,
      });
    const budget = budgets.get(host) ?? createRequestBudget(perHour, { onWait });
    budgets.set(host, budget);
    return limitedRepository(context.source(entry), budget);
  }

  /** The tags that are named, those that the match takes, and those that it took and that are gone. */
  async function tagsOf(entry: MirrorEntry, from: Repository, lock: MirrorLock): Promise<string[]> {
    if (!entry.match) return [...entry.tags];
    const all = await from.listTags(signal);
    const matched = chooseTags(entry.match, all);
    const known = currentTags(lock, canonicalImage(entry.image)).filter((tag) => !all.includes(tag));
    const gone = chooseTags({ ...entry.match, newest: known.length }, known);
    if (matched.length + gone.length === 0)
      throw infrastructureError(
        `none of the ${all.length} tags of ${canonicalImage(entry.image)} is one that its match takes`,
        {
          hint: "check the image's name, and range and pattern in the mirror file",
        },
      );
    return [...new Set([...entry.tags, ...matched, ...gone])];
  }

  async function stateOf(entry: MirrorEntry, tag: string, from: Repository): Promise<TagState> {
    const state = { entry, image: canonicalImage(entry.image), tag, destination: context.nameOf(entry) };
    return contained(state, async () => {
      const upstream = await digestOfTag(from, tag, signal);
      const to = await context.present(entry);
      const mirrored = await to?.find(tag, signal);
      const mirroredFrom = to && mirrored && (await originOf(to, mirrored, entry));
      return {
        ...state,
        ...(upstream && { upstream }),
        ...(mirrored && { mirrored: mirrored.digest }),
        ...(mirroredFrom && { mirroredFrom }),
      };
    });
  }

  async function originOf(to: Repository, mirrored: Descriptor, entry: MirrorEntry): Promise<Digest | undefined> {
    if (entry.platforms === "all") return mirrored.digest;
    return selectedFrom(await to.readDocument(mirrored, signal), entry.platforms);
  }

  /** A failure is one tag's; only an interruption is everybody's. */
  async function contained<T extends TagState>(
    state: T,
    work: () => Promise<T>,
  ): Promise<T & { readonly problems?: readonly Problem[] }> {
    try {
      return await work();
    } catch (error) {
      if (signal.aborted) throw interrupted();
      if (!(error instanceof RefoundryError)) throw error;
      return { ...state, problems: error.problems };
    }
  }

  async function planEntry(entry: MirrorEntry, lock: MirrorLock): Promise<TagState[]> {
    const from = limitedSource(entry);
    try {
      const tags = await tagsOf(entry, from, lock);
      const states: TagState[] = [];
      for (const tag of tags) states.push(await stateOf(entry, tag, from));
      return states;
    } catch (error) {
      if (signal.aborted) throw interrupted();
      if (!(error instanceof RefoundryError)) throw error;
      // which tags it has could not be known
      const state = {
        entry,
        image: canonicalImage(entry.image),
        destination: context.nameOf(entry),
        problems: error.problems,
      };
      return (entry.tags.length > 0 ? entry.tags : ["*"]).map((tag) => ({ ...state, tag }));
    }
  }

  async function copyPlanned(planned: PlannedTag): Promise<MirroredTag> {
    const { entry, tag, upstream, action } = planned;
    if (upstream === undefined || action === "gone" || action === "failed") return planned;
    const from = limitedSource(entry);
    const { repository: to, mountFrom } = await context.destination(entry);
    const { platforms, referrers } = entry;
    const onProgress = progressOf(`${planned.image}:${tag}`, emit);
    const options = {
      referrers,
      signatureTags: referrers,
      signal,
      onProgress,
      ...(mountFrom !== undefined && { mountFrom }),
    };
    if (action === "there") {
      const { descriptor, bytes } = await to.resolve(planned.mirrored ?? tag, signal);
      return { ...planned, copied: await copyTree(from, descriptor, to, { ...options, document: bytes }) };
    }
    // by digest: what the plan says is what is copied, whatever the tag names meanwhile
    const { descriptor, bytes } = await from.resolve(upstream, signal);
    if (platforms === "all")
      return { ...planned, copied: await copyTree(from, descriptor, to, { ...options, tag, document: bytes }) };
    const selection = selectPlatforms(descriptor, bytes, platforms, planned.image);
    let copied: CopyResult = nothing;
    for (const { mediaType, digest, size } of selection.children)
      copied = added(copied, await copyTree(from, { mediaType, digest, size }, to, options));
    const index = await to.pushManifest(selection.index, mediaTypes.index, tag, signal);
    copied = added(copied, { ...nothing, manifests: 1, bytesCopied: index.size });
    return { ...planned, copied: { ...copied, descriptor: index } };
  }

  return {
    async plan(lock) {
      const states = await Promise.all(file.mirrors.map((entry) => limitOf(entry)(() => planEntry(entry, lock))));
      return planMirror(states.flat(), lock);
    },
    async run(plan) {
      const settled = await Promise.allSettled(
        plan.map((planned) =>
          limitOf(planned.entry)(async (): Promise<MirroredTag> => {
            const result = await contained<MirroredTag>(planned, () => copyPlanned(planned));
            const failed = result.problems !== undefined && planned.action !== "failed";
            return failed ? { ...result, action: "failed", reason: result.problems?.[0]?.message ?? "" } : result;
          }),
        ),
      );
      for (const result of settled) if (result.status === "rejected") throw result.reason;
      return settled.flatMap((result) => (result.status === "fulfilled" ? [result.value] : []));
    },
  };
}

/** What a plan saw upstream, for the lock; nothing of tags that could not be asked for. */
export function observationsOf(plan: readonly PlannedTag[]): Observation[] {
  return plan
    .filter(({ action }) => action !== "failed")
    .map(({ image, tag, upstream }) => ({ image, tag, ...(upstream && { digest: upstream }) }));
}

function added(a: CopyResult, b: CopyResult): CopyResult {
  return {
    descriptor: a.descriptor,
    blobs: a.blobs + b.blobs,
    bytesCopied: a.bytesCopied + b.bytesCopied,
    bytesThere: a.bytesThere + b.bytesThere,
    manifests: a.manifests + b.manifests,
    referrers: a.referrers + b.referrers,
    foreignLayers: a.foreignLayers + b.foreignLayers,
  };
}

function progressOf(name: string, emit: Emit): (progress: CopyProgress) => void {
  let bytes = 0;
  return (progress) => {
    if (progress.type === "notice") emit({ type: "notice", severity: "warning", message: progress.message });
    if (progress.type !== "bytes") return;
    bytes += progress.bytes;
    emit({ type: "stage-progress", stage: "publish", doing: `${name}: ${(bytes / 1e6).toFixed(1)} MB copied` });
  };
}
