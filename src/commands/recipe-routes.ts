import { buildCommand } from "@stricli/core";
import { json, key, out, push, recipeArgument, text, progress, wholeNumber } from "./flags.ts";

const history = {
  kind: "parsed",
  parse: text,
  optional: true,
  brief: "Where runs are kept: HOST/NAME or oci:PATH (default: a layout in the cache folder)",
  placeholder: "REFERENCE",
} as const;

const count = { kind: "parsed", parse: wholeNumber(0), optional: true, placeholder: "N" } as const;
const atLeastOne = { ...count, parse: wholeNumber(1) } as const;

/** Verbs of the three ways in which a factory is used: a recipe in a pull request, the nightly, its history. */
export const recipeRoutes = {
  add: buildCommand({
    loader: async () => (await import("./add.ts")).add,
    parameters: {
      flags: {
        ...json,
        source: {
          kind: "parsed",
          parse: text,
          optional: true,
          brief: "Repository of its source (default: what the image's label names)",
          placeholder: "URL",
        },
        name: {
          kind: "parsed",
          parse: text,
          optional: true,
          brief: "Name of the recipe (default: the image's)",
          placeholder: "NAME",
        },
        toolchain: {
          kind: "parsed",
          parse: text,
          optional: true,
          brief: "Toolchain that builds it",
          placeholder: "TOOLCHAIN",
        },
        version: {
          kind: "parsed",
          parse: text,
          optional: true,
          brief: "Upstream version to begin with (default: from the tag)",
          placeholder: "VERSION",
        },
        platformExtend: {
          kind: "parsed",
          parse: text,
          optional: true,
          variadic: true,
          brief: "Platform to add that upstream lacks; may be repeated",
          placeholder: "PLATFORM",
        },
        dryRun: { kind: "boolean", optional: true, withNegated: false, brief: "Only say what would be written" },
      },
      positional: { kind: "tuple", parameters: [{ brief: "Upstream's image", parse: text, placeholder: "IMAGE" }] },
    },
    docs: { brief: "Look at a live image, and propose a recipe, its source and its first release" },
  }),
  pin: buildCommand({
    loader: async () => (await import("./pin.ts")).pin,
    parameters: {
      flags: {
        ...json,
        replace: { kind: "boolean", optional: true, withNegated: false, brief: "Overwrite a release that is there" },
        update: {
          kind: "boolean",
          optional: true,
          withNegated: false,
          brief: "Say which newer versions and toolchains there are; writes no release",
        },
        renovate: {
          kind: "parsed",
          parse: text,
          optional: true,
          brief: "With --update: write what Renovate's custom datasource reads into a folder",
          placeholder: "FOLDER",
        },
      },
      positional: {
        kind: "array",
        parameter: {
          brief: "Recipe, then upstream versions; with --update recipes (default: all)",
          parse: text,
          placeholder: "RECIPE VERSION",
        },
      },
    },
    docs: { brief: "Resolve every input of versions and write their release locks" },
  }),
  nightly: buildCommand({
    loader: async () => (await import("./nightly.ts")).nightly,
    parameters: {
      flags: {
        ...json,
        push: { ...push, brief: "Release into a registry, each recipe under its name", placeholder: "HOST/PREFIX" },
        all: {
          kind: "boolean",
          optional: true,
          withNegated: false,
          brief: "Every release, not only the newest of each recipe",
        },
        sample: { ...count, brief: "How many that are not due are built again from nothing (default: 1)" },
        jobs: { ...atLeastOne, brief: "Releases side by side (default: one more than REFOUNDRY_JOBS)" },
        retries: { ...count, brief: "Attempts after the first, where engine, registry or disk failed (default: 2)" },
        fetchRetries: { ...count, brief: "The same where a source, package or upstream was away (default: 4)" },
        timeout: {
          ...atLeastOne,
          brief: "Seconds for one attempt at a release (default: twelve hours)",
          placeholder: "SECONDS",
        },
        out,
        history,
        progress,
        record: {
          kind: "boolean",
          optional: true,
          withNegated: false,
          brief: "Write what came out from other inputs into the releases, and the text of a pull request (refresh.md)",
        },
        fresh: { kind: "boolean", optional: true, withNegated: false, brief: "Forget a run that was cut off" },
        key,
      },
      positional: {
        kind: "array",
        parameter: { brief: "Recipes (default: all)", parse: text, placeholder: "RECIPE" },
      },
    },
    docs: { brief: "Plan, and rebuild all that is due; resumable, with one result for the night" },
  }),
  history: buildCommand({
    loader: async () => (await import("./history.ts")).history,
    parameters: {
      flags: { ...json, history, limit: { ...atLeastOne, brief: "How many runs, newest first (default: 30)" } },
    },
    docs: { brief: "The runs of the nightly that are kept" },
  }),
  explain: buildCommand({
    loader: async () => (await import("./explain.ts")).explain,
    parameters: {
      flags: {
        ...json,
        registry: {
          kind: "parsed",
          parse: text,
          optional: true,
          brief: "Where releases are, as HOST/PREFIX/RECIPE:VERSION",
          placeholder: "HOST/PREFIX",
        },
        history,
        limit: { ...atLeastOne, brief: "How many runs of the history are looked through (default: 30)" },
      },
      positional: recipeArgument,
    },
    docs: { brief: "All that is known of a release: inputs, verdicts over time, what would make it rebuild" },
  }),
  site: buildCommand({
    loader: async () => (await import("./site.ts")).site,
    parameters: {
      flags: {
        ...json,
        out: { ...out, brief: "Folder of the site (default: site)" },
        history,
        runs: { ...atLeastOne, brief: "How many runs of the history are drawn (default: 365)" },
        title: { kind: "parsed", parse: text, optional: true, brief: "Title of the site", placeholder: "TITLE" },
        baseUrl: {
          kind: "parsed",
          parse: text,
          optional: true,
          brief: "Address of the site, for its feed",
          placeholder: "URL",
        },
        reports: {
          kind: "parsed",
          parse: text,
          optional: true,
          brief: "Where releases' own reports are, from the site's root",
          placeholder: "FOLDER",
        },
      },
      positional: {
        kind: "array",
        parameter: { brief: "Runs as files or folders (default: the history)", parse: text, placeholder: "RUN" },
      },
    },
    docs: { brief: "Draw a static site from the runs of the nightly" },
  }),
};
