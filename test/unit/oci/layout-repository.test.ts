import { readFile } from "node:fs/promises";
import { join } from "node:path";
import { expect, test } from "vitest";
import { digestOf } from "../../../src/oci/digest.ts";
import { openLayoutRepository } from "../../../src/oci/layout-repository.ts";
import { mediaTypes } from "../../../src/oci/types.ts";
import { temporaryFolder } from "../../support/temporary.ts";

const index = (text: string): Buffer =>
  Buffer.from(JSON.stringify({ schemaVersion: 2, mediaType: mediaTypes.index, manifests: [], annotations: { text } }));

test("tags name what was pushed last, and many at once lose none", async () => {
  const repository = await openLayoutRepository(await temporaryFolder());
  const tags = Array.from({ length: 20 }, (_, position) => `t${position}`);
  await Promise.all(tags.map((tag) => repository.pushManifest(index(tag), mediaTypes.index, tag)));
  expect(await repository.listTags()).toEqual(tags.toSorted());
  await repository.pushManifest(index("new"), mediaTypes.index, "t3");
  expect((await repository.resolve("t3")).descriptor.digest).toBe(digestOf(index("new")));
  expect(await repository.listTags()).toHaveLength(20);
  expect(await repository.find("t99")).toBeUndefined();
  await expect(repository.resolve("t99")).rejects.toThrow(/has no manifest t99/);
});

test("a manifest that refers to a subject is listed there, once, and is no tag whatever its annotations say", async () => {
  const folder = await temporaryFolder();
  const repository = await openLayoutRepository(folder);
  const subject = { mediaType: mediaTypes.index, digest: digestOf("s"), size: 1 };
  const referrer = Buffer.from(
    JSON.stringify({
      schemaVersion: 2,
      mediaType: mediaTypes.manifest,
      config: { mediaType: "application/x-of-config", digest: digestOf("{}"), size: 2 },
      layers: [],
      subject,
      annotations: { "org.opencontainers.image.ref.name": "1.0", note: "text" },
    }),
  );
  for (const _ of [1, 2]) await repository.pushManifest(referrer, mediaTypes.manifest, digestOf(referrer));
  expect(await repository.listReferrers(subject.digest)).toEqual([
    {
      mediaType: mediaTypes.manifest,
      digest: digestOf(referrer),
      size: referrer.length,
      artifactType: "application/x-of-config",
      annotations: { "org.opencontainers.image.ref.name": "1.0", note: "text" },
    },
  ]);
  expect(await repository.listReferrers(subject.digest, { artifactType: "text/plain" })).toEqual([]);
  expect(await repository.listReferrers(digestOf("another"))).toEqual([]);
  expect(await repository.listTags()).toEqual([]);
  expect(JSON.parse(await readFile(join(folder, "index.json"), "utf8")).manifests).toHaveLength(1);
});

test("a digest that is a blob and no manifest names none", async () => {
  const repository = await openLayoutRepository(await temporaryFolder());
  const text = Buffer.from("plain");
  await repository.pushBlob({ digest: digestOf(text), size: text.length }, async function* () {
    yield text;
  });
  expect(await repository.hasBlob({ digest: digestOf(text), size: text.length })).toBe(true);
  expect(await repository.find(digestOf(text))).toBeUndefined();
  await expect(repository.pushManifest(index("a"), mediaTypes.index, digestOf("b"))).rejects.toThrow(/own digest/);
});
