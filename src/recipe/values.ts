import { z } from "zod";
import { type Digest, isDigest } from "../oci/digest.ts";
import { isPlatformName, type PlatformName } from "../oci/platform.ts";

/** `name` in recipes: lower case, one path component. */
export const nameSchema = z
  .string()
  .max(128)
  .regex(/^[a-z0-9]+([._-][a-z0-9]+)*$/, "must be lower-case letters, digits and single . _ - between them");
/** A version or the name of a lock: it is a file's name too, so one path component. */
export const versionSchema = z
  .string()
  .max(128)
  .regex(/^[A-Za-z0-9][A-Za-z0-9.+~:_-]*$/, "must be letters, digits and . + ~ : _ - and begin with a letter or digit");

/** A digest. */
export const digestSchema = z.custom<Digest>(
  (value) => typeof value === "string" && isDigest(value),
  "must be sha256: and 64 lower-case hex digits",
);
/** A platform, as in linux/arm64. */
export const platformSchema = z.custom<PlatformName>(
  (value) => typeof value === "string" && isPlatformName(value),
  "must be os/architecture or os/architecture/variant, as in linux/arm64",
);
/** Platforms, each once. */
export const platformList = z.array(platformSchema).superRefine((list, context) => {
  const seen = new Set<string>();
  for (const [index, name] of list.entries()) {
    if (seen.has(name)) context.addIssue({ code: "custom", path: [index], message: "is listed twice" });
    seen.add(name);
  }
});
/** A full commit id; a short one can become another commit tomorrow. */
export const commitSchema = z
  .string()
  .regex(/^[0-9a-f]{40}$/, "must be the full commit id of 40 hex digits, not a branch, tag or short id");
/** A path in an image. */
export const absolutePath = z
  .string()
  .regex(/^\/(?!.*(^|\/)\.\.?(\/|$))[^\0]+$/, "must be an absolute path without . or ..");
/** A path inside the folder of its file. */
export const localPath = z
  .string()
  .regex(/^(?!\/)(?!.*(^|\/)\.\.?(\/|$))[^\0]+$/, "must be a path inside the recipe's folder");
/** No control characters and no bidi marks: these texts end in terminals and pages. */
export const line = z
  .string()
  .min(1)
  .max(4096)
  .regex(/^[^\p{Cc}\u2028-\u202e\u2066-\u2069]*$/u, "must be one line without control characters");
/** An image reference in containers-transports form; never what a program takes for an option. */
export const reference = line.regex(
  /^[^\s-]\S*$/,
  "must be an image reference, without spaces and not beginning with -",
);
/** refoundry gives these to the build itself, and BUILDKIT_SYNTAX would have another program read the Dockerfile. */
export const argName = z
  .string()
  .regex(/^[A-Za-z_][A-Za-z0-9_]*$/, "must be letters, digits and _")
  .refine((name) => !/^(BUILDKIT_|SOURCE_DATE_EPOCH$)/i.test(name), "is set by refoundry, not by a recipe");
/** A day, as in 2027-06-30. */
export const dateSchema = z.iso.date();
/** A version of a Debian package. */
export const debianVersion = z.string().regex(/^[A-Za-z0-9.+~:-]+$/, "must be a Debian version");
/** A name of a Debian package. */
export const debianName = z.string().regex(/^[a-z0-9][a-z0-9.+-]+$/, "must be a Debian package name");
/** An architecture as Debian calls it. */
export const debianArchitecture = z.string().regex(/^[a-z0-9-]+$/, "must be a Debian architecture");
/** A suite of Debian by its code name. */
export const suiteName = z.string().regex(/^[a-z][a-z0-9-]*$/, "must be the code name of a suite, as in trixie");
/** A suite, or several that are looked through in order for the version that is pinned. */
export const suiteList = z.union([suiteName, z.array(suiteName).min(1).max(16)]);
/** A path below the mirror's root. */
const poolPath = z
  .string()
  .regex(/^pool\/(?!.*(^|\/)\.\.?(\/|$))[A-Za-z0-9.+~_%:/-]+$/, "must be a path below pool/ without . or ..");

/** A file on a Debian mirror, pinned. */
export const mirrorFileSchema = z.strictObject({
  path: poolPath,
  size: z.int().positive(),
  sha256: z.string().regex(/^[0-9a-f]{64}$/, "must be 64 hex digits"),
});

/** Platforms that upstream released and we do not: they count against the recipe. */
export const omitList = z.array(z.strictObject({ platform: platformSchema, reason: line }));
/** Platforms of a recipe: each is in one of the three lists. */
export const recipePlatformsSchema = z
  .strictObject({
    reproduce: platformList,
    extend: platformList.default([]),
    omit: omitList.default([]),
  })
  .superRefine((platforms, context) => {
    const places = new Map<PlatformName, string>(platforms.reproduce.map((name) => [name, "reproduce"]));
    const place = (name: PlatformName, list: "extend" | "omit", path: readonly (string | number)[]): void => {
      const other = places.get(name);
      const message = other === list ? "is listed twice" : `is under ${other} already`;
      // twice under extend is what its own list tells of
      if (other !== undefined && (other !== list || list === "omit"))
        context.addIssue({ code: "custom", path: [...path], message });
      places.set(name, list);
    };
    for (const [index, name] of platforms.extend.entries()) place(name, "extend", ["extend", index]);
    for (const [index, { platform }] of platforms.omit.entries()) place(platform, "omit", ["omit", index, "platform"]);
  })
  .refine((platforms) => platforms.reproduce.length + platforms.extend.length > 0, "names no platform");

/** What a named build context is called in Dockerfiles, beside `src` and `toolchain`. */
export const contextName = nameSchema.refine((name) => !["src", "toolchain", "image", "scratch"].includes(name), {
  error: "is the name of a context that every build has",
});
