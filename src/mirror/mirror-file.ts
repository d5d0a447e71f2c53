import { basename, dirname } from "node:path";
import { z } from "zod";
import { messageOf } from "../errors.ts";
import { isPlatformName, type PlatformName } from "../oci/platform.ts";
import { isRepositoryName, isTag, parseReference, type RegistryReference } from "../oci/reference.ts";
import { documentOf, readDocument } from "../recipe/document.ts";
import { problemOfPattern, problemOfRange } from "./choose-tags.ts";

const platformSchema = z.custom<PlatformName>(
  (value) => typeof value === "string" && isPlatformName(value),
  "must be os/architecture or os/architecture/variant, as in linux/arm64",
);

const tagSchema = z
  .string()
  .refine(isTag, 'must be a tag: up to 128 letters, digits and _ . - that begin with neither "." nor "-"');

const hostSchema = z
  .string()
  .refine((text) => hostOf(text) === text, "must be a registry's host as references have it, as in docker.io");

const imageSchema = z.string().superRefine((text, context) => {
  const problem = problemOfImage(text);
  if (problem !== undefined) context.addIssue({ code: "custom", message: problem });
});

const matchSchema = z
  .strictObject({
    range: z.string().max(200).superRefine(explained(problemOfRange)).optional(),
    pattern: z.string().min(1).max(200).superRefine(explained(problemOfPattern)).optional(),
    newest: z.int().min(1).max(200).default(10),
  })
  .refine(({ range, pattern }) => range !== undefined || pattern !== undefined, "needs a range, a pattern or both");

const entrySchema = z
  .strictObject({
    image: imageSchema,
    tags: z.array(tagSchema).superRefine(distinct).default([]),
    match: matchSchema.optional(),
    platforms: z.union([z.array(platformSchema).min(1).superRefine(distinct), z.literal("all")]).default("all"),
    to: z
      .string()
      .refine(
        isRepositoryName,
        'must be a repository\'s name below the destination: lower-case letters and digits, in components divided by "/"',
      ),
    referrers: z.boolean().default(true),
  })
  .refine(({ tags, match }) => tags.length > 0 || match !== undefined, "names no tags: give tags, match or both");

/** `recipes/mirror.yaml`: images that are depended on and not rebuilt yet. */
export const mirrorFileSchema = z.strictObject({
  /** How many manifests an hour may be read from a registry; the hosts that are not listed have no limit here. */
  requestsPerHour: z.record(hostSchema, z.int().min(1).max(1_000_000)).default({}),
  mirrors: z
    .array(entrySchema)
    .min(1)
    .superRefine((entries, context) => {
      const images = new Set<string>();
      const names = new Map<string, string>();
      for (const [index, { image, to }] of entries.entries()) {
        const taken = names.get(to);
        if (taken !== undefined)
          context.addIssue({ code: "custom", path: [index, "to"], message: `is where ${taken} goes already` });
        names.set(to, image);
        const full = canonicalImage(image);
        if (images.has(full))
          context.addIssue({
            code: "custom",
            path: [index, "image"],
            message: "is listed twice; put all its tags in one entry",
          });
        images.add(full);
      }
    }),
});

/** One image of a mirror file, after defaults. */
export type MirrorEntry = z.infer<typeof mirrorFileSchema>["mirrors"][number];
/** A mirror file, after defaults. */
export type MirrorFile = z.infer<typeof mirrorFileSchema>;

/**
 * Reads a mirror file. Throws one usage error with all that is wrong with it, each with
 * its line and column.
 */
export async function readMirrorFile(path: string): Promise<MirrorFile> {
  return documentOf(await readDocument(dirname(path), basename(path), mirrorFileSchema)).value;
}

/** Where an entry's image is; `image` was checked when the file was read. */
export function sourceOf({ image }: Pick<MirrorEntry, "image">): RegistryReference {
  const reference = parseReference(image);
  if (reference.kind !== "registry") throw new Error(`${image} is not in a registry`);
  return reference;
}

/** `docker.io/library/busybox` for `busybox`: the name under which the lock and the mapping have an image. */
export function canonicalImage(image: string): string {
  const { host, repository } = sourceOf({ image });
  return `${host}/${repository}`;
}

function problemOfImage(text: string): string | undefined {
  try {
    const reference = parseReference(text);
    if (reference.kind !== "registry") return "must be an image in a registry, as in docker.io/library/busybox";
    if (reference.tag !== undefined || reference.digest !== undefined)
      return "must be without a tag or digest; tags go under tags";
    return undefined;
  } catch (error) {
    return messageOf(error);
  }
}

function hostOf(text: string): string | undefined {
  try {
    const reference = parseReference(`${text}/a/b`);
    return reference.kind === "registry" && reference.repository === "a/b" ? reference.host : undefined;
  } catch {
    return undefined;
  }
}

function explained(problemOf: (text: string) => string | undefined) {
  return (text: string, context: { addIssue(issue: { code: "custom"; message: string }): void }): void => {
    const message = problemOf(text);
    if (message !== undefined) context.addIssue({ code: "custom", message });
  };
}

function distinct(
  list: readonly string[],
  context: { addIssue(issue: { code: "custom"; path: number[]; message: string }): void },
): void {
  for (const [index, item] of list.entries())
    if (list.indexOf(item) < index) context.addIssue({ code: "custom", path: [index], message: "is listed twice" });
}
