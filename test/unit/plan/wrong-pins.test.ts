import { expect, test } from "vitest";
import { digestOf } from "../../../src/oci/digest.ts";
import { type Descriptor, mediaTypes } from "../../../src/oci/types.ts";
import { wrongPinsOf } from "../../../src/plan/wrong-pins.ts";
import type { Release } from "../../../src/recipe/schema.ts";

const [index, amd64, arm64] = ["index", "amd64", "arm64"].map(digestOf) as [
  Descriptor["digest"],
  Descriptor["digest"],
  Descriptor["digest"],
];

function release(upstream: Partial<Release["upstream"]> = {}, expected?: Release["expect"]): Release {
  return {
    version: "1.0",
    source: { commit: "a".repeat(40), tree: "b".repeat(40), archive: digestOf("source"), epoch: 1 },
    toolchain: { digest: digestOf("toolchain") },
    upstream: {
      digest: index,
      mediaType: mediaTypes.index,
      size: 1,
      manifests: { "linux/amd64": amd64, "linux/arm64": arm64 },
      ...upstream,
    },
    ...(expected && { expect: expected }),
  };
}

const child = (
  digest: Descriptor["digest"],
  architecture: string,
  mediaType: string = mediaTypes.manifest,
): Descriptor => ({
  mediaType,
  digest,
  size: 1,
  platform: { os: "linux", architecture },
});
const pinned = (...manifests: Descriptor[]): unknown => ({ schemaVersion: 2, mediaType: mediaTypes.index, manifests });
const messages = (...given: Parameters<typeof wrongPinsOf>): string[] =>
  wrongPinsOf(...given).map(({ platform, message }) => `${platform ?? "all"}: ${message}`);

test("pins that fit together are let be, with and without the index at hand", () => {
  expect(wrongPinsOf(release())).toEqual([]);
  expect(wrongPinsOf(release(), pinned(child(amd64, "amd64"), child(arm64, "arm64")))).toEqual([]);
  const one = { digest: amd64, mediaType: mediaTypes.manifest, manifests: { "linux/amd64": amd64 } };
  expect(wrongPinsOf(release(one), { config: {}, layers: [] })).toEqual([]);
});

test("an index is no image, and an image no index", () => {
  expect(messages(release({ manifests: { "linux/amd64": index } }))).toEqual([
    "linux/amd64: upstream's manifest for linux/amd64 is the digest of the index itself",
  ]);
  expect(messages(release({ mediaType: mediaTypes.manifest, manifests: { "linux/amd64": amd64 } }))[0]).toMatch(
    /^linux\/amd64: upstream is one image/,
  );
  expect(messages(release(), { config: {}, layers: [] })[0]).toMatch(
    /^all: .* is one image, and the release says it is an index/,
  );
  const one = { digest: amd64, mediaType: mediaTypes.manifest, manifests: { "linux/amd64": amd64 } };
  expect(messages(release(one), pinned())[0]).toMatch(/^all: .* is an index, and the release says it is one image/);
  const expected = { index: amd64, platforms: { "linux/386": { manifest: amd64, buildKey: digestOf("key") } } };
  expect(messages(release({}, expected))).toEqual(["linux/386: expect.index is the digest of the image for linux/386"]);
});

test("a manifest that the pinned index does not have, or has for another platform, is refused", () => {
  expect(messages(release(), pinned(child(amd64, "amd64")))).toEqual([
    `linux/arm64: the pinned upstream index ${index} has no manifest ${arm64}`,
  ]);
  expect(messages(release(), pinned(child(amd64, "arm64"), child(arm64, "arm64")))).toEqual([
    `linux/amd64: ${amd64} is upstream's image for linux/arm64, and is pinned for linux/amd64`,
  ]);
  expect(messages(release(), pinned(child(amd64, "amd64", mediaTypes.index), child(arm64, "arm64")))).toEqual([
    `linux/amd64: ${amd64}, pinned for linux/amd64, is an index and no image`,
  ]);
});
