import { join } from "node:path";
import { digestOf } from "../../../src/oci/digest.ts";
import { openLayoutRepository } from "../../../src/oci/layout-repository.ts";
import type { Repository } from "../../../src/oci/repository.ts";
import { type Descriptor, mediaTypes } from "../../../src/oci/types.ts";
import { temporaryFolder } from "../../support/temporary.ts";

/** An empty layout that serves as a repository and goes with the test. */
export async function emptyRepository(): Promise<Repository> {
  return openLayoutRepository(join(await temporaryFolder(), "layout"));
}

/** Writes a blob of that text. */
export async function pushText(to: Repository, text: string, mediaType: string): Promise<Descriptor> {
  const bytes = Buffer.from(text);
  const blob: Descriptor = { mediaType, digest: digestOf(bytes), size: bytes.length };
  await to.pushBlob(blob, async function* () {
    yield bytes;
  });
  return blob;
}

/** Writes a document under a tag or its digest. */
export async function pushDocument(
  to: Repository,
  content: object,
  mediaType: string,
  tag?: string,
): Promise<Descriptor> {
  const bytes = Buffer.from(JSON.stringify({ schemaVersion: 2, mediaType, ...content }));
  return to.pushManifest(bytes, mediaType, tag ?? digestOf(bytes));
}

/** Writes an image of one layer, which is different for each name. */
export async function pushImage(
  to: Repository,
  name: string,
  more: { readonly subject?: Descriptor; readonly layers?: readonly Descriptor[]; readonly tag?: string } = {},
): Promise<Descriptor> {
  const { tag, subject, layers = [] } = more;
  const config = await pushText(to, JSON.stringify({ architecture: name, os: "linux" }), mediaTypes.config);
  const layer = await pushText(to, `layer of ${name} `.repeat(1000), mediaTypes.layer);
  const shared = await pushText(to, "a layer that all have", mediaTypes.layer);
  return pushDocument(
    to,
    { config, layers: [layer, shared, ...layers], ...(subject && { subject }) },
    mediaTypes.manifest,
    tag,
  );
}

/** An index of three platforms and an attestation, a signature of it and a signature of that. */
export async function pushTree(to: Repository, tag: string, salt = ""): Promise<Descriptor> {
  const manifests: Descriptor[] = [];
  for (const architecture of ["amd64", "arm64", "riscv64"]) {
    const image = await pushImage(to, `${architecture}${salt}`);
    manifests.push({ ...image, platform: { os: "linux", architecture } });
  }
  const attestation = await pushImage(to, `attestation${salt}`);
  manifests.push({ ...attestation, platform: { os: "unknown", architecture: "unknown" } });
  const index = await pushDocument(to, { manifests }, mediaTypes.index, tag);
  const signature = await pushImage(to, `signature${salt}`, { subject: index });
  await pushImage(to, `counter-signature${salt}`, { subject: signature });
  return index;
}

/** A repository that writes down what it is asked, and may fail where the test says. */
export function watched(
  repository: Repository,
  fail: (call: string) => boolean = () => false,
): Repository & { readonly calls: string[] } {
  const calls: string[] = [];
  const note = (call: string): void => {
    calls.push(call);
    if (fail(call)) throw new Error(`no: ${call}`);
  };
  return {
    ...repository,
    calls,
    async readDocument(descriptor, signal) {
      note(`GET ${descriptor.digest}`);
      return repository.readDocument(descriptor, signal);
    },
    openBlob(descriptor, signal) {
      note(`GET blob ${descriptor.digest}`);
      return repository.openBlob(descriptor, signal);
    },
    async resolve(tagOrDigest, signal) {
      note(`GET ${tagOrDigest}`);
      return repository.resolve(tagOrDigest, signal);
    },
    async find(tagOrDigest, signal) {
      note(`GET ${tagOrDigest}`);
      return repository.find(tagOrDigest, signal);
    },
    async hasManifest(tagOrDigest, signal) {
      note(`HEAD ${tagOrDigest}`);
      return repository.hasManifest(tagOrDigest, signal);
    },
    async pushBlob(content, open, options) {
      note(`PUT blob ${content.digest}`);
      return repository.pushBlob(content, open, options);
    },
    async pushManifest(bytes, mediaType, tagOrDigest, signal) {
      note(`PUT ${tagOrDigest}`);
      return repository.pushManifest(bytes, mediaType, tagOrDigest, signal);
    },
    async listReferrers(subject, options) {
      note(`referrers ${subject}`);
      return repository.listReferrers(subject, options);
    },
  };
}
