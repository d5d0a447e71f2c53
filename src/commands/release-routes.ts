import { buildCommand, numberParser } from "@stricli/core";
import { escrow, json, key, out, push, recipeArgument, text, trust, wholeNumber } from "./flags.ts";

/** Verbs of what goes out, and of what proves it. */
export const releaseRoutes = {
  verify: buildCommand({
    loader: async () => (await import("./verify.ts")).verify,
    parameters: {
      flags: {
        ...json,
        ...trust,
        require: {
          kind: "parsed",
          parse: text,
          optional: true,
          brief: "Weakest verdict that exits 0: identical, equivalent, extended or drift (default)",
          placeholder: "VERDICT",
        },
        rebuild: {
          kind: "boolean",
          optional: true,
          withNegated: false,
          brief: "Build it here again from the checkout's recipe, and compare digests",
        },
      },
      positional: {
        kind: "tuple",
        parameters: [{ brief: "Image: registry reference or oci:PATH:TAG", parse: text, placeholder: "IMAGE" }],
      },
    },
    docs: { brief: "What was proved of an image, by whom, from which source; exit code for admission" },
  }),
  vendor: buildCommand({
    loader: async () => (await import("./vendor.ts")).vendor,
    parameters: {
      flags: {
        ...json,
        escrow,
        all: { kind: "boolean", optional: true, withNegated: false, brief: "Every release of every recipe" },
        refresh: {
          kind: "boolean",
          optional: true,
          withNegated: false,
          brief: "Only ask whether forks, tags and packages are still there, and what of the rest is held",
        },
        sources: {
          kind: "parsed",
          parse: text,
          optional: true,
          brief: "Source packages of the toolchains' packages: all (default), copyleft or none",
          placeholder: "WHICH",
        },
        refer: {
          kind: "parsed",
          parse: text,
          optional: true,
          brief: "Where the releases are: their indexes there refer to their capsules, HOST/NAME or oci:PATH",
          placeholder: "REF",
        },
      },
      positional: {
        kind: "array",
        parameter: { brief: "Recipes, with @VERSION or @'RANGE'", parse: text, placeholder: "RECIPE[@VERSION]" },
      },
    },
    docs: { brief: "Put everything that releases stand on into an escrow" },
  }),
  audit: buildCommand({
    loader: async () => (await import("./audit.ts")).audit,
    parameters: {
      flags: {
        ...json,
        escrow,
        format: {
          kind: "parsed",
          parse: text,
          optional: true,
          brief: "table (default), json, csv or spdx",
          placeholder: "FORMAT",
        },
        require: {
          kind: "parsed",
          parse: numberParser,
          optional: true,
          brief: "Percent of each release's closure that has to be held to exit 0 (default: 0)",
          placeholder: "PERCENT",
        },
        ledger: {
          kind: "boolean",
          optional: true,
          withNegated: false,
          brief: "Exit 1 unless whatever is not held is in a recipe's hermeticity ledger",
        },
      },
      positional: {
        kind: "array",
        parameter: { brief: "Releases (default: all)", parse: text, placeholder: "RECIPE[@VERSION]" },
      },
    },
    docs: { brief: "Every input of releases, transitively: what it is, where it is held, what is missing" },
  }),
  drill: buildCommand({
    loader: async () => (await import("./drill.ts")).drill,
    parameters: {
      flags: {
        ...json,
        escrow,
        all: { kind: "boolean", optional: true, withNegated: false, brief: "Every release that records digests" },
        sample: {
          kind: "parsed",
          parse: wholeNumber(0),
          optional: true,
          brief: "How many releases, others each day (default: 3, or all that are named)",
          placeholder: "N",
        },
      },
      positional: {
        kind: "array",
        parameter: { brief: "Releases to choose from (default: all)", parse: text, placeholder: "RECIPE[@VERSION]" },
      },
    },
    docs: { brief: "Rebuild releases offline from the escrow, in empty stores, and ask for the recorded digests" },
  }),
  gc: buildCommand({
    loader: async () => (await import("./gc.ts")).gc,
    parameters: {
      flags: {
        ...json,
        escrow,
        confirm: {
          kind: "boolean",
          optional: true,
          withNegated: false,
          brief: "Remove it; without, it is only said what would go",
        },
        grace: {
          kind: "parsed",
          parse: numberParser,
          optional: true,
          brief: "Hours for which whatever was written or asked for stays (default: 24)",
          placeholder: "HOURS",
        },
      },
    },
    docs: { brief: "What of an escrow no release in git reaches, and remove it" },
  }),
  promote: buildCommand({
    loader: async () => (await import("./promote.ts")).promote,
    parameters: {
      flags: {
        ...json,
        ...trust,
        require: {
          kind: "parsed",
          parse: text,
          optional: true,
          brief: "Weakest verdict that is promoted: identical, equivalent (default), extended or drift",
          placeholder: "VERDICT",
        },
        builders: {
          kind: "parsed",
          parse: wholeNumber(1),
          optional: true,
          brief: "How many builders must have built it and agree (default: 1)",
          placeholder: "N",
        },
        tag: {
          kind: "parsed",
          parse: text,
          optional: true,
          brief: "Tag it gets (default: the source's)",
          placeholder: "TAG",
        },
        moveTag: {
          kind: "boolean",
          optional: true,
          withNegated: false,
          brief: "Let the tag name something else than it does",
        },
        singleImage: {
          kind: "boolean",
          optional: true,
          withNegated: false,
          brief: "A single image is meant, not an index",
        },
        confirm: {
          kind: "boolean",
          optional: true,
          withNegated: false,
          brief: "Do it; without, only the plan is shown",
        },
      },
      positional: {
        kind: "tuple",
        parameters: [
          { brief: "Release: HOST/NAME:TAG, HOST/NAME@DIGEST or oci:PATH:TAG", parse: text, placeholder: "SOURCE" },
          { brief: "Where it goes: HOST/NAME or oci:PATH", parse: text, placeholder: "DESTINATION" },
        ],
      },
    },
    docs: { brief: "From staging to production by digest, with all that proves it, as policy allows" },
  }),
  publish: buildCommand({
    loader: async () => (await import("./rebuild.ts")).publish,
    parameters: { flags: { ...json, push, out, key }, positional: recipeArgument },
    docs: { brief: "Release what was built; builds nothing" },
  }),
  mirror: buildCommand({
    loader: async () => (await import("./mirror.ts")).mirror,
    parameters: {
      flags: {
        ...json,
        to: {
          kind: "parsed",
          parse: text,
          brief: "Where the copies go: HOST/PREFIX or oci:FOLDER",
          placeholder: "DESTINATION",
        },
        dryRun: { kind: "boolean", optional: true, withNegated: false, brief: "Only say what would be copied" },
        mapping: {
          kind: "parsed",
          parse: text,
          optional: true,
          variadic: true,
          brief:
            "Write which copy stands for which image: json, yaml, kube-test-repo-list, registries.conf or hosts.toml",
          placeholder: "FORMAT:FILE",
        },
      },
      positional: {
        kind: "tuple",
        parameters: [
          { brief: "Mirror file (default: recipes/mirror.yaml)", parse: text, placeholder: "FILE", optional: true },
        ],
      },
    },
    docs: { brief: "Copy images that are not rebuilt yet, with their referrers, and lock what their tags were" },
  }),
  key: buildCommand({
    loader: async () => (await import("./key.ts")).key,
    parameters: { flags: { ...json, out: { ...out, brief: "Folder for the key pair (default: here)" } } },
    docs: { brief: "Make a key pair for signing, in cosign's format" },
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
        history: {
          kind: "parsed",
          parse: text,
          optional: true,
          brief: "Of the site: where runs are kept, HOST/NAME or oci:PATH (default: a layout in the cache folder)",
          placeholder: "REFERENCE",
        },
        out: { ...out, brief: "Folder of the site (default: site)" },
      },
      positional: {
        kind: "tuple",
        parameters: [
          {
            brief: "Outcome that a rebuild wrote (default: the site of all runs)",
            parse: text,
            placeholder: "OUTCOME.json",
            optional: true,
          },
        ],
      },
    },
    docs: { brief: "The page of an outcome again; without one, the site of all runs, as site draws it" },
  }),
};
