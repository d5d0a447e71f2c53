import { buildCommand } from "@stricli/core";
import { force, json, platform, rebuildFlags, recipeArgument, text } from "./flags.ts";
import { planFlags } from "./plan-flags.ts";
import { machineRoutes } from "./machine-routes.ts";
import { recipeRoutes } from "./recipe-routes.ts";
import { releaseRoutes } from "./release-routes.ts";

/** The command line: one entry for each verb; the code of a verb is loaded when it is called. */
export const routes = {
  rebuild: buildCommand({
    loader: async () => (await import("./rebuild.ts")).rebuild,
    parameters: {
      flags: rebuildFlags,
      positional: {
        kind: "array",
        parameter: {
          brief: "Recipes, with @VERSION or @'RANGE' for other releases than the newest",
          parse: text,
          placeholder: "RECIPE[@VERSION]",
        },
      },
    },
    docs: { brief: "The whole way: fetch, build, compare, smoke-test, release, report" },
  }),
  plan: buildCommand({
    loader: async () => (await import("./plan.ts")).plan,
    parameters: {
      flags: planFlags,
      positional: {
        kind: "array",
        parameter: { brief: "Recipes (default: all)", parse: text, placeholder: "RECIPE[@VERSION]" },
      },
    },
    docs: { brief: "Which builds are due, why, and what they will take" },
  }),
  build: buildCommand({
    loader: async () => (await import("./stages.ts")).build,
    parameters: { flags: { ...json, platform, force }, positional: recipeArgument },
    docs: { brief: "Build only: images per platform into the store" },
  }),
  vary: buildCommand({
    loader: async () => (await import("./vary.ts")).vary,
    parameters: {
      flags: { ...json, platform },
      positional: {
        kind: "array",
        parameter: {
          brief: "Releases (default: the newest of each recipe)",
          parse: text,
          placeholder: "RECIPE[@VERSION]",
        },
      },
    },
    docs: { brief: "Build again under other conditions, and name those that a build depends on" },
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
          brief: "Recipe (or RECIPE@VERSION) whose waivers hold",
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
  ...recipeRoutes,
  ...releaseRoutes,
  ...machineRoutes,
};
