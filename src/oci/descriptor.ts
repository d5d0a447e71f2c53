import { isDigest } from "./digest.ts";
import type { Descriptor } from "./types.ts";

/** Whether parsed JSON is a descriptor with what every reader needs: media type, sha256 digest and size (image-spec, descriptor.md). */
export function isDescriptor(value: unknown): value is Descriptor {
  const { mediaType, digest, size } = (value ?? {}) as Partial<Record<keyof Descriptor, unknown>>;
  return (
    typeof mediaType === "string" &&
    typeof digest === "string" &&
    isDigest(digest) &&
    Number.isSafeInteger(size) &&
    Number(size) >= 0
  );
}
