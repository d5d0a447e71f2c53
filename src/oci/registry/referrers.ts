import { infrastructureError } from "../../errors.ts";
import { type Digest, isDigest } from "../digest.ts";
import { referrerTag } from "../referrers.ts";
import { type Descriptor, mediaTypes } from "../types.ts";
import { type Access, nameOf, pullRequest } from "./access.ts";
import { headerOf } from "./body.ts";
import { getManifest } from "./manifests.ts";
import { contentTypeOf, parseJsonObject, readPages } from "./pages.ts";

/** A list of referrers, and where it is kept. */
export interface ReferrerList {
  /** The registry keeps it itself, or clients do under a tag. */
  readonly keptBy: "registry" | "tag";
  readonly referrers: readonly Descriptor[];
}

type Fields = Readonly<Record<string, unknown>>;

// what registries say that have no referrers API
const withoutApi: readonly number[] = [400, 404, 405, 406, 501];

/**
 * The manifests that refer to a subject (distribution-spec, end-12a and end-12b), in the
 * order of their digests: as the registry's API lists them, or as the referrers tag does
 * where the answer is no index. Throws an infrastructure error for a list that is damaged.
 */
export async function readReferrers(access: Access, subject: Digest, artifactType?: string): Promise<ReferrerList> {
  const query = artifactType === undefined ? "" : `?${new URLSearchParams({ artifactType }).toString()}`;
  const request = {
    ...pullRequest(access, `referrers/${subject}${query}`, `list of referrers of ${subject}`),
    headers: { accept: mediaTypes.index },
  };
  const matches = ({ artifactType: type }: Descriptor): boolean => artifactType === undefined || type === artifactType;
  const found = new Map<Digest, Descriptor>();
  let isFirst = true;
  for await (const { status, headers, bytes } of readPages(access, request, [200, ...withoutApi])) {
    const manifests = status === 200 ? manifestsOf(bytes) : undefined;
    if (!manifests) {
      const isIndex = status === 200 && contentTypeOf(headers) === mediaTypes.index;
      if (isIndex || !isFirst)
        throw infrastructureError(`the list of referrers of ${nameOf(access)}@${subject} is damaged`);
      const referrers = (await readTagIndex(access, subject))?.referrers ?? [];
      return { keptBy: "tag", referrers: inOrder(referrers.filter(matches)) };
    }
    isFirst = false;
    const applied = headerOf(headers, "oci-filters-applied")?.split(",") ?? [];
    const isFiltered = applied.some((filter) => filter.trim() === "artifactType");
    for (const entry of validated(access, subject, manifests))
      if (isFiltered || matches(entry)) found.set(entry.digest, entry);
  }
  return { keptBy: "registry", referrers: inOrder(found.values()) };
}

/** The index under the referrers tag. */
export interface TagIndex {
  /** The whole document, so that what we do not know of it is not lost. */
  readonly document: Fields;
  readonly manifests: readonly unknown[];
  readonly referrers: readonly Descriptor[];
}

/**
 * Reads what clients keep under the referrers tag; undefined where there is none. Throws an
 * infrastructure error when the tag names something else than an index.
 */
export async function readTagIndex(access: Access, subject: Digest): Promise<TagIndex | undefined> {
  const tag = referrerTag(subject);
  const found = await getManifest(access, tag);
  if (!found) return undefined;
  const document = parseJsonObject(found.bytes);
  const manifests = manifestsOf(found.bytes);
  if (!document || !manifests || found.descriptor.mediaType !== mediaTypes.index) {
    throw infrastructureError(`${nameOf(access)}:${tag} should be the list of referrers of ${subject}, and is not`, {
      hint: "somebody pushed something else under this tag; give that another tag and remove this one",
    });
  }
  return { document, manifests, referrers: validated(access, subject, manifests) };
}

function manifestsOf(bytes: Uint8Array): readonly unknown[] | undefined {
  const document = parseJsonObject(bytes);
  const manifests = document?.["manifests"];
  return document?.["schemaVersion"] === 2 && Array.isArray(manifests) ? manifests : undefined;
}

function validated(access: Access, subject: Digest, manifests: readonly unknown[]): Descriptor[] {
  return manifests.flatMap((entry) => {
    const fields = typeof entry === "object" && entry !== null ? (entry as Fields) : {};
    // another algorithm's digest is valid, and nothing that we could read
    const { digest } = fields;
    if (typeof digest === "string" && /^(?!sha256:)[a-z0-9]+(?:[.+_-][a-z0-9]+)*:[\w=-]+$/.test(digest)) return [];
    const descriptor = descriptorOf(fields);
    if (descriptor) return [descriptor];
    throw infrastructureError(
      `the list of referrers of ${nameOf(access)}@${subject} has an entry that is no descriptor`,
    );
  });
}

function descriptorOf({ mediaType, digest, size, artifactType, annotations }: Fields): Descriptor | undefined {
  if (typeof mediaType !== "string" || !/^[\w.+-]+\/[\w.+-]+$/.test(mediaType)) return undefined;
  if (typeof digest !== "string" || !isDigest(digest)) return undefined;
  if (typeof size !== "number" || !Number.isSafeInteger(size) || size < 0) return undefined;
  if (typeof annotations === "object" && Array.isArray(annotations)) return undefined;
  const texts = Object.entries(annotations ?? {}).filter(
    (entry): entry is [string, string] => typeof entry[1] === "string",
  );
  return {
    mediaType,
    digest,
    size,
    ...(typeof artifactType === "string" && artifactType !== "" && { artifactType }),
    ...(texts.length > 0 && { annotations: Object.fromEntries(texts) }),
  };
}

function inOrder(descriptors: Iterable<Descriptor>): Descriptor[] {
  const byDigest = new Map([...descriptors].map((descriptor) => [descriptor.digest, descriptor]));
  return [...byDigest.values()].toSorted((a, b) => (a.digest < b.digest ? -1 : 1));
}
