import { infrastructureError, RefoundryError, usageError } from "../errors.ts";
import { openBareRepository } from "../git/repository.ts";
import { nearNames } from "../recipe/words.ts";
import { labelOf } from "./image-config.ts";
import { listRemoteRefs, type RemoteRefs, requireSourceUrl, revisionOfVersion } from "./remote-refs.ts";
import { addressOfLabel } from "./source-address.ts";
import { readSourceFacts } from "./source-facts.ts";
import { bareVersion } from "./tags.ts";
import { shortList, shown } from "./text.ts";
import type { ImageFacts, Question, Revision, SourceFacts } from "./types.ts";

/** Where the source is, and what the image says of it. */
export interface ChosenSource {
  readonly url: string;
  readonly isFromLabel: boolean;
}

/** A source at the commit of a version. */
export interface FoundSource {
  /** Undefined where neither a tag nor a label names one that is there. */
  readonly revision?: Revision;
  readonly facts?: SourceFacts;
  /** Without a file: the caller knows where they are answered. */
  readonly doubts: readonly Pick<Question, "about" | "text">[];
}

/**
 * The source's address: the one that was asked for, or the one in the image's label. Throws
 * a usage error where there is none, or git may not see it.
 */
export function chooseSource(image: ImageFacts, asked: string | undefined): ChosenSource {
  if (asked !== undefined) {
    requireSourceUrl(asked);
    return { url: asked, isFromLabel: false };
  }
  const label = labelOf(image.config, "source");
  if (label === undefined)
    throw usageError("the image does not say where its source is (no label org.opencontainers.image.source)", {
      hint: "name it: --source https://...",
    });
  const address = addressOfLabel(label);
  if (address.problem === undefined) return { url: address.url, isFromLabel: true };
  throw usageError(`the image's label org.opencontainers.image.source is no repository: ${address.problem}`, {
    hint: "name it: --source https://...",
  });
}

/**
 * Finds the commit of a version: by its tag, else the one that the image's label names, if
 * the repository has it; and looks at the tree. Throws an infrastructure error when the
 * repository cannot be reached.
 */
export async function findSource(
  request: {
    readonly url: string;
    readonly version: string;
    readonly names: readonly string[];
    readonly image: ImageFacts;
    readonly repositoryPath: string;
  },
  signal?: AbortSignal,
): Promise<FoundSource> {
  const { url, version, names, image, repositoryPath } = request;
  const refs = await listRemoteRefs(url, repositoryPath, signal);
  const repository = await openBareRepository(repositoryPath, signal);
  const stated = labelOf(image.config, "revision") ?? image.go?.settings.get("vcs.revision");
  const wanted = /^[0-9a-f]{40}$/.test(stated ?? "") ? stated : undefined;
  const tagged = revisionOfVersion(refs, version, names);
  const doubts: Pick<Question, "about" | "text">[] = [];
  if (refs.isCut) doubts.push({ about: "revision", text: "the source has more tags than are read" });
  let revision: Revision | undefined = tagged;
  if (tagged) {
    await repository.fetchCommit(url, tagged.commit);
    if (wanted !== undefined && wanted !== tagged.commit)
      doubts.push({
        about: "revision",
        text: `the tag ${tagged.tag} names commit ${tagged.commit}, and the image says it was built from ${wanted}: the tag's was taken`,
      });
    else if (stated !== undefined && wanted === undefined && !tagged.commit.startsWith(stated))
      doubts.push({
        about: "revision",
        text: `the image says it was built from "${shown(stated, 60)}", which is no full commit id; the tag ${tagged.tag} was taken`,
      });
  } else if (wanted !== undefined && (await isThere(repository, url, wanted, signal))) {
    revision = { commit: wanted };
    doubts.push({ about: "revision", text: `${noTag(refs, version)}; ${fromLabel(refs, wanted)}` });
  } else {
    const label = wanted === undefined ? "" : `, and it does not have commit ${wanted}, which the image names`;
    doubts.push({ about: "revision", text: `${noTag(refs, version)}${label}` });
  }
  const facts = revision && (await readSourceFacts(repositoryPath, revision.commit, signal));
  return { doubts, ...(revision && { revision }), ...(facts && { facts }) };
}

function noTag(refs: RemoteRefs, version: string): string {
  const near = nearNames(bareVersion(version), [...refs.tags.keys()].slice(0, 20_000));
  const there = near.length > 0 ? near : [...refs.tags.keys()].slice(-3);
  const has =
    refs.tags.size === 0 ? "it has no tags" : `it has, among ${refs.tags.size}: ${shown(shortList(there, 3))}`;
  return `the source has no tag for ${version} (${has})`;
}

/** A forge gives out commits of forks under the address of what they forked. */
function fromLabel(refs: RemoteRefs, commit: string): string {
  return refs.tips.has(commit)
    ? `commit ${commit} was taken, which the image says it was built from`
    : `commit ${commit} was taken, which the image says it was built from. No branch or tag ends there: see that it is in the project's history, and not in somebody's fork`;
}

async function isThere(
  repository: Awaited<ReturnType<typeof openBareRepository>>,
  url: string,
  commit: string,
  signal: AbortSignal | undefined,
): Promise<boolean> {
  try {
    if (!(await repository.hasCommit(commit))) await repository.fetchCommit(url, commit);
    return true;
  } catch (error) {
    if (signal?.aborted || !(error instanceof RefoundryError)) throw error;
    // the address answered a moment ago, so it is the commit that is not there
    if (error.kind === "infrastructure") return false;
    throw infrastructureError(error.message, { cause: error });
  }
}
