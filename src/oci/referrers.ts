import { type Digest, hexOf, isDigest } from "./digest.ts";
import { type Descriptor, type JsonObject } from "./types.ts";

/** The tag that stands in for a subject's referrers where there is no API for them (distribution-spec, referrers tag schema). */
export function referrerTag(subject: Digest): string {
  return `sha256-${hexOf(subject)}`;
}

/** Whether a tag is one of {@link referrerTag} or of cosign's older scheme, and so names no image. */
export function isReferrerTag(tag: string): boolean {
  return /^sha256-[0-9a-f]{64}(\.(sig|att|sbom))?$/.test(tag);
}

/** What a manifest or index says it refers to; nothing where it has no valid `subject`. */
export function subjectOf(bytes: Uint8Array): Descriptor | undefined {
  const subject = parseObject(bytes)?.["subject"];
  if (typeof subject !== "object" || subject === null || Array.isArray(subject)) return undefined;
  const { mediaType, digest, size } = subject as JsonObject;
  const isValid =
    typeof mediaType === "string" && typeof digest === "string" && isDigest(digest) && Number.isSafeInteger(size);
  return isValid ? { mediaType, digest, size: Number(size) } : undefined;
}

/**
 * A referrer as a list of referrers has it: with its annotations, and its artifact type,
 * which is its config's media type where it names none (distribution-spec, listing referrers).
 */
export function referrerDescriptor(bytes: Uint8Array, descriptor: Descriptor): Descriptor {
  const manifest = parseObject(bytes) ?? {};
  const { config, annotations } = manifest;
  const configType =
    typeof config === "object" && config !== null && !Array.isArray(config)
      ? (config as JsonObject)["mediaType"]
      : undefined;
  const artifactType = textOf(manifest["artifactType"]) ?? textOf(configType);
  const texts = Object.entries(typeof annotations === "object" && annotations !== null ? annotations : {}).filter(
    (entry): entry is [string, string] => typeof entry[1] === "string",
  );
  const { mediaType, digest, size } = descriptor;
  return {
    mediaType,
    digest,
    size,
    ...(artifactType !== undefined && { artifactType }),
    ...(texts.length > 0 && { annotations: Object.fromEntries(texts) }),
  };
}

function textOf(value: unknown): string | undefined {
  return typeof value === "string" && value !== "" ? value : undefined;
}

function parseObject(bytes: Uint8Array): JsonObject | undefined {
  try {
    const parsed: unknown = JSON.parse(Buffer.from(bytes).toString("utf8"));
    return typeof parsed === "object" && parsed !== null && !Array.isArray(parsed) ? (parsed as JsonObject) : undefined;
  } catch {
    return undefined;
  }
}
