import { rm, writeFile } from "node:fs/promises";
import { describe, expect, test } from "vitest";
import { type Attestation, describeAttestations, readAttestations } from "../../../src/compare/attestations.ts";
import { RefoundryError } from "../../../src/errors.ts";
import { digestOf, hexOf } from "../../../src/oci/digest.ts";
import type { OciLayout } from "../../../src/oci/layout.ts";
import { type Descriptor, mediaTypes } from "../../../src/oci/types.ts";
import { file, testLayout, writeImage, writeIndex } from "../../support/images.ts";

const inToto = "application/vnd.in-toto+json";
const provenance = "https://slsa.dev/provenance/v1";
const v01 = "https://in-toto.io/Statement/v0.1";

interface Parts {
  readonly image: Descriptor;
  readonly statement: Record<string, unknown>;
  readonly layer: Record<string, unknown>;
  readonly manifest: Record<string, unknown>;
  readonly child: Record<string, unknown>;
}

/** An index as BuildKit writes it, an image and its attestation, with what the test wants otherwise. */
async function attested(change: Partial<Omit<Parts, "image">> = {}): Promise<{
  readonly layout: OciLayout;
  readonly index: Descriptor;
  readonly image: Descriptor;
  readonly manifest: Descriptor;
  readonly layer: Descriptor;
}> {
  const layout = await testLayout();
  const image = await writeImage(layout, { layers: [[file("a")]] });
  const statement = {
    _type: v01,
    predicateType: provenance,
    subject: [{ name: "pkg:docker/app@1?platform=linux%2Famd64", digest: { sha256: hexOf(image.digest) } }],
    predicate: { buildDefinition: { buildType: "https://mobyproject.org/buildkit@v1" } },
    ...change.statement,
  };
  const layer = {
    ...(await layout.writeBytes(JSON.stringify(statement), inToto)),
    annotations: { "in-toto.io/predicate-type": statement.predicateType },
    ...change.layer,
  };
  const config = await layout.writeBytes(
    JSON.stringify({ architecture: "unknown", os: "unknown", rootfs: { type: "layers", diff_ids: [layer.digest] } }),
    mediaTypes.config,
  );
  const manifest = await layout.writeBytes(
    JSON.stringify({ schemaVersion: 2, mediaType: mediaTypes.manifest, config, layers: [layer], ...change.manifest }),
    mediaTypes.manifest,
  );
  const child = {
    ...manifest,
    annotations: { "vnd.docker.reference.digest": image.digest, "vnd.docker.reference.type": "attestation-manifest" },
    platform: { architecture: "unknown", os: "unknown" },
    ...change.child,
  };
  return { layout, image, manifest, layer, index: await writeIndex(layout, [image, child as Descriptor]) };
}

async function read(change?: Partial<Omit<Parts, "image">>): Promise<Attestation> {
  const { layout, index } = await attested(change);
  const [attestation, ...others] = await readAttestations({ reader: layout, descriptor: index });
  if (!attestation || others.length > 0) throw new Error("the index has one attestation");
  return attestation;
}

test.each([
  [v01, "https://slsa.dev/provenance/v0.2"],
  [v01, provenance],
  ["https://in-toto.io/Statement/v1", provenance],
  [v01, "https://spdx.dev/Document"],
])("%s about %s", async (type, predicateType) => {
  const { layout, index, image, manifest } = await attested({ statement: { _type: type, predicateType } });
  const attestations = await readAttestations({ reader: layout, descriptor: index });
  expect(attestations).toEqual([
    {
      digest: manifest.digest,
      subject: image.digest,
      statements: [{ statementType: type, predicateType, subjects: [image.digest] }],
      mismatches: [],
      malformed: [],
    },
  ]);
  expect(describeAttestations([...attestations, ...attestations])).toBe(`2 of ${predicateType} (${type})`);
});

test("an image alone, and an index without any, have none", async () => {
  const { layout, image } = await attested();
  expect(await readAttestations({ reader: layout, descriptor: image })).toEqual([]);
  const index = await writeIndex(layout, [image]);
  expect(await readAttestations({ reader: layout, descriptor: index })).toEqual([]);
  expect(describeAttestations([])).toBe("none");
});

describe("what speaks of something else is told", () => {
  const other = "0".repeat(64);
  test.each<[string, Partial<Omit<Parts, "image">>, RegExp]>([
    [
      "the statement's subject",
      { statement: { subject: [{ name: "x", digest: { sha256: other } }] } },
      /is about sha256:0+/,
    ],
    ["a subject without a digest", { statement: { subject: [{ name: "x" }] } }, /nothing that has a sha256 digest/],
    [
      "a digest that is none",
      { statement: { subject: [{ digest: { sha256: "../x" } }] } },
      /nothing that has a sha256/,
    ],
    ["no subjects", { statement: { subject: [] } }, /nothing that has a sha256/],
    [
      "the layer's annotation",
      { layer: { annotations: { "in-toto.io/predicate-type": "x" } } },
      /announces x and states/,
    ],
    [
      "the manifest's subject",
      { manifest: { subject: { digest: `sha256:${other}` } } },
      /manifest's subject is sha256:0/,
    ],
  ])("%s", async (_, change, message) => {
    const { mismatches, malformed, statements } = await read(change);
    expect(mismatches).toEqual([expect.stringMatching(message)]);
    expect([malformed.length, statements.length]).toEqual([0, 1]);
  });

  test("an annotation that names no image of the index", async () => {
    const { mismatches } = await read({ child: { annotations: { "vnd.docker.reference.digest": digestOf("x") } } });
    expect(mismatches).toEqual([
      expect.stringMatching(/is no image of the index/),
      expect.stringMatching(/its statement of .* is about sha256:/),
    ]);
  });
});

describe("what is no attestation is described, never thrown", () => {
  test.each<[string, Partial<Omit<Parts, "image">>, RegExp]>([
    ["no annotation", { child: { annotations: undefined } }, /has no vnd.docker.reference.digest/],
    [
      "an annotation that is no digest",
      { child: { annotations: { "vnd.docker.reference.digest": "x" } } },
      /has no vnd/,
    ],
    ["an index for a manifest", { child: { mediaType: mediaTypes.index } }, /which is no manifest/],
    ["a manifest too large to be one", { child: { size: 5_000_000 } }, /its manifest is too large/],
    ["a manifest without layers", { manifest: { layers: undefined } }, /its manifest is none/],
    ["a manifest with no layer", { manifest: { layers: [] } }, /has no statement/],
    ["a manifest with too many", { manifest: { layers: Array.from({ length: 101 }, () => null) } }, /101 layers/],
    ["a layer that is nothing", { manifest: { layers: [null] } }, /no sha256 digest and size/],
    [
      "a layer of another digest",
      { manifest: { layers: [{ mediaType: inToto, digest: "md5:x", size: 1 }] } },
      /no sha256/,
    ],
    ["a layer of an image", { layer: { mediaType: mediaTypes.layer } }, /a layer is .*tar, not/],
    ["a statement too large", { layer: { size: 33 * 1024 ** 2 } }, /34603008 bytes is too large/],
    ["a statement of another type", { statement: { _type: "https://example.org" } }, /_type is https:\/\/example.org/],
    ["a statement without a type", { statement: { _type: undefined } }, /_type is absent/],
    ["a predicate type that is none", { statement: { predicateType: 1 } }, /no in-toto statement/],
    ["subjects that are no list", { statement: { subject: {} } }, /has no list of subjects/],
    ["control characters", { statement: { _type: "\u001b[31m" } }, /_type is �\[31m/],
  ])("%s", async (_, change, message) => {
    const attestation = await read(change);
    expect(attestation.malformed).toEqual([expect.stringMatching(message)]);
    expect(describeAttestations([attestation])).toMatch(/1 of an attestation where/);
  });

  test("a manifest or a statement that a copy of the index lacks", async () => {
    for (const part of ["manifest", "layer"] as const) {
      const made = await attested();
      await rm(made.layout.blobPath(made[part].digest));
      const [attestation] = await readAttestations({ reader: made.layout, descriptor: made.index });
      expect(attestation?.malformed).toEqual([expect.stringMatching(/is missing/)]);
    }
  });

  test("but what is not what its digest says is an error", async () => {
    for (const part of ["manifest", "layer"] as const) {
      const made = await attested();
      await writeFile(made.layout.blobPath(made[part].digest), "x".repeat(made[part].size));
      const reading = readAttestations({ reader: made.layout, descriptor: made.index });
      await expect(reading).rejects.toThrow(/changed or damaged/);
    }
  });
});

test("a statement cut short anywhere, or with bytes changed, is described or an error of ours", async () => {
  const made = await attested();
  const text = await Array.fromAsync(made.layout.openBlob(made.layer));
  const statement = Buffer.concat(text);
  let seed = 99;
  const random = (below: number): number => {
    seed = (Math.imul(seed, 1_103_515_245) + 12_345) >>> 0;
    return (seed >>> 8) % below;
  };
  const flipped = (): Buffer => {
    const copy = Buffer.from(statement);
    copy[random(copy.length)] = random(256);
    return copy;
  };
  const variants = [
    ...Array.from({ length: statement.length }, (_, length) => statement.subarray(0, length)),
    ...Array.from({ length: 200 }, flipped),
  ];
  for (const bytes of variants) {
    const layer = await made.layout.writeBytes(bytes, inToto);
    const config = { mediaType: mediaTypes.config, digest: digestOf("{}"), size: 2 };
    const manifest = await made.layout.writeBytes(JSON.stringify({ config, layers: [layer] }), mediaTypes.manifest);
    const platform = { architecture: "unknown", os: "unknown" };
    const index = await writeIndex(made.layout, [made.image, { ...manifest, platform }]);
    try {
      const [attestation] = await readAttestations({ reader: made.layout, descriptor: index });
      expect(attestation?.malformed.length).toBeGreaterThan(0);
    } catch (error) {
      expect(error).toBeInstanceOf(RefoundryError);
    }
  }
}, 60_000);
