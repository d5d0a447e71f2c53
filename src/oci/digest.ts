import { createHash, type Hash } from "node:crypto";
import { infrastructureError } from "../errors.ts";

/** A content digest, `sha256:` and 64 lower-case hex digits (image-spec, descriptor.md). */
export type Digest = `sha256:${string}`;

const pattern = /^sha256:[0-9a-f]{64}$/;

/** Whether a text is a digest this project accepts; sha512 and others are not. */
export function isDigest(text: string): text is Digest {
  return pattern.test(text);
}

/** The digest of bytes held in memory. */
export function digestOf(bytes: Uint8Array | string): Digest {
  return `sha256:${createHash("sha256").update(bytes).digest("hex")}`;
}

/** The hex part of a digest, as it names a blob file in an OCI layout. */
export function hexOf(digest: Digest): string {
  return digest.slice("sha256:".length);
}

/** A running hash that gives a {@link Digest} and counts bytes. */
export interface Digester {
  update(chunk: Uint8Array): void;
  /** Bytes seen until now. */
  size(): number;
  /** The digest; call once. */
  digest(): Digest;
}

/** A new running digest. */
export function createDigester(): Digester {
  const hash: Hash = createHash("sha256");
  let size = 0;
  return {
    update(chunk) {
      hash.update(chunk);
      size += chunk.length;
    },
    size: () => size,
    digest: () => `sha256:${hash.digest("hex")}`,
  };
}

/**
 * Passes chunks on and, at the end, throws unless size and digest are as expected.
 * `what` names the content in the error. A consumer must not act on the content
 * before the iteration has ended without a throw.
 */
export async function* verified(
  chunks: AsyncIterable<Uint8Array>,
  expected: { readonly digest: Digest; readonly size?: number },
  what: string,
): AsyncGenerator<Uint8Array> {
  const digester = createDigester();
  for await (const chunk of chunks) {
    digester.update(chunk);
    if (expected.size !== undefined && digester.size() > expected.size) {
      throw infrastructureError(
        `${what} is longer than the ${expected.size} bytes it should have (${expected.digest})`,
      );
    }
    yield chunk;
  }
  if (expected.size !== undefined && digester.size() !== expected.size) {
    throw infrastructureError(
      `${what} has ${digester.size()} bytes, not the ${expected.size} it should have (${expected.digest})`,
    );
  }
  const actual = digester.digest();
  if (actual !== expected.digest) {
    throw infrastructureError(
      `${what} has digest ${actual}, not ${expected.digest}: the content was changed or damaged`,
    );
  }
}
