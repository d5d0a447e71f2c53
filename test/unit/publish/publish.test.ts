import { join } from "node:path";
import { readFile } from "node:fs/promises";
import { expect, test } from "vitest";
import { digestOf } from "../../../src/oci/digest.ts";
import { ensureLayout, type OciLayout } from "../../../src/oci/layout.ts";
import { type Descriptor, mediaTypes } from "../../../src/oci/types.ts";
import { openLayoutRepository } from "../../../src/oci/layout-repository.ts";
import { publishImages, type ReleaseImages, requireTagFree, tagRelease } from "../../../src/publish/publish-release.ts";
import { mayMoveReleaseTag, releaseTag, tagsToMove } from "../../../src/publish/release-tags.ts";
import { assembleReleaseIndex, type ReleaseEntry } from "../../../src/publish/release-index.ts";
import { temporaryFolder } from "../../support/temporary.ts";

function entry(platform: ReleaseEntry["platform"], variant?: string): ReleaseEntry {
  const [os = "", architecture = ""] = platform.split("/");
  const content = { mediaType: mediaTypes.manifest, digest: digestOf(platform), size: 7 };
  return {
    platform,
    origin: "rebuilt",
    descriptor: {
      ...content,
      platform: { os, architecture, ...(variant && { variant }) },
      annotations: { stray: "1" },
    },
  };
}

test("index bytes do not depend on the order of the platforms and carry no annotations", () => {
  const entries = [entry("linux/riscv64"), entry("linux/amd64"), entry("linux/arm64", "v8")];
  const bytes = assembleReleaseIndex(entries);
  expect(assembleReleaseIndex(entries.toReversed())).toEqual(bytes);
  const index = JSON.parse(Buffer.from(bytes).toString());
  expect(index.manifests.map((child: Descriptor) => child.platform?.architecture)).toEqual([
    "amd64",
    "arm64",
    "riscv64",
  ]);
  expect(index.manifests[1].platform).toEqual({ os: "linux", architecture: "arm64", variant: "v8" });
  expect(Buffer.from(bytes).toString()).not.toContain("stray");
});

test("a descriptor of another platform cannot slip in", () => {
  expect(() => assembleReleaseIndex([{ ...entry("linux/amd64"), platform: "linux/arm64" }])).toThrow(
    /another platform/,
  );
});

async function writeImage(blobs: OciLayout, content: string): Promise<Descriptor> {
  const config = await blobs.writeBytes(`{"of":"${content}"}`, mediaTypes.config);
  const layer = await blobs.writeBytes(content, mediaTypes.layer);
  return blobs.writeBytes(
    JSON.stringify({ schemaVersion: 2, mediaType: mediaTypes.manifest, config, layers: [layer] }),
    mediaTypes.manifest,
  );
}

async function publishAs(tag: string, release: ReleaseImages, from: OciLayout, destination: string) {
  const to = await openLayoutRepository(destination);
  const published = await publishImages(release, from, to);
  await tagRelease(release.index, to, tag);
  return published;
}

test("a release lands in a layout whole; the same again writes nothing; another version keeps the first", async () => {
  const folder = await temporaryFolder();
  const from = await ensureLayout(join(folder, "store"));
  const manifest = { ...(await writeImage(from, "one")), platform: { os: "linux", architecture: "amd64" } };
  const index = assembleReleaseIndex([{ platform: "linux/amd64", origin: "rebuilt", descriptor: manifest }]);
  const destination = join(folder, "out");
  const first = await publishAs("1.0", { index, manifests: [manifest] }, from, destination);
  expect(first.bytesWritten).toBeGreaterThan(0);
  const before = await readFile(join(destination, "index.json"), "utf8");
  const again = await publishAs("1.0", { index, manifests: [manifest] }, from, destination);
  expect(again).toEqual({ index: first.index, bytesWritten: 0 });
  expect(await readFile(join(destination, "index.json"), "utf8")).toBe(before);
  await publishAs("1.1", { index, manifests: [manifest] }, from, destination);
  const tags = JSON.parse(await readFile(join(destination, "index.json"), "utf8")).manifests.map(
    (child: Descriptor) => child.annotations?.["org.opencontainers.image.ref.name"],
  );
  expect(tags).toEqual(["1.0", "1.1"]);
});

test("with a blob missing, nothing is tagged", async () => {
  const folder = await temporaryFolder();
  const from = await ensureLayout(join(folder, "store"));
  const config = await from.writeBytes("{}", mediaTypes.config);
  const layers = [{ mediaType: mediaTypes.layer, digest: digestOf("nowhere"), size: 7 }];
  const manifest = await from.writeBytes(JSON.stringify({ schemaVersion: 2, config, layers }), mediaTypes.manifest);
  const destination = join(folder, "out");
  await expect(publishAs("1", { index: Buffer.from("{}"), manifests: [manifest] }, from, destination)).rejects.toThrow(
    /lacks blob/,
  );
  expect(JSON.parse(await readFile(join(destination, "index.json"), "utf8")).manifests).toEqual([]);
});

test("a tag that names something else is refused, unless it may move", async () => {
  const folder = await temporaryFolder();
  const from = await ensureLayout(join(folder, "store"));
  const manifest = { ...(await writeImage(from, "one")), platform: { os: "linux", architecture: "amd64" } };
  const index = assembleReleaseIndex([{ platform: "linux/amd64", origin: "rebuilt", descriptor: manifest }]);
  const to = await openLayoutRepository(join(folder, "out"));
  await publishAs("1.0", { index, manifests: [manifest] }, from, join(folder, "out"));
  expect(await requireTagFree(to, "1.0", digestOf(index))).toBe("there");
  expect(await requireTagFree(to, "1.1", digestOf(index))).toBe("new");
  await expect(requireTagFree(to, "1.0", digestOf("another"))).rejects.toThrow(/does not move/);
});

test("tags follow the newest release that gives them, and no other", () => {
  const templates = ["latest", "{major}.{minor}", "{version}-ours"];
  const versions = ["1.9.1", "1.10.0", "2.0.0-rc1"];
  expect(tagsToMove(templates, "1.10.0", versions)).toEqual(["latest", "1.10", "1.10.0-ours"]);
  expect(tagsToMove(templates, "1.9.1", versions)).toEqual(["1.9", "1.9.1-ours"]);
  expect(tagsToMove(templates, "2.0.0-rc1", versions)).toEqual(["2.0.0-rc1-ours"]);
  expect(tagsToMove(["{major}.{minor}"], "7", ["7"])).toEqual([]);
  expect(releaseTag("1:2.3+dfsg~1")).toBe("1_2.3_dfsg_1");
  expect([mayMoveReleaseTag(["{version}"]), mayMoveReleaseTag(["latest"])]).toEqual([true, false]);
});
