import { RefoundryError } from "../errors.ts";
import type { Digest } from "../oci/digest.ts";
import { parseReference } from "../oci/reference.ts";
import type { RegistryClient } from "../oci/registry/client.ts";
import type { Repository } from "../oci/repository.ts";
import type { Recipe, Release } from "../recipe/schema.ts";
import type { Store } from "../store/store.ts";
import type { Answers } from "./answers.ts";

/** Upstream's image of a release where it is in a registry, under the tag that it was pinned from. */
export interface UpstreamPlace {
  readonly repository: Repository;
  /** Absent where the recipe names it by digest, which does not move. */
  readonly tag?: string;
}

/** Where a release's upstream is; undefined where it is in no registry. */
export function upstreamPlaceOf(
  { upstream }: Recipe,
  { version }: Release,
  registry: RegistryClient,
): UpstreamPlace | undefined {
  if (!("image" in upstream)) return undefined;
  const reference = parseReference(upstream.image);
  if (reference.kind !== "registry") return undefined;
  const repository = registry.repository(reference);
  return reference.digest === undefined ? { repository, tag: reference.tag ?? version } : { repository };
}

/** What upstream says now, or why it could not be asked. */
export type UpstreamNow =
  | { readonly name: string; readonly digest: Digest | "absent" }
  | { readonly name: string; readonly failure: string };

/** Asks upstream what its tag names. */
export async function askUpstream(
  { repository, tag }: UpstreamPlace,
  pinned: Digest,
  answers: Answers,
  signal: AbortSignal,
): Promise<UpstreamNow> {
  const name = tag === undefined ? `${repository.name}@${pinned}` : `${repository.name}:${tag}`;
  try {
    const digest = await answers.ask(`tag ${name}`, () => digestAt(repository, tag ?? pinned, signal));
    return { name, digest: digest ?? "absent" };
  } catch (error) {
    // one upstream out of reach must not keep the plan for all others from being made
    if (error instanceof RefoundryError && error.kind === "infrastructure") return { name, failure: error.message };
    throw error;
  }
}

/** The digest that a tag names, undefined where there is none; without its content where the place can do that. */
export async function digestAt(repository: Repository, tag: string, signal: AbortSignal): Promise<Digest | undefined> {
  return (await (repository.head ?? repository.find)(tag, signal))?.digest;
}

/**
 * The index or manifest that a release pins, as JSON: from the store, else from upstream
 * where that is asked, and then kept. Undefined where it cannot be had.
 */
export async function readPinned(
  { upstream }: Release,
  store: Store,
  place: UpstreamPlace | undefined,
  signal: AbortSignal,
): Promise<unknown> {
  const { blobs } = store;
  if (await blobs.has(upstream)) return parse(await blobs.readDocument(upstream, signal));
  if (!place) return undefined;
  try {
    const { descriptor, bytes } = await place.repository.resolve(upstream.digest, signal);
    await blobs.writeBytes(bytes, descriptor.mediaType);
    return parse(bytes);
  } catch (error) {
    if (error instanceof RefoundryError && error.kind === "infrastructure") return undefined;
    throw error;
  }
}

function parse(bytes: Uint8Array): unknown {
  return JSON.parse(Buffer.from(bytes).toString("utf8"));
}
