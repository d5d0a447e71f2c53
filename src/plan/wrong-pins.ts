import type { Digest } from "../oci/digest.ts";
import { type PlatformName, platformName } from "../oci/platform.ts";
import { type ImageIndex, mediaTypes } from "../oci/types.ts";
import type { Release } from "../recipe/schema.ts";

/** A pin that cannot be right, in a sentence; with the place of it in the release's file. */
export interface WrongPin {
  readonly platform?: PlatformName;
  readonly message: string;
  readonly path: readonly string[];
}

const indexTypes: ReadonlySet<string> = new Set([mediaTypes.index, mediaTypes.dockerIndex]);

/**
 * Checks a release's digests against each other: an index is no image, an image no
 * index. With `pinned`, the index or manifest that `upstream.digest` names, as it was
 * read, also against that: each platform's manifest has to be the index's own.
 */
export function wrongPinsOf({ upstream, expect }: Release, pinned?: unknown): WrongPin[] {
  const { digest, mediaType } = upstream;
  const children = Object.entries(upstream.manifests) as [PlatformName, Digest][];
  const isIndex = indexTypes.has(mediaType);
  const wrong: WrongPin[] = [];
  for (const [platform, child] of children) {
    const path = ["upstream", "manifests", platform];
    if (isIndex && child === digest)
      wrong.push({ platform, path, message: `upstream's manifest for ${platform} is the digest of the index itself` });
    if (!isIndex && child !== digest)
      wrong.push({
        platform,
        path,
        message: `upstream is one image, ${digest}, and the manifest pinned for ${platform} is another, ${child}`,
      });
  }
  for (const [platform, { manifest }] of Object.entries(expect?.platforms ?? {}) as [
    PlatformName,
    { manifest: Digest },
  ][])
    if (manifest === expect?.index)
      wrong.push({
        platform,
        path: ["expect", "index"],
        message: `expect.index is the digest of the image for ${platform}`,
      });
  if (wrong.length > 0 || pinned === undefined) return wrong;
  return againstPinned(upstream, isIndex, pinned);
}

function againstPinned(upstream: Release["upstream"], isIndex: boolean, pinned: unknown): WrongPin[] {
  const document = (typeof pinned === "object" && pinned !== null ? pinned : {}) as Partial<ImageIndex>;
  const foundIndex = Array.isArray(document.manifests);
  if (foundIndex !== isIndex) {
    const [is, meant] = foundIndex ? ["an index", "one image"] : ["one image", "an index"];
    const message = `upstream.digest ${upstream.digest} is ${is}, and the release says it is ${meant}`;
    return [{ path: ["upstream", "digest"], message }];
  }
  if (!foundIndex) return [];
  const entries = document.manifests ?? [];
  return (Object.entries(upstream.manifests) as [PlatformName, Digest][]).flatMap(([platform, digest]): WrongPin[] => {
    const path = ["upstream", "manifests", platform];
    const named = entries.find((entry) => entry.digest === digest);
    if (!named)
      return [{ platform, path, message: `the pinned upstream index ${upstream.digest} has no manifest ${digest}` }];
    if (indexTypes.has(named.mediaType))
      return [{ platform, path, message: `${digest}, pinned for ${platform}, is an index and no image` }];
    const actual = named.platform && platformName(named.platform);
    if (actual === undefined || actual === platform) return [];
    return [{ platform, path, message: `${digest} is upstream's image for ${actual}, and is pinned for ${platform}` }];
  });
}
