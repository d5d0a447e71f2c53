import { generateKeyPairSync } from "node:crypto";
import { join } from "node:path";
import { readFile, writeFile } from "node:fs/promises";
import { beforeEach, describe, expect, test } from "vitest";
import { attachArtifact } from "../../../src/attest/attach.ts";
import { attest, ownAttestations } from "../../../src/attest/attest.ts";
import { bundleType, readAttestations } from "../../../src/attest/read-attestations.ts";
import { digestSet, predicateTypes, type Statement, statementOf } from "../../../src/attest/statement.ts";
import { digestOf } from "../../../src/oci/digest.ts";
import { openLayoutRepository } from "../../../src/oci/layout-repository.ts";
import type { Repository } from "../../../src/oci/repository.ts";
import { type Descriptor, mediaTypes } from "../../../src/oci/types.ts";
import { keySigner, memoryKeyHolder, type Signer } from "../../../src/sign/signer.ts";
import { temporaryFolder } from "../../support/temporary.ts";

let folder: string;
let repository: Repository;
let signer: Signer;
const image: Descriptor = { mediaType: mediaTypes.manifest, digest: digestOf("an image"), size: 8 };
const other: Descriptor = { mediaType: mediaTypes.manifest, digest: digestOf("another"), size: 7 };

function newSigner(name: string, kind: "ec" | "ed25519" | "rsa" = "ec"): Signer {
  const key =
    kind === "ec"
      ? generateKeyPairSync("ec", { namedCurve: "prime256v1" }).privateKey
      : kind === "rsa"
        ? generateKeyPairSync("rsa", { modulusLength: 2048 }).privateKey
        : generateKeyPairSync("ed25519").privateKey;
  return keySigner(memoryKeyHolder(key, name));
}

function trust(...signers: Signer[]) {
  return { keys: signers.flatMap(({ name, publicKey }) => (publicKey ? [{ name, publicKey }] : [])) };
}

function statement(subject: Descriptor, predicate: unknown, type: string = predicateTypes.equivalence): Statement {
  return statementOf(type, [{ digest: digestSet(subject.digest) }], predicate);
}

beforeEach(async () => {
  folder = await temporaryFolder();
  repository = await openLayoutRepository(folder);
  signer = newSigner("we");
});

async function attestOnce(statements: Statement[], by = signer) {
  return attest(repository, image, statements, await ownAttestations(repository, image, by), by);
}

describe("attestations", () => {
  test.each(["ec", "ed25519", "rsa"] as const)("signed with %s are verified with that key", async (kind) => {
    const by = newSigner(kind, kind);
    await attestOnce([statement(image, { equal: true })], by);
    const found = await readAttestations(repository, image.digest, trust(by));
    expect(found).toMatchObject([{ trusted: true, signer: kind, statement: { predicate: { equal: true } } }]);
  });

  test("are not made twice by one signer, are by another, and are when they say something else", async () => {
    const first = [statement(image, { a: 1 }), statement(image, {}, predicateTypes.signature)];
    expect(await attestOnce(first)).toEqual({ attached: 2, there: 0 });
    expect(await attestOnce(first)).toEqual({ attached: 0, there: 2 });
    expect(await attestOnce([statement(image, { a: 2 })])).toEqual({ attached: 1, there: 0 });
    expect(await attestOnce(first, newSigner("they"))).toEqual({ attached: 2, there: 0 });
  });

  test("of provenance are the same whenever it was", async () => {
    const provenance = (startedOn: string, builder: string): Statement =>
      statement(
        image,
        { buildDefinition: {}, runDetails: { builder: { id: builder }, metadata: { startedOn } } },
        predicateTypes.provenance,
      );
    await attestOnce([provenance("2020-01-01", "a")]);
    expect(await attestOnce([provenance("2021-01-01", "a")])).toEqual({ attached: 0, there: 1 });
    expect(await attestOnce([provenance("2021-01-01", "b")])).toEqual({ attached: 1, there: 0 });
  });

  test("by somebody else do not count, nor do they keep ours from being made", async () => {
    const stranger = newSigner("stranger");
    await attestOnce([statement(image, { a: 1 })], stranger);
    expect(await readAttestations(repository, image.digest, trust(signer))).toMatchObject([{ trusted: false }]);
    expect(await attestOnce([statement(image, { a: 1 })])).toEqual({ attached: 1, there: 0 });
  });

  test("of one image that are attached to another do not count", async () => {
    await attest(repository, image, [statement(other, {})], [], signer);
    const found = await readAttestations(repository, image.digest, trust(signer));
    expect(found).toMatchObject([{ trusted: false, reason: expect.stringContaining("about something else") }]);
  });

  test("with a bit changed anywhere in what was signed do not count", async () => {
    await attestOnce([statement(image, { verdict: "different" })]);
    const [referrer] = await repository.listReferrers(image.digest);
    if (!referrer) throw new Error("nothing was attached");
    const manifest = JSON.parse(Buffer.from(await repository.readDocument(referrer)).toString());
    const path = join(folder, "blobs/sha256", manifest.layers[0].digest.slice(7));
    const bundle = JSON.parse(await readFile(path, "utf8"));
    const forged = Buffer.from(bundle.dsseEnvelope.payload, "base64").toString().replace("different", "identical");
    bundle.dsseEnvelope.payload = Buffer.from(forged).toString("base64");
    const bytes = Buffer.from(JSON.stringify(bundle));
    // in place: the digest says so
    await writeFile(path, bytes);
    expect(await readAttestations(repository, image.digest, trust(signer))).toMatchObject([{ trusted: false }]);
    // as content of its own: the signature says so
    await repository.pushBlob({ digest: digestOf(bytes), size: bytes.length }, async function* () {
      yield bytes;
    });
    const changed = Buffer.from(
      JSON.stringify({ ...manifest, layers: [{ ...manifest.layers[0], digest: digestOf(bytes), size: bytes.length }] }),
    );
    await repository.pushManifest(changed, mediaTypes.manifest, digestOf(changed));
    const found = await readAttestations(repository, image.digest, trust(signer));
    expect(found.map(({ trusted }) => trusted)).toEqual([false, false]);
    expect(JSON.stringify(found)).toContain("signature verification failed");
  });

  test.each([
    ["nothing", ""],
    ["no JSON", "{"],
    ["another document", '{"mediaType":"application/json"}'],
    ["null", "null"],
    ["a bundle without content", JSON.stringify({ mediaType: bundleType, verificationMaterial: {} })],
  ])("a bundle that is %s does not count, and stops nothing", async (_, text) => {
    const bytes = Buffer.from(text);
    const layer = { mediaType: bundleType, digest: digestOf(bytes), size: bytes.length };
    await repository.pushBlob(layer, async function* () {
      if (bytes.length > 0) yield bytes;
    });
    const manifest = Buffer.from(
      JSON.stringify({
        schemaVersion: 2,
        mediaType: mediaTypes.manifest,
        artifactType: bundleType,
        config: layer,
        layers: [layer],
        subject: image,
      }),
    );
    await repository.pushManifest(manifest, mediaTypes.manifest, digestOf(manifest));
    await attestOnce([statement(image, {})]);
    const found = await readAttestations(repository, image.digest, trust(signer));
    expect(found.filter(({ trusted }) => trusted)).toHaveLength(1);
    expect(found).toHaveLength(2);
  });
});

test("an artifact is attached once for each thing it says", async () => {
  const attach = async (text: string, claim: string) =>
    attachArtifact(repository, image, await repository.listReferrers(image.digest), {
      artifactType: "text/html",
      title: "report.html",
      bytes: Buffer.from(text),
      claim,
    });
  const first = await attach("at noon", "equal");
  expect(first.there).toBe(false);
  const second = await attach("at one", "equal");
  expect(second).toEqual({ content: expect.objectContaining({ digest: first.content.digest }), there: true });
  expect((await attach("at two", "other")).there).toBe(false);
  expect(await repository.listReferrers(image.digest, { artifactType: "text/html" })).toHaveLength(2);
});
