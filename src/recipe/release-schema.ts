import { z } from "zod";
import {
  argName,
  commitSchema,
  contextName,
  debianVersion,
  digestSchema,
  line,
  localPath,
  mirrorFileSchema,
  platformSchema,
  versionSchema,
} from "./values.ts";

const sourcePinSchema = z.strictObject({
  commit: commitSchema,
  tree: commitSchema,
  /** sha256 of the canonical tar of the staged tree: independent of git's SHA-1. */
  archive: digestSchema,
  /** SOURCE_DATE_EPOCH, seconds. */
  epoch: z.int().nonnegative(),
  /** Its submodules, and theirs: what the tree pins, for those who cannot see it. */
  submodules: z.array(z.strictObject({ path: localPath, commit: commitSchema, tree: commitSchema })).optional(),
  /** What Git LFS has of it, by path. */
  lfs: z
    .array(z.strictObject({ path: localPath, size: z.int().nonnegative(), sha256: mirrorFileSchema.shape.sha256 }))
    .optional(),
  /** The files of a Debian source package, when it is imported from one. */
  debian: z.strictObject({ version: debianVersion, files: z.array(mirrorFileSchema).min(2) }).optional(),
});

const toolchainPinSchema = z.strictObject({
  /** File name in the toolchain's `locks/`, without `.yaml`; only for a toolchain that is a package list. */
  lock: versionSchema.optional(),
  /** Release of the toolchain's recipe; only for a toolchain that is one. */
  version: versionSchema.optional(),
  digest: digestSchema,
});

const contextPinSchema = z.union([
  z.strictObject({ source: sourcePinSchema }),
  z.strictObject({
    recipe: z.strictObject({
      version: versionSchema,
      /** The release index that the recipe recorded. */
      index: digestSchema,
      /** What was built for each platform. */
      manifests: z.record(platformSchema, digestSchema),
    }),
  }),
  z.strictObject({ toolchain: toolchainPinSchema }),
]);

/** `recipes/images/<name>/releases/<version>.yaml`, written by `refoundry pin`. */
export const releaseSchema = z.strictObject({
  version: versionSchema,
  source: sourcePinSchema,
  toolchain: toolchainPinSchema,
  /** What the recipe's contexts are, by their names. */
  contexts: z.record(contextName, contextPinSchema).optional(),
  upstream: z.strictObject({
    /** Digest of what the reference named when it was pinned: an index or a manifest. */
    digest: digestSchema,
    mediaType: line,
    size: z.int().positive(),
    /** Manifest for each platform to reproduce. */
    manifests: z.record(platformSchema, digestSchema),
    /** The published packages that the image is put together from. */
    debian: z.array(mirrorFileSchema.extend({ platform: platformSchema, version: debianVersion })).optional(),
  }),
  /** What the factory produced when this was recorded. */
  expect: z
    .strictObject({
      index: digestSchema,
      platforms: z.record(
        platformSchema,
        z.strictObject({
          manifest: digestSchema,
          buildKey: digestSchema,
          /** How it compared with upstream, or that upstream never released it. */
          verdict: z.enum(["identical", "equivalent", "drift", "different", "extended"]).optional(),
          /** The strongest level of equality. */
          level: line.optional(),
          /** Bytes: manifest, config and compressed layers. */
          size: z.int().positive().optional(),
          /** How many of its differences a waiver of the recipe answers for. */
          waived: z.int().positive().optional(),
        }),
      ),
      /** What the build keys were made from, so that a plan can say which of it changed since. */
      inputs: z
        .strictObject({
          source: digestSchema,
          epoch: z.int().nonnegative(),
          /** Dockerfile, patches and what else lies beside them. */
          context: digestSchema,
          dockerfile: localPath,
          toolchain: digestSchema,
          contexts: z.record(contextName, digestSchema).optional(),
          args: z.record(argName, z.string()),
          platformArgs: z.record(platformSchema, z.record(argName, z.string())).optional(),
          patches: z.array(localPath).optional(),
          builder: line,
          exporter: line,
          normaliser: line,
        })
        .optional(),
    })
    .optional(),
});
