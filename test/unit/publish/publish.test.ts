import { join } from "node:path";
import { readFile } from "node:fs/promises";
import { expect, test } from "vitest";
import { digestOf } from "../../../src/oci/digest.ts";
import { ensureLayout, type OciLayout } from "../../../src/oci/layout.ts";
import { type Descriptor, mediaTypes } from "../../../src/oci/types.ts";
import { publishToLayout } from "../../../src/publish/publish-layout.ts";
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

test("a release lands in a layout whole; the same again writes nothing; another version keeps the first", async () => {
  const folder = await temporaryFolder();
  const from = await ensureLayout(join(folder, "store"));
  const manifest = { ...(await writeImage(from, "one")), platform: { os: "linux", architecture: "amd64" } };
  const index = assembleReleaseIndex([{ platform: "linux/amd64", origin: "rebuilt", descriptor: manifest }]);
  const destination = join(folder, "out");
  const first = await publishToLayout({ index, manifests: [manifest], tag: "1.0" }, from, destination);
  expect(first.bytesWritten).toBeGreaterThan(0);
  const before = await readFile(join(destination, "index.json"), "utf8");
  const again = await publishToLayout({ index, manifests: [manifest], tag: "1.0" }, from, destination);
  expect(again).toEqual({ index: first.index, bytesWritten: 0 });
  expect(await readFile(join(destination, "index.json"), "utf8")).toBe(before);
  await publishToLayout({ index, manifests: [manifest], tag: "1.1" }, from, destination);
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
  await expect(
    publishToLayout({ index: Buffer.from("{}"), manifests: [manifest], tag: "1" }, from, destination),
  ).rejects.toThrow(/lacks blob/);
  expect(JSON.parse(await readFile(join(destination, "index.json"), "utf8")).manifests).toEqual([]);
});
