import { buildCommand, buildRouteMap, type FlagParametersForType } from "@stricli/core";
import type { CliContext, CommonFlags } from "./context.ts";
import type { EngineFlags } from "./engine.ts";
import type { RebuildFlags } from "./rebuild.ts";

const text = (input: string): string => input;
const json = {
  json: { kind: "boolean", optional: true, withNegated: false, brief: "Print one JSON document on standard output" },
} as const satisfies FlagParametersForType<CommonFlags, CliContext>;
const recipeArgument = {
  kind: "tuple",
  parameters: [
    {
      brief: "Recipe, with @VERSION for another release than the newest",
      parse: text,
      placeholder: "RECIPE[@VERSION]",
    },
  ],
} as const;
const platform = {
  kind: "parsed",
  parse: text,
  optional: true,
  variadic: true,
  brief: "Only this platform, as in linux/arm64; may be repeated. Nothing is released then",
  placeholder: "PLATFORM",
} as const;
const force = {
  kind: "boolean",
  optional: true,
  withNegated: false,
  brief: "Build again what the store has; fails when a digest is another",
} as const;
const push = {
  kind: "parsed",
  parse: text,
  optional: true,
  brief: "Release into a registry instead of an OCI layout",
  placeholder: "HOST/NAME",
} as const;
const out = {
  kind: "parsed",
  parse: text,
  optional: true,
  brief: "Folder for results (default: out)",
  placeholder: "FOLDER",
} as const;

const record = {
  kind: "boolean",
  optional: true,
  withNegated: false,
  brief: "Write the digests into the release, as what every later rebuild has to give",
} as const;

const rebuildFlags = { ...json, platform, force, push, out, record } as const satisfies FlagParametersForType<
  RebuildFlags,
  CliContext
>;
const engineFlags = {
  ...json,
  root: {
    kind: "parsed",
    parse: text,
    optional: true,
    brief: "Folder of the embedded engine (default: REFOUNDRY_ENGINE_ROOT or the cache)",
    placeholder: "FOLDER",
  },
  hostNetwork: {
    kind: "boolean",
    optional: true,
    withNegated: false,
    brief: "Share the machine's network, so that docker pull and push work",
  },
} as const satisfies FlagParametersForType<EngineFlags, CliContext>;

/** The command line: one entry for each verb; the code of a verb is loaded when it is called. */
export const routes = {
  rebuild: buildCommand({
    loader: async () => (await import("./rebuild.ts")).rebuild,
    parameters: { flags: rebuildFlags, positional: recipeArgument },
    docs: { brief: "The whole way: fetch, build, compare, smoke-test, release, report" },
  }),
  plan: buildCommand({
    loader: async () => (await import("./plan.ts")).plan,
    parameters: {
      flags: json,
      positional: {
        kind: "array",
        parameter: { brief: "Recipes (default: all)", parse: text, placeholder: "RECIPE[@VERSION]" },
      },
    },
    docs: { brief: "Which builds are due, and why" },
  }),
  source: buildCommand({
    loader: async () => (await import("./stages.ts")).source,
    parameters: { flags: json, positional: recipeArgument },
    docs: { brief: "Fetch, verify and stage a release's source" },
  }),
  toolchain: buildRouteMap({
    routes: {
      lock: buildCommand({
        loader: async () => (await import("./toolchain.ts")).lock,
        parameters: {
          flags: json,
          positional: { kind: "tuple", parameters: [{ brief: "Toolchain", parse: text, placeholder: "TOOLCHAIN" }] },
        },
        docs: { brief: "Resolve a package list, make the image, write the lock" },
      }),
      build: buildCommand({
        loader: async () => (await import("./toolchain.ts")).build,
        parameters: {
          flags: {
            ...json,
            force: {
              kind: "boolean",
              optional: true,
              withNegated: false,
              brief: "Make it again, and require the same digest",
            },
          },
          positional: {
            kind: "tuple",
            parameters: [
              { brief: "Toolchain", parse: text, placeholder: "TOOLCHAIN" },
              { brief: "Lock (default: the newest)", parse: text, placeholder: "LOCK", optional: true },
            ],
          },
        },
        docs: { brief: "Put a toolchain's image into the store" },
      }),
    },
    docs: { brief: "Toolchains: pinned images, or images made from locked package lists" },
  }),
  build: buildCommand({
    loader: async () => (await import("./stages.ts")).build,
    parameters: { flags: { ...json, platform, force }, positional: recipeArgument },
    docs: { brief: "Build only: images per platform into the store" },
  }),
  compare: buildCommand({
    loader: async () => (await import("./compare.ts")).compare,
    parameters: {
      flags: {
        ...json,
        require: {
          kind: "parsed",
          parse: text,
          optional: true,
          brief: "Weakest level that exits 0 (default: explained)",
          placeholder: "LEVEL",
        },
        recipe: {
          kind: "parsed",
          parse: text,
          optional: true,
          brief: "Recipe whose waivers hold",
          placeholder: "RECIPE",
        },
        html: {
          kind: "parsed",
          parse: text,
          optional: true,
          brief: "Write a page with every difference to look at",
          placeholder: "FILE",
        },
        markdown: {
          kind: "parsed",
          parse: text,
          optional: true,
          brief: "Write a comment for a pull request",
          placeholder: "FILE",
        },
        encoders: {
          kind: "boolean",
          optional: true,
          withNegated: false,
          brief: "Find who compressed layers of which only the compression differs (slow; builds Go's encoders once)",
        },
      },
      positional: {
        kind: "tuple",
        parameters: [
          {
            brief:
              "Image: registry reference, oci:PATH[:TAG|@DIGEST], oci-archive:FILE[:TAG], docker-archive:FILE[:NAME]",
            parse: text,
            placeholder: "A",
          },
          { brief: "Image", parse: text, placeholder: "B" },
        ],
      },
    },
    docs: { brief: "Compare any two images or indexes, platform by platform" },
  }),
  classes: buildCommand({
    loader: async () => (await import("./classes.ts")).classes,
    parameters: {
      flags: json,
      positional: {
        kind: "tuple",
        parameters: [{ brief: "Class (default: all)", parse: text, placeholder: "CLASS", optional: true }],
      },
    },
    docs: { brief: "The classes of differences that compare can explain, how, and why that is safe" },
  }),
  smoke: buildCommand({
    loader: async () => (await import("./stages.ts")).smoke,
    parameters: { flags: { ...json, platform }, positional: recipeArgument },
    docs: { brief: "Run the smoke test in images that were built" },
  }),
  publish: buildCommand({
    loader: async () => (await import("./rebuild.ts")).publish,
    parameters: { flags: { ...json, push, out }, positional: recipeArgument },
    docs: { brief: "Release what was built; builds nothing" },
  }),
  report: buildCommand({
    loader: async () => (await import("./report.ts")).report,
    parameters: {
      flags: {
        ...json,
        output: {
          kind: "parsed",
          parse: text,
          optional: true,
          brief: "Where the page goes (default: beside the outcome)",
          placeholder: "FILE",
        },
      },
      positional: {
        kind: "tuple",
        parameters: [{ brief: "Outcome that a rebuild wrote", parse: text, placeholder: "OUTCOME.json" }],
      },
    },
    docs: { brief: "Write the HTML page of an outcome again" },
  }),
  pin: buildCommand({
    loader: async () => (await import("./pin.ts")).pin,
    parameters: {
      flags: {
        ...json,
        replace: { kind: "boolean", optional: true, withNegated: false, brief: "Overwrite a release that is there" },
      },
      positional: {
        kind: "tuple",
        parameters: [
          { brief: "Recipe", parse: text, placeholder: "RECIPE" },
          { brief: "Upstream version", parse: text, placeholder: "VERSION" },
        ],
      },
    },
    docs: { brief: "Resolve every input of a version and write its release lock" },
  }),
  lint: buildCommand({
    loader: async () => (await import("./lint.ts")).lint,
    parameters: { flags: json },
    docs: { brief: "Check recipes, locks, toolchains and sources; all problems at once" },
  }),
  engine: buildRouteMap({
    routes: {
      up: buildCommand({
        loader: async () => (await import("./engine.ts")).up,
        parameters: { flags: engineFlags },
        docs: { brief: "Start the embedded engine and keep it running" },
      }),
      down: buildCommand({
        loader: async () => (await import("./engine.ts")).down,
        parameters: { flags: engineFlags },
        docs: { brief: "Stop it; nothing is left behind" },
      }),
      status: buildCommand({
        loader: async () => (await import("./engine.ts")).status,
        parameters: { flags: engineFlags },
        docs: { brief: "Whether it runs, and where its socket is" },
      }),
    },
    docs: { brief: "The embedded engine, for machines without Docker" },
  }),
  doctor: buildCommand({
    loader: async () => (await import("./doctor.ts")).doctor,
    parameters: { flags: json },
    docs: { brief: "Check engine, buildx, emulation, mirror and disk: what works, what to do" },
  }),
};
