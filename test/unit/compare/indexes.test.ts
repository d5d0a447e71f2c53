import fc from "fast-check";
import { describe, expect, test } from "vitest";
import { compareIndexes } from "../../../src/compare/indexes.ts";
import { resolvePlatforms } from "../../../src/compare/resolve.ts";
import type { Difference } from "../../../src/compare/types.ts";
import { digestOf, hexOf } from "../../../src/oci/digest.ts";
import type { OciLayout } from "../../../src/oci/layout.ts";
import { type Descriptor, type ImageIndex, mediaTypes, type OciPlatform } from "../../../src/oci/types.ts";
import { file, testLayout, writeImage } from "../../support/images.ts";

interface Stock {
  readonly layout: OciLayout;
  readonly amd64: Descriptor;
  readonly arm64: Descriptor;
  /** Another image for amd64. */
  readonly rebuilt: Descriptor;
  /** Attestations of amd64 by different builds. */
  readonly attestation: Descriptor;
  readonly attestation2: Descriptor;
  readonly artifact: Descriptor;
}

async function stocked(): Promise<Stock> {
  const layout = await testLayout();
  const amd64 = await writeImage(layout, { layers: [[file("a")]] });
  const arm64 = await writeImage(layout, { layers: [[file("a")]], architecture: "arm64" });
  const rebuilt = await writeImage(layout, { layers: [[file("a", "other")]] });
  const artifactConfig = await layout.writeBytes("{}", "application/vnd.oci.empty.v1+json");
  const artifact = await layout.writeBytes(
    JSON.stringify({ schemaVersion: 2, artifactType: "application/spdx+json", config: artifactConfig, layers: [] }),
    mediaTypes.manifest,
  );
  const [attestation, attestation2] = [await attest(layout, amd64, "one"), await attest(layout, amd64, "two")];
  return {
    layout,
    amd64,
    arm64: { ...arm64, platform: { os: "linux", architecture: "arm64" } },
    rebuilt,
    attestation,
    attestation2,
    artifact,
  };
}

async function attest(layout: OciLayout, image: Descriptor, build: string): Promise<Descriptor> {
  const statement = {
    _type: "https://in-toto.io/Statement/v0.1",
    predicateType: "https://slsa.dev/provenance/v0.2",
    subject: [{ name: "_", digest: { sha256: hexOf(image.digest) } }],
    predicate: { build },
  };
  const layer = await layout.writeBytes(JSON.stringify(statement), "application/vnd.in-toto+json");
  const manifest = await layout.writeBytes(
    JSON.stringify({ schemaVersion: 2, config: layer, layers: [layer] }),
    mediaTypes.manifest,
  );
  return {
    ...manifest,
    platform: { os: "unknown", architecture: "unknown" },
    annotations: { "vnd.docker.reference.type": "attestation-manifest", "vnd.docker.reference.digest": image.digest },
  };
}

type IndexInput = Partial<ImageIndex> & { readonly manifests: readonly Descriptor[] } & Readonly<
    Record<string, unknown>
  >;

async function write(layout: OciLayout, index: IndexInput | string): Promise<Descriptor> {
  const mediaType = typeof index === "string" ? undefined : index.mediaType;
  const text = typeof index === "string" ? index : JSON.stringify({ schemaVersion: 2, ...index });
  return layout.writeBytes(text, mediaType ?? mediaTypes.index);
}

async function compare(
  { layout }: Stock,
  left: IndexInput | string,
  right: IndexInput | string,
): Promise<Difference[]> {
  const [a, b] = [await write(layout, left), await write(layout, right)];
  const found = await compareIndexes({ reader: layout, descriptor: a }, { reader: layout, descriptor: b });
  const back = await compareIndexes({ reader: layout, descriptor: b }, { reader: layout, descriptor: a });
  expect(back.map(summary)).toEqual(found.map(summary));
  for (const { scope, weight, proof, count, paths } of found) {
    expect(scope).toBe("index");
    expect(proof).toBe(weight === "benign" ? "normalised-equal" : undefined);
    expect(count).toBeGreaterThan(0);
    expect(paths).toEqual(paths.toSorted());
  }
  return found;
}

function summary({ class: name, weight }: Difference): string {
  return `${name} ${weight}`;
}

const stock = { get: stocked };

type Make = (stock: Stock) => readonly [IndexInput | string, IndexInput | string];

describe("each difference has its class, and only that", () => {
  test.each<[string, Make, readonly string[], (string | RegExp)?]>([
    ["nothing", ({ amd64 }) => [{ manifests: [amd64] }, { manifests: [amd64] }], []],
    [
      "attestations on one side",
      ({ amd64, attestation }) => [{ manifests: [amd64, attestation] }, { manifests: [amd64] }],
      ["attestation-children benign"],
      /https:\/\/slsa.dev\/provenance\/v0.2 \(https:\/\/in-toto.io\/Statement\/v0.1\); none|none; 1 of https/,
    ],
    [
      "other attestations",
      ({ amd64, attestation, attestation2 }) => [
        { manifests: [amd64, attestation] },
        { manifests: [amd64, attestation2] },
      ],
      ["attestation-children benign"],
    ],
    [
      "an attestation twice",
      ({ amd64, attestation }) => [
        { manifests: [amd64, attestation] },
        { manifests: [amd64, attestation, attestation] },
      ],
      ["attestation-children benign"],
    ],
    [
      "what only claims to be an attestation",
      ({ amd64, rebuilt, attestation }) => [
        { manifests: [amd64] },
        { manifests: [amd64, { ...attestation, digest: rebuilt.digest, size: rebuilt.size }] },
      ],
      ["attestation-malformed unexplained"],
      /a layer is application\/vnd.oci.image.layer/,
    ],
    [
      "children in another order",
      ({ amd64, arm64 }) => [{ manifests: [amd64, arm64] }, { manifests: [arm64, amd64] }],
      ["index-child-order benign"],
    ],
    [
      "annotations of the index and of a child",
      ({ amd64 }) => [
        { manifests: [amd64], annotations: { "org.opencontainers.image.created": "1", same: "x" } },
        {
          manifests: [{ ...amd64, annotations: { "org.opencontainers.image.ref.name": "v1" } }],
          annotations: { same: "x" },
        },
      ],
      ["index-annotations benign"],
    ],
    [
      "annotations that are none",
      ({ amd64 }) => [{ manifests: [amd64] }, { manifests: [amd64], annotations: ["x"] as never }],
      ["index-annotations benign"],
    ],
    [
      "a Docker list",
      ({ amd64 }) => [
        { manifests: [amd64], mediaType: mediaTypes.index },
        { manifests: [amd64], mediaType: mediaTypes.dockerIndex },
      ],
      ["index-media-type benign"],
      /manifest.list/,
    ],
    [
      "a child of a type that nobody runs",
      ({ amd64 }) => [{ manifests: [amd64] }, { manifests: [{ ...amd64, mediaType: "application/x" }] }],
      ["index-media-type unexplained"],
    ],
    [
      "an artifact",
      ({ amd64, artifact }) => [{ manifests: [amd64] }, { manifests: [amd64, artifact] }],
      ["index-artifact-children benign"],
      /application\/spdx\+json/,
    ],
    [
      "other fields",
      ({ amd64, arm64 }) => [
        { manifests: [amd64, arm64], future: 1 },
        { manifests: [{ ...amd64, artifactType: "x" }, arm64], artifactType: "y" },
      ],
      ["index-fields benign"],
    ],
    [
      "an implied variant",
      ({ arm64 }) => [
        { manifests: [arm64] },
        { manifests: [{ ...arm64, platform: { os: "linux", architecture: "arm64", variant: "v8" } }] },
      ],
      ["index-fields benign"],
    ],
    [
      "features to choose by",
      ({ amd64 }) => [
        { manifests: [amd64] },
        { manifests: [{ ...amd64, platform: { ...(amd64.platform as OciPlatform), "os.features": ["win32k"] } }] },
      ],
      ["index-platform-fields unexplained"],
    ],
    [
      "a platform that is only in the config",
      ({ amd64, arm64 }) => {
        const { platform: _, ...bare } = amd64;
        return [{ manifests: [amd64, arm64] }, { manifests: [bare, arm64] }];
      },
      ["index-platform-fields unexplained"],
    ],
    [
      "another image behind the first of a platform",
      ({ amd64, rebuilt }) => [{ manifests: [amd64] }, { manifests: [amd64, rebuilt] }],
      ["index-repeated-platform unexplained"],
    ],
    [
      "the same two images of a platform, the other way round",
      ({ amd64, rebuilt }) => [{ manifests: [amd64, rebuilt] }, { manifests: [rebuilt, amd64] }],
      ["index-repeated-platform unexplained"],
    ],
    [
      "keys in another order",
      ({ amd64 }) => [
        JSON.stringify({ schemaVersion: 2, manifests: [amd64] }),
        JSON.stringify({ manifests: [amd64], schemaVersion: 2 }),
      ],
      ["index-key-order benign"],
    ],
    [
      "white space",
      ({ amd64 }) => [
        JSON.stringify({ schemaVersion: 2, manifests: [amd64] }),
        JSON.stringify({ schemaVersion: 2, manifests: [amd64] }, undefined, 2),
      ],
      ["index-key-order benign"],
    ],
    [
      "another image, which others compare",
      ({ amd64, rebuilt }) => [{ manifests: [amd64] }, { manifests: [rebuilt] }],
      [],
    ],
    [
      "a platform more, which others tell",
      ({ amd64, arm64 }) => [{ manifests: [amd64] }, { manifests: [amd64, arm64] }],
      [],
    ],
  ])("%s", async (_, make, expected, detail) => {
    const made = await stock.get();
    const found = await compare(made, ...make(made));
    expect(found.map(summary)).toEqual(expected);
    if (detail !== undefined) expect(found[0]?.detail).toMatch(detail);
  });

  test("which keys differ, and where", async () => {
    const made = await stock.get();
    const { amd64, arm64 } = made;
    const found = await compare(
      made,
      { manifests: [amd64, arm64], annotations: { b: "1", a: "1" } },
      {
        manifests: [
          { ...amd64, annotations: { b: "2" } },
          { ...arm64, urls: ["x"] },
        ],
        annotations: { b: "2" },
      },
    );
    expect(found.map(({ class: name, count, paths }) => [name, count, paths])).toEqual([
      ["index-annotations", 3, ["a (the index)", "b (linux/amd64)", "b (the index)"]],
      ["index-fields", 1, ["urls (linux/arm64)"]],
    ]);
  });

  test("an index in the index", async () => {
    const made = await stock.get();
    const { layout, amd64, arm64, attestation } = made;
    const nested = await write(layout, { manifests: [amd64, attestation], annotations: { a: "1" } });
    const flat = { manifests: [amd64, attestation, arm64] };
    const found = await compare(made, flat, { manifests: [nested, arm64] });
    expect(found.map(summary)).toEqual(["index-nested benign", "index-annotations benign"]);
    const chosen = { ...nested, platform: { os: "linux", architecture: "s390x" } };
    expect((await compare(made, flat, { manifests: [chosen, arm64] })).map(summary)).toContain(
      "index-platform-fields unexplained",
    );
    expect((await compare(made, { manifests: [nested, arm64] }, { manifests: [chosen, arm64] })).map(summary)).toEqual([
      "index-platform-fields unexplained",
    ]);
  });
});

test("the platform of an index in the index counts, and a platform called like another's second image is its own", async () => {
  const made = await stock.get();
  const { layout, amd64, arm64, rebuilt } = made;
  const nested = await write(layout, { manifests: [amd64] });
  const on = (architecture: string): Descriptor => ({ ...nested, platform: { os: "linux", architecture } });
  expect(
    (await compare(made, { manifests: [on("amd64"), arm64] }, { manifests: [on("s390x"), arm64] })).map(summary),
  ).toEqual(["index-platform-fields unexplained"]);
  const called = { ...rebuilt, platform: { os: "linux", architecture: "amd64 (2)" } };
  const found = await compare(
    made,
    { manifests: [called, amd64, rebuilt] },
    { manifests: [called, amd64, { ...arm64, platform: amd64.platform as OciPlatform }] },
  );
  expect(found.map(summary)).toContain("index-repeated-platform unexplained");
});

describe("inline data", () => {
  test("that is the content is a difference of its own, on whichever side", async () => {
    const made = await stock.get();
    const { layout, amd64 } = made;
    const data = Buffer.from(await layout.readDocument(amd64)).toString("base64");
    const found = await compare(made, { manifests: [amd64] }, { manifests: [{ ...amd64, data }] });
    expect(found.map(summary)).toEqual(["index-inline-data benign"]);
    expect(found[0]?.paths).toEqual(["linux/amd64"]);
  });

  test.each<[string, (content: Buffer) => unknown]>([
    ["another content", (content) => Buffer.from(content.toString().replace("2", "3")).toString("base64")],
    ["content cut short", (content) => content.subarray(1).toString("base64")],
    ["no base64", () => "***"],
    ["base64 in another form", (content) => ` ${content.toString("base64")}`],
    ["nothing", () => ""],
    ["a number", () => 1],
    ["null", () => null],
  ])("%s is an error", async (_, dataOf) => {
    const made = await stock.get();
    const { layout, amd64 } = made;
    const data = dataOf(Buffer.from(await layout.readDocument(amd64))) as string;
    await expect(compare(made, { manifests: [amd64] }, { manifests: [{ ...amd64, data }] })).rejects.toMatchObject({
      kind: "infrastructure",
      message: expect.stringMatching(/inline data/),
    });
  });
});

describe("a swapped child never looks the same", () => {
  test("amd64's manifest under arm64's platform, or two of one platform in another order: another core", async () => {
    const { layout, amd64, arm64, rebuilt } = await stock.get();
    const core = async (...manifests: readonly Descriptor[]): Promise<readonly string[]> =>
      (await resolvePlatforms({ reader: layout, descriptor: await write(layout, { manifests }) })).core;
    const { platform: first } = amd64;
    const { platform: second } = arm64;
    if (!first || !second) throw new Error("both have a platform");
    expect(await core(amd64, arm64)).toEqual(await core(arm64, amd64));
    expect(await core(amd64, arm64)).not.toEqual(
      await core({ ...arm64, platform: first }, { ...amd64, platform: second }),
    );
    expect(await core(amd64, rebuilt)).not.toEqual(await core(rebuilt, amd64));
    expect(await core(amd64, arm64, rebuilt)).toEqual(await core(arm64, amd64, rebuilt));
  });
});

test("whatever is shuffled, annotated or added, benign differences never hide another map of images", async () => {
  const { layout, amd64, arm64, rebuilt, attestation, artifact } = await stock.get();
  const children = [amd64, arm64, rebuilt, attestation, artifact];
  const list = fc.array(
    fc.record({ position: fc.nat(children.length - 1), annotated: fc.boolean() }).map(({ position, annotated }) => {
      const child = children[position] as Descriptor;
      return annotated ? { ...child, annotations: { ...child.annotations, x: "1" } } : child;
    }),
    { minLength: 1, maxLength: 5 },
  );
  await fc.assert(
    fc.asyncProperty(list, list, async (left, right) => {
      const [a, b] = [await write(layout, { manifests: left }), await write(layout, { manifests: right })];
      const sides = [
        { reader: layout, descriptor: a },
        { reader: layout, descriptor: b },
      ] as const;
      const found = await compareIndexes(...sides);
      const images = (manifests: readonly Descriptor[], of: OciPlatform | undefined): string =>
        manifests
          .filter(({ platform }) => platform?.architecture === of?.architecture && of !== undefined)
          .map(({ digest }) => digest)
          .join();
      const later = (text: string): string => text.slice(digestOf("").length);
      const same = [amd64.platform, arm64.platform].every(
        (platform) => later(images(left, platform)) === later(images(right, platform)),
      );
      expect(found.every(({ weight }) => weight === "benign")).toBe(same);
      if (a.digest !== b.digest && JSON.stringify(left) !== JSON.stringify(right) && found.length === 0) {
        const [x, y] = [await resolvePlatforms(sides[0]), await resolvePlatforms(sides[1])];
        expect(x.core).not.toEqual(y.core);
      }
    }),
    { numRuns: 150 },
  );
}, 60_000);
