import type { Digest } from "./digest.ts";
import type { ContentReader, Descriptor } from "./types.ts";

/** Content as far as its identity goes. */
export type Content = Pick<Descriptor, "digest" | "size">;

/** How a blob is pushed; see {@link Repository.pushBlob}. */
export interface PushBlobOptions {
  readonly mountFrom?: string;
  readonly isChecked?: boolean;
  readonly signal?: AbortSignal;
}

/**
 * A place where images, indexes and their referrers are kept under tags and digests: a
 * registry's repository, or an OCI layout that serves as one. Everything written is
 * there whole or not at all, and writing what is there already sends nothing.
 */
export interface Repository extends ContentReader {
  /**
   * The manifest or index that a tag or digest names, with its bytes. Throws an
   * infrastructure error when it is missing or not what the digest says.
   */
  resolve(
    tagOrDigest: string,
    signal?: AbortSignal,
  ): Promise<{ readonly descriptor: Descriptor; readonly bytes: Uint8Array }>;
  /** What {@link resolve} says of it, or undefined where there is no such manifest. */
  find(tagOrDigest: string, signal?: AbortSignal): Promise<Descriptor | undefined>;
  /** The digest that a tag names, by asking for no content where that is possible (registries count reads). */
  head?(tagOrDigest: string, signal?: AbortSignal): Promise<{ readonly digest: Digest } | undefined>;
  /** Whether a tag or digest names a manifest or index. */
  hasManifest(tagOrDigest: string, signal?: AbortSignal): Promise<boolean>;
  /** Whether a blob of that digest and size is there. */
  hasBlob(content: Content, signal?: AbortSignal): Promise<boolean>;
  /**
   * Writes a blob unless it is there. `open` makes the bytes afresh for each attempt;
   * `mountFrom` names another repository of this registry that may have it already.
   * `isChecked` says that these bytes check themselves, as {@link ContentReader.openBlob}'s
   * do: they are not hashed once more. Gives the bytes sent: 0 where the blob was there or
   * could be mounted.
   */
  pushBlob(content: Content, open: () => AsyncIterable<Uint8Array>, options?: PushBlobOptions): Promise<number>;
  /**
   * Writes a manifest or index under a tag or its own digest, unless it is there. What it
   * names must have been pushed before. One with a `subject` is from then on among the
   * subject's {@link listReferrers}, also where the registry has no referrers API.
   */
  pushManifest(bytes: Uint8Array, mediaType: string, tagOrDigest: string, signal?: AbortSignal): Promise<Descriptor>;
  /**
   * The manifests whose `subject` is this digest (distribution-spec, listing referrers),
   * with `artifactType` and `annotations`, in the order of their digests; those of one
   * artifact type only, where that is given. Empty where there are none.
   */
  listReferrers(
    subject: Digest,
    options?: { readonly artifactType?: string; readonly signal?: AbortSignal },
  ): Promise<Descriptor[]>;
  /** All tags, in code-unit order, without the tags that stand in for the referrers API. */
  listTags(signal?: AbortSignal): Promise<string[]>;
}
