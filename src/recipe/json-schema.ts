import { z } from "zod";
import { recipeSchema, releaseSchema, sourceSchema, toolchainLockSchema, toolchainSchema } from "./schema.ts";
import { toolchainSourcesSchema } from "./toolchain-sources.ts";

/** A JSON Schema (draft 2020-12) as data. */
export type JsonSchema = Readonly<Record<string, unknown>>;

/** A kind of file that a JSON Schema is exported for. */
export interface ExportedSchema {
  readonly schema: z.ZodType;
  readonly title: string;
  /** What editors show beside keys, by path; `[]` stands for the items of a list, `*` for the values of a record. */
  readonly descriptions: Readonly<Record<string, string>>;
}

/** The files of a factory's folder, by the name of their JSON Schema. */
export const recipeFileSchemas: Readonly<Record<string, ExportedSchema>> = {
  recipe: {
    schema: recipeSchema,
    title: "refoundry recipe: recipes/images/NAME/recipe.yaml",
    descriptions: {
      inherits: "A file of recipes/templates/: what it says holds where the recipe says nothing.",
      image: "The image's name: that of the recipe's folder.",
      owners: "Who answers for this image.",
      source: "Where its source is: the name of a file in vendor-sources/.",
      toolchain: "What builds it: the name of a folder in recipes/toolchains/.",
      contexts: "Named build contexts beside src and toolchain: further sources, images of other recipes, toolchains.",
      "contexts.*.source": "The name of a file in vendor-sources/.",
      "contexts.*.version": "The source's version; by default the release's own, or what the same Debian suite has.",
      "contexts.*.recipe": "A recipe whose image, for the same platform, is the context: FROM NAME.",
      "contexts.*.toolchain": "The name of a folder in recipes/toolchains/.",
      "contexts.*.use": "smoke: only smoke tests use it, so that builds do not depend on it.",
      upstream: "What the rebuild is compared with.",
      "upstream.none": "For an image of our own, which nobody else publishes: why there is one.",
      "upstream.image": "Upstream's image; without a tag, each release is pinned from the tag that is its version.",
      "upstream.debian": "An image put together from the binaries that Debian published.",
      build: "How it is built.",
      "build.dockerfile": "A file in the recipe's folder.",
      "build.network": "Builds have no network.",
      "build.args": "Build arguments of the Dockerfile; they are part of the build key.",
      "build.platformArgs": "Build arguments that a platform has otherwise.",
      "build.patches":
        "Applied to the source in this order; each has a header (DEP-3) that says where it is from and why.",
      platforms: "Each platform is reproduced, extended or left out.",
      "platforms.reproduce": "Platforms that upstream has: ours are compared with upstream's.",
      "platforms.extend": "Platforms that upstream never released.",
      "platforms.omit": "Platforms that upstream has and that are left out: they count against the recipe.",
      "platforms.omit.[].reason": "Why it is left out.",
      smoke: "Commands that an image has to run before it is released.",
      "smoke.[].run": "The command and its arguments, in the image.",
      "smoke.[].serve": "A server and its arguments, started in the image.",
      "smoke.[].init":
        "The server is process 1, and the client in the same PID namespace: for what has to reap processes.",
      "smoke.[].client": "Tried against the server until it ends with exit code 0.",
      "smoke.[].in": "The context that the client or program comes from; by default the image.",
      "smoke.[].stdout": "The whole output, white space at its ends aside; {version} is the release's version.",
      waivers: "Differences that somebody answers for.",
      "waivers.[].class": "A class of differences; refoundry classes lists them.",
      "waivers.[].paths": "Paths in the image, all below one (/usr/lib/**), or a field of the config.",
      "waivers.[].platforms": "The platforms that it is for; by default all.",
      "waivers.[].reason": "Why the difference may be there.",
      "waivers.[].owner": "Who decides about it.",
      "waivers.[].expires": "The last day on which it holds, as in 2027-06-30.",
      varies: "Conditions that builds are known to depend on; refoundry vary sees whether it is so.",
      "varies.[].by": "The condition, as refoundry vary names it.",
      "varies.[].paths": "Files in the image that it may change, or all below a folder (/usr/lib/**).",
      "varies.[].platforms": "The platforms that it is for; by default all.",
      "varies.[].reason": "Why the build depends on it.",
      versions:
        "What some versions have otherwise: laid over the rest of the recipe, each entry whose range has the version, in order.",
      "versions.[].range": "Which versions, as in >=8 <9, 7.0.* or 1.2 || 1.4.",
      ledger: "The hermeticity ledger: inputs that are not pinned or not held, for which somebody answers.",
      "ledger.[].input": "What they are, as refoundry audit says.",
      "ledger.[].names": "What they are called, as refoundry audit names them.",
      "ledger.[].reason": "Why they are not pinned, or not held.",
      "ledger.[].owner": "Who decides about it.",
      "ledger.[].expires": "The last day on which it holds, as in 2027-06-30.",
      tags: "Tags beside the release's own.",
      "tags.floating": "Tags that follow the newest release, as in latest or {major}.{minor}.",
    },
  },
  release: {
    schema: releaseSchema,
    title: "refoundry release: recipes/images/NAME/releases/VERSION.yaml, written by refoundry pin",
    descriptions: {
      version: "Upstream's version: the name of this file.",
      "source.commit": "The full commit id.",
      "source.tree": "The id of the commit's tree.",
      "source.archive": "sha256 of the canonical tar of the staged tree: independent of git's SHA-1.",
      "source.epoch": "SOURCE_DATE_EPOCH, seconds since 1970.",
      "toolchain.lock": "A file in the toolchain's locks/; absent for a toolchain that is a pinned image.",
      "toolchain.digest": "The digest of the toolchain's image.",
      "upstream.digest": "What the reference named when it was pinned: an index or a manifest.",
      "upstream.manifests": "Upstream's manifest for each platform to reproduce.",
      expect: "What the factory produced when this was recorded; every later rebuild has to give it.",
    },
  },
  toolchain: {
    schema: toolchainSchema,
    title: "refoundry toolchain: recipes/toolchains/NAME/toolchain.yaml",
    descriptions: {
      toolchain: "The toolchain's name: that of its folder.",
      image: "An image by digest, pulled as it is.",
      debian: "An image made from a locked list of packages.",
      "debian.also": "Suites beside it, for packages that it does not have: its backports, say.",
      "debian.foreign": "Architectures beside it whose packages are installed too.",
      "debian.packages": "Packages, with :architecture for a foreign one; what they depend on comes with them.",
    },
  },
  lock: {
    schema: toolchainLockSchema,
    title: "refoundry toolchain lock: recipes/toolchains/NAME/locks/LOCK.yaml, written by refoundry toolchain lock",
    descriptions: {
      epoch: "Date of the newest of the suites' Release files, seconds since 1970.",
      digest: "The digest of the manifest that this lock gives.",
      packages: "Every package in the image, by digest.",
    },
  },
  "lock-sources": {
    schema: toolchainSourcesSchema,
    title:
      "refoundry source packages of a lock: recipes/toolchains/NAME/sources/LOCK.yaml, written by refoundry toolchain sources",
    descriptions: {
      sources: "The source package of every package in the lock, each once.",
      "sources.[].licence": "An SPDX expression, where the package's copyright file gives one.",
      "sources.[].missing": "Why its files are not pinned.",
      files: "Each source package's .dsc and all that it lists, by digest.",
    },
  },
  source: {
    schema: sourceSchema,
    title: "refoundry source: vendor-sources/NAME.yaml",
    descriptions: {
      source: "The source's name: that of this file.",
      licence: "An SPDX licence expression, as in MIT or GPL-2.0-or-later.",
      upstream: "The address of upstream's repository.",
      forks: "Our forks, in order of preference; each is tried before upstream.",
      submodules: "Takes submodules too; {} where .gitmodules says well where they are.",
      "submodules.*.forks": "Our forks of the submodule at that path, each tried before what .gitmodules says.",
      lfs: "Takes the files that Git LFS has; {} where they are beside the repository.",
      "lfs.endpoints": "Endpoints of Git LFS, each tried before those beside our forks and upstream.",
      import: "How it is imported: from the git repository, or from a Debian source package.",
    },
  },
};

/** What `z.custom` checks, which zod cannot export, by an example that only it takes. */
const customTypes: readonly { readonly example: string; readonly pattern: string }[] = [
  { example: `sha256:${"0".repeat(64)}`, pattern: "^sha256:[0-9a-f]{64}$" },
  { example: "linux/arm64", pattern: "^[a-z0-9]+/[a-z0-9_]+(/[a-z0-9.]+)?$" },
];

/**
 * The JSON Schema of a kind of file, for editors and for others who write such files.
 * It says what one file may hold; what files say of each other only `refoundry lint` knows.
 * Throws when the schema has a type that JSON Schema cannot express.
 */
export function jsonSchemaOf(name: string, { schema, title, descriptions }: ExportedSchema): JsonSchema {
  const exported = z.toJSONSchema(schema, {
    io: "input",
    unrepresentable: "any",
    override: ({ zodSchema, jsonSchema }) => {
      const { _zod: internals } = zodSchema as z.core.$ZodTypes;
      if (internals.def.type !== "custom") return;
      const type = customTypes.find(({ example }) => z.safeParse(zodSchema, example).success);
      if (!type) throw new Error(`the schema of a ${name} has a type that JSON Schema is not told of`);
      Object.assign(jsonSchema, { type: "string", pattern: type.pattern });
    },
  });
  const used = new Set<string>();
  describe(exported, "", descriptions, used);
  const unknown = Object.keys(descriptions).find((path) => !used.has(path));
  if (unknown !== undefined) throw new Error(`the schema of a ${name} has no ${unknown} to describe`);
  const { $schema, ...rest } = exported;
  return { $schema, title, ...rest };
}

/** A JSON Schema as the text of its file. */
export function jsonSchemaText(schema: JsonSchema): string {
  return `${JSON.stringify(schema, null, 2)}\n`;
}

/** Writes the descriptions beside what they describe, in each branch of a union that has it. */
function describe(
  node: unknown,
  path: string,
  descriptions: Readonly<Record<string, string>>,
  used: Set<string>,
): void {
  if (!isRecord(node)) return;
  const text = Object.hasOwn(descriptions, path) ? descriptions[path] : undefined;
  if (text !== undefined && path !== "") {
    node["description"] = text;
    used.add(path);
  }
  const below = (name: string): string => (path === "" ? name : `${path}.${name}`);
  for (const branch of ["anyOf", "oneOf", "allOf"]) {
    const branches = node[branch];
    // a description stands at the union, not at each branch of it again
    const inner = Object.fromEntries(Object.entries(descriptions).filter(([key]) => key !== path));
    for (const each of Array.isArray(branches) ? branches : []) describe(each, path, inner, used);
  }
  for (const [name, child] of Object.entries(isRecord(node["properties"]) ? node["properties"] : {}))
    describe(child, below(name), descriptions, used);
  describe(node["items"], below("[]"), descriptions, used);
  describe(node["additionalProperties"], below("*"), descriptions, used);
}

function isRecord(value: unknown): value is Record<string, unknown> {
  return typeof value === "object" && value !== null && !Array.isArray(value);
}
