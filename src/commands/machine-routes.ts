import { buildCommand, buildRouteMap } from "@stricli/core";
import { engineFlags, escrow, json, lintFlags, out, recipeArgument, text } from "./flags.ts";

const toolchainName = { brief: "Toolchain", parse: text, placeholder: "TOOLCHAIN" };
const lockName = { brief: "Lock (default: the newest)", parse: text, placeholder: "LOCK", optional: true } as const;

/** Verbs of inputs and of the machine. */
export const machineRoutes = {
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
  lint: buildCommand({
    loader: async () => (await import("./lint.ts")).lint,
    parameters: {
      flags: lintFlags,
      positional: {
        kind: "array",
        parameter: { brief: "Recipes, files or folders (default: all)", parse: text, placeholder: "PATH" },
      },
    },
    docs: { brief: "Check recipes, locks, toolchains and sources; all problems at once" },
  }),
  toolchain: buildRouteMap({
    routes: {
      lock: buildCommand({
        loader: async () => (await import("./toolchain.ts")).lock,
        parameters: {
          flags: {
            ...json,
            replace: { kind: "boolean", optional: true, withNegated: false, brief: "Overwrite a lock that is there" },
          },
          positional: { kind: "tuple", parameters: [{ brief: "Toolchain", parse: text, placeholder: "TOOLCHAIN" }] },
        },
        docs: { brief: "Resolve a package list, make the image, write the lock" },
      }),
      build: buildCommand({
        loader: async () => (await import("./toolchain.ts")).build,
        parameters: {
          flags: {
            ...json,
            escrow,
            offline: {
              kind: "boolean",
              optional: true,
              withNegated: false,
              brief: "Fetch nothing: its packages come from the store and the escrow",
            },
            force: {
              kind: "boolean",
              optional: true,
              withNegated: false,
              brief: "Make it again, and require the same digest",
            },
          },
          positional: { kind: "tuple", parameters: [toolchainName, lockName] },
        },
        docs: { brief: "Put a toolchain's image into the store" },
      }),
      sources: buildCommand({
        loader: async () => (await import("./toolchain-sources.ts")).sources,
        parameters: {
          flags: json,
          positional: { kind: "tuple", parameters: [toolchainName, lockName] },
        },
        docs: { brief: "Pin the source packages of a lock's packages" },
      }),
      prove: buildCommand({
        loader: async () => (await import("./toolchain-sources.ts")).prove,
        parameters: {
          flags: {
            ...json,
            escrow,
            offline: {
              kind: "boolean",
              optional: true,
              withNegated: false,
              brief: "Fetch nothing: packages and sources come from the store and the escrow",
            },
            out: { ...out, brief: "Folder for the packages that were built (default: they are only compared)" },
          },
          positional: {
            kind: "tuple",
            parameters: [
              toolchainName,
              { brief: "Source package, as in hostname", parse: text, placeholder: "SOURCE" },
              lockName,
            ],
          },
        },
        docs: { brief: "Build a source package again in its toolchain, and compare it with the toolchain's packages" },
      }),
    },
    docs: { brief: "Toolchains: pinned images, or images made from locked package lists" },
  }),
  source: buildCommand({
    loader: async () => (await import("./stages.ts")).source,
    parameters: { flags: json, positional: recipeArgument },
    docs: { brief: "Fetch, verify and stage a release's source" },
  }),
};
