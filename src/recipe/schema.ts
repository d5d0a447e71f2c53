import { z } from "zod";
import {
  nameSchema,
  versionSchema,
  digestSchema,
  platformSchema,
  platformList,
  absolutePath,
  localPath,
  line,
  reference,
  argName,
  dateSchema,
  debianVersion,
  debianName,
  debianArchitecture,
  suiteName,
  suiteList,
  mirrorFileSchema,
  contextName,
  omitList,
  recipePlatformsSchema,
} from "./values.ts";
import { releaseSchema } from "./release-schema.ts";
import { dependenceList } from "./variations.ts";
import { isRange } from "./version-range.ts";

export { nameSchema, releaseSchema, versionSchema };

/** An image put together from the binaries that Debian published. */
const debianUpstream = z.strictObject({
  package: debianName.optional(),
  packages: z.array(debianName).min(1).max(256).optional(),
  suite: suiteList,
  /** The context with the recipe whose image lies below. */
  on: nameSchema.optional(),
  /** Path in the image to path in one of the packages; with a slash at the end of both, all that is below. */
  files: z.record(absolutePath, absolutePath),
  entrypoint: z.array(line).min(1).optional(),
  cmd: z.array(line).min(1).optional(),
  env: z.record(argName, line).default({}),
  user: line.optional(),
  workingDir: absolutePath.optional(),
  exposedPorts: z.array(line.regex(/^\d{1,5}(\/(tcp|udp))?$/, "must be a port, as in 6379/tcp")).default([]),
  stopSignal: line.optional(),
});

/** Where upstream's images are. */
const upstreamSchema = z.union([
  z.strictObject({ image: reference }),
  /** An image of our own, which nobody else publishes; says why there is one. */
  z.strictObject({ none: line }),
  z.strictObject({
    debian: debianUpstream
      .refine((upstream) => (upstream.package === undefined) !== (upstream.packages === undefined), {
        error: "needs one of package and packages",
      })
      .refine(({ files }) => Object.entries(files).every(([to, from]) => to.endsWith("/") === from.endsWith("/")), {
        path: ["files"],
        error: "a folder is copied to a folder: both paths end in a slash, or neither does",
      }),
  }),
]);

/** A path in the image, all below one (`/usr/lib/**`), or a field of its config (`config.Labels`). */
const waivedPath = z
  .string()
  .regex(
    /^(\/(?!.*(^|\/)\.\.?(\/|$))[^\0]+|[A-Za-z][A-Za-z0-9_.]*)$/,
    "must be an absolute path without . or .., or a field of the config, as in config.Labels",
  );

const waiverSchema = z.strictObject({
  class: nameSchema,
  paths: z.array(waivedPath).min(1),
  /** By default all. */
  platforms: platformList.min(1).optional(),
  reason: line,
  owner: line,
  expires: dateSchema,
});

/** Inputs that are not pinned or not held, for which somebody answers until a day. */
const ledgerEntrySchema = z.strictObject({
  input: z.enum(["commit", "source-file", "image", "index", "package", "package-source"]),
  /** What they are called, as `refoundry audit` names them. */
  names: z.array(line).min(1),
  reason: line,
  owner: line,
  expires: dateSchema,
});

/** A tag (distribution-spec), in which `{version}`, `{major}` and `{minor}` stand for parts of a release's version. */
const tagTemplate = z
  .string()
  .regex(
    /^([A-Za-z0-9_]|\{(version|major|minor)\})([A-Za-z0-9._-]|\{(version|major|minor)\}){0,127}$/,
    "must be a tag, as in latest or {major}.{minor}",
  );

/** What a named build context holds. */
const contextSchema = z.union([
  z.strictObject({
    /** Another source, staged as the main one is. */
    source: nameSchema,
    /** Its version; by default the release's own, or what the main source's Debian suite has. */
    version: versionSchema.optional(),
  }),
  /** The image of another recipe for the same platform: `FROM NAME`. */
  z.strictObject({ recipe: nameSchema }),
  z.strictObject({
    /** Another toolchain's image. */
    toolchain: nameSchema,
    /** `smoke`: only smoke tests use it, so that builds do not depend on it. */
    use: z.enum(["build", "smoke"]).default("build"),
  }),
]);

const smokeSchema = z.union([
  z.strictObject({
    run: z.array(line).min(1),
    /** The context that the program comes from; by default the image itself. */
    in: nameSchema.optional(),
    stdout: z.string().optional(),
  }),
  z.strictObject({
    /** A server, started in the image. */
    serve: z.array(line).min(1),
    /** Whether the server is process 1 and the client in its PID namespace, as in a pod that shares its processes. */
    init: z.literal(true).optional(),
    /** Tried until it exits with 0. */
    client: z.array(line).min(1),
    /** The context that the client comes from; by default the image itself. */
    in: nameSchema.optional(),
    stdout: z.string().optional(),
  }),
]);

/** Build arguments, for every platform and by platform. */
const argsSchema = z.record(argName, z.string());
const platformArgsSchema = z.record(platformSchema, argsSchema);
const patchList = z.array(localPath.regex(/\.patch$/, "must end in .patch")).max(256);

/** What some versions have otherwise: merged over the recipe, and checked as a whole then. */
const versionsSchema = z.strictObject({
  /** Which versions, as `>=8 <9` or `7.0.*`. */
  range: line.refine(isRange, "is not a range of versions, as in >=8 <9 or 7.0.*"),
  source: nameSchema.optional(),
  toolchain: nameSchema.optional(),
  contexts: z.record(contextName, contextSchema).optional(),
  upstream: z
    .union([
      z.strictObject({ image: reference }),
      z.strictObject({ none: line }),
      z.strictObject({ debian: debianUpstream.partial() }),
    ])
    .optional(),
  build: z
    .strictObject({ dockerfile: localPath, args: argsSchema, platformArgs: platformArgsSchema, patches: patchList })
    .partial()
    .optional(),
  platforms: z.strictObject({ reproduce: platformList, extend: platformList, omit: omitList }).partial().optional(),
  smoke: z.array(smokeSchema).min(1).optional(),
  waivers: z.array(waiverSchema).optional(),
  varies: dependenceList.optional(),
});

/** `recipes/images/<name>/recipe.yaml` */
export const recipeSchema = z.strictObject({
  /** A file of `recipes/templates/`: what it says holds where the recipe says nothing. */
  inherits: nameSchema.optional(),
  image: nameSchema,
  owners: z.array(line).min(1),
  source: nameSchema,
  toolchain: nameSchema,
  contexts: z.record(contextName, contextSchema).default({}),
  upstream: upstreamSchema,
  build: z.strictObject({
    dockerfile: localPath.default("Dockerfile"),
    network: z.literal("none", "must be none: builds have no network"),
    args: argsSchema.default({}),
    /** What a platform has otherwise. */
    platformArgs: platformArgsSchema.default({}),
    /** Applied to the source in this order; each says in a header where it is from and why. */
    patches: patchList.default([]),
  }),
  platforms: recipePlatformsSchema,
  smoke: z.array(smokeSchema).min(1, "needs at least one command: what does not start is not released"),
  waivers: z.array(waiverSchema).default([]),
  /** What builds are known to depend on, beside their inputs; `refoundry vary` sees whether it is so. */
  varies: dependenceList.default([]),
  /** What some versions have otherwise; a recipe for one version has none. */
  versions: z.array(versionsSchema).max(64).default([]),
  /** The hermeticity ledger: what the releases stand on and nobody holds, or nothing pins. */
  ledger: z.array(ledgerEntrySchema).default([]),
  tags: z
    .strictObject({
      /** Tags that follow the newest release; `{version}` lets a release's own tag move too. */
      floating: z.array(tagTemplate).default([]),
    })
    .default({ floating: [] }),
});

/** `recipes/toolchains/<name>/toolchain.yaml` */
export const toolchainSchema = z.union([
  z.strictObject({
    toolchain: nameSchema,
    /** A reference with a digest; pulled as it is. */
    image: reference.regex(/@sha256:[0-9a-f]{64}$/, "must end in @sha256:<digest>; a tag can move"),
    platform: platformSchema.default("linux/amd64"),
  }),
  z.strictObject({
    toolchain: nameSchema,
    /** A recipe whose image it is: built by us, with a verdict of its own. */
    recipe: nameSchema,
    platform: platformSchema.default("linux/amd64"),
  }),
  z.strictObject({
    toolchain: nameSchema,
    debian: z.strictObject({
      suite: suiteName,
      /** Suites beside it, for packages that it does not have: its backports, say. */
      also: z.array(suiteName).default([]),
      architecture: debianArchitecture,
      foreign: z.array(debianArchitecture).default([]),
      packages: z
        .array(
          z
            .string()
            .regex(
              /^[a-z0-9][a-z0-9.+-]+(:[a-z0-9-]+)?$/,
              "must be a package name, with :architecture for a foreign one",
            ),
        )
        .min(1),
    }),
  }),
]);

/** `recipes/toolchains/<name>/locks/<lock>.yaml`, written by `refoundry toolchain lock`. */
export const toolchainLockSchema = z.strictObject({
  suite: suiteName,
  /** Date of the newest of the suites' Release files, seconds; every file time in the image is at most this. */
  epoch: z.int().nonnegative(),
  architecture: debianArchitecture,
  foreign: z.array(debianArchitecture),
  /** Digest of the manifest that this lock gives. */
  digest: digestSchema,
  packages: z
    .array(mirrorFileSchema.extend({ name: debianName, version: debianVersion, architecture: debianArchitecture }))
    .min(1),
});

/** `vendor-sources/<name>.yaml` */
export const sourceSchema = z.strictObject({
  source: nameSchema,
  licence: line,
  upstream: line,
  /** Our forks, in order of preference; each is tried before upstream. */
  forks: z.array(line).default([]),
  /** Whether submodules are taken too; by path, forks that are tried before what `.gitmodules` names. */
  submodules: z.record(localPath, z.strictObject({ forks: z.array(line).default([]) })).optional(),
  /** Whether files that Git LFS has are taken; its endpoints, tried before those of forks and upstream. */
  lfs: z
    .strictObject({
      endpoints: z.array(line.regex(/^https?:\/\/\S+$/, "must be an http or https address")).default([]),
    })
    .optional(),
  import: z.discriminatedUnion("kind", [
    z.strictObject({ kind: z.literal("git") }),
    z.strictObject({ kind: z.literal("debian"), package: debianName, suite: suiteList }),
  ]),
});

/** A recipe as it is after defaults. */
export type Recipe = z.infer<typeof recipeSchema>;
/** A release with every input pinned. */
export type Release = z.infer<typeof releaseSchema>;
/** A toolchain: a pinned image or a package list. */
export type Toolchain = z.infer<typeof toolchainSchema>;
/** A toolchain's locked package list. */
export type ToolchainLock = z.infer<typeof toolchainLockSchema>;
/** What a recipe says of one of its contexts. */
export type Context = Recipe["contexts"][string];
/** What a release pins for one of its recipe's contexts. */
export type ContextPin = NonNullable<Release["contexts"]>[string];
/** An entry of a recipe's hermeticity ledger. */
export type LedgerEntry = Recipe["ledger"][number];
/** How a source is pinned. */
export type SourcePin = Release["source"];
/** A source: where its forks and its upstream are. */
export type Source = z.infer<typeof sourceSchema>;
