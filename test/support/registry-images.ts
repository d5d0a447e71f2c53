import { randomBytes } from "node:crypto";
import { type Digest, digestOf } from "../../src/oci/digest.ts";
import type { Repository } from "../../src/oci/repository.ts";
import { type Descriptor, type ImageManifest, mediaTypes } from "../../src/oci/types.ts";

/** An image of random content that is valid all the same. */
export interface Image {
  readonly blobs: ReadonlyMap<Descriptor, Buffer>;
  readonly manifest: Buffer;
  readonly digest: Digest;
}

/** A new image: a config, a layer of `layerBytes` random bytes and an empty layer. */
export function randomImage(layerBytes = 300_000): Image {
  const describeBlob = (bytes: Buffer, mediaType: string): [Descriptor, Buffer] => [
    { mediaType, digest: digestOf(bytes), size: bytes.length },
    bytes,
  ];
  const config = describeBlob(
    Buffer.from(JSON.stringify({ architecture: "amd64", os: "linux", nonce: randomBytes(8).toString("hex") })),
    mediaTypes.config,
  );
  const layers = [
    describeBlob(randomBytes(layerBytes), mediaTypes.layerGzip),
    describeBlob(Buffer.alloc(0), mediaTypes.layer),
  ];
  const content: ImageManifest = {
    schemaVersion: 2,
    mediaType: mediaTypes.manifest,
    config: config[0],
    layers: layers.map(([descriptor]) => descriptor),
  };
  const manifest = Buffer.from(JSON.stringify(content));
  return { blobs: new Map([config, ...layers]), manifest, digest: digestOf(manifest) };
}

/** Bytes as a stream of several chunks. */
export async function* pieces(bytes: Buffer): AsyncGenerator<Uint8Array> {
  for (let at = 0; at < bytes.length; at += 65_536) yield bytes.subarray(at, at + 65_536);
}

/** Pushes blobs and manifest; gives the bytes of blobs that were sent. */
export async function push(to: Repository, image: Image, tag: string): Promise<number> {
  let sent = 0;
  for (const [descriptor, bytes] of image.blobs) sent += await to.pushBlob(descriptor, () => pieces(bytes));
  await to.pushManifest(image.manifest, mediaTypes.manifest, tag);
  return sent;
}

/** A blob as a whole. */
export async function readAll(from: Repository, descriptor: Descriptor, signal?: AbortSignal): Promise<Buffer> {
  return Buffer.concat(await Array.fromAsync(from.openBlob(descriptor, signal)));
}

/** The image's layer that is not empty. */
export function layerOf(image: Image): [Descriptor, Buffer] {
  const found = [...image.blobs].find(([{ mediaType }]) => mediaType === mediaTypes.layerGzip);
  if (!found) throw new Error("the image has no layer");
  return found;
}

/** What a promise fails with; it is an error of the test when it does not. */
export async function failureOf(work: Promise<unknown>): Promise<Error> {
  return work.then(
    () => {
      throw new Error("it should have failed");
    },
    (error: unknown) => error as Error,
  );
}
