import type { ImageVerification } from "../attest/verify-image.ts";
import { isIndex } from "../oci/copy-image.ts";
import { isDescriptor } from "../oci/descriptor.ts";
import type { Digest } from "../oci/digest.ts";
import { platformName } from "../oci/platform.ts";
import type { Descriptor, ImageIndex } from "../oci/types.ts";

/** What must hold of what is promoted. */
export interface PromotionPolicy {
  /** How many builders, by their signatures, must say to have built it and agree. */
  readonly builders: number;
  /** Whether a tag may come to name something else than it does. */
  readonly moveTag: boolean;
  /** Whether a single image is meant, where an index is usual. */
  readonly singleImage: boolean;
}

/** An image or index with its children, as one side has it. */
export interface PromotedContent {
  readonly descriptor: Descriptor;
  /** Empty for a single image. */
  readonly children: readonly Descriptor[];
}

/** One line of the difference between what a tag names and what it is to name. */
export interface PlatformChange {
  readonly platform: string;
  readonly change: "added" | "removed" | "changed" | "same";
  readonly from?: Digest;
  readonly to?: Digest;
}

/** What a promotion would do, and what stands against it; `refoundry/promotion/v1`. */
export interface PromotionPlan {
  readonly schema: "refoundry/promotion/v1";
  readonly source: string;
  readonly destination: string;
  readonly digest: Digest;
  /** What the tag names now; absent where it is new. */
  readonly replaces?: Digest;
  readonly platforms: readonly PlatformChange[];
  /** Why it is not allowed; empty where it is. */
  readonly refusals: readonly string[];
}

/**
 * Plans a promotion: a pure function of what is there, what is to come, what was verified
 * of it, and the policy.
 */
export function planPromotion(
  names: { readonly source: string; readonly destination: string },
  next: PromotedContent,
  current: PromotedContent | undefined,
  verification: ImageVerification,
  policy: PromotionPolicy,
): PromotionPlan {
  const refusals: string[] = [];
  const isSingle = !isIndex(next.descriptor);
  if (isSingle && !policy.singleImage)
    refusals.push(
      `${names.source} is a single image, and a release is an index: name the index, or say --single-image`,
    );
  const moves = current !== undefined && current.descriptor.digest !== next.descriptor.digest;
  if (moves && !policy.moveTag)
    refusals.push(`${names.destination} is ${current.descriptor.digest} already; it moves only with --move-tag`);
  for (const { platform, problems, digest } of verification.subjects)
    for (const problem of problems)
      refusals.push(`${platform ?? (isSingle ? "the image" : "the index")} ${digest}: ${problem}`);
  const [top] = verification.subjects;
  const builders = top?.builtBy ?? [];
  if (builders.length < policy.builders)
    refusals.push(
      `${policy.builders} builders have to agree, and ${builders.length === 0 ? "none does" : `${builders.length} did: ${builders.join(", ")}`}`,
    );
  return {
    schema: "refoundry/promotion/v1",
    source: names.source,
    destination: names.destination,
    digest: next.descriptor.digest,
    ...(current && { replaces: current.descriptor.digest }),
    platforms: platformChanges(current, next),
    refusals,
  };
}

function platformChanges(current: PromotedContent | undefined, next: PromotedContent): PlatformChange[] {
  const before = byPlatform(current);
  const after = byPlatform(next);
  const platforms = [...new Set([...before.keys(), ...after.keys()])].toSorted();
  return platforms.map((platform) => {
    const from = before.get(platform);
    const to = after.get(platform);
    const change = from === undefined ? "added" : to === undefined ? "removed" : from === to ? "same" : "changed";
    return { platform, change, ...(from && { from }), ...(to && { to }) };
  });
}

function byPlatform(content: PromotedContent | undefined): Map<string, Digest> {
  const children = content?.children ?? [];
  return new Map(children.map((child) => [child.platform ? platformName(child.platform) : child.digest, child.digest]));
}

/** The children of an index's bytes; none for an image's. */
export function childrenOf(descriptor: Descriptor, bytes: Uint8Array): readonly Descriptor[] {
  if (!isIndex(descriptor)) return [];
  const { manifests } = JSON.parse(Buffer.from(bytes).toString("utf8")) as Partial<ImageIndex>;
  return Array.isArray(manifests) ? manifests.filter(isDescriptor) : [];
}
