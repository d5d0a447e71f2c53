import type { FlagParametersForType } from "@stricli/core";
import type { CliContext } from "./context.ts";
import { json, text, wholeNumber } from "./flags.ts";
import type { PlanFlags } from "./plan.ts";

/** Flags of `refoundry plan`. */
export const planFlags = {
  ...json,
  all: {
    kind: "boolean",
    optional: true,
    withNegated: false,
    brief: "Every release, not only the newest of each recipe",
  },
  since: {
    kind: "parsed",
    parse: text,
    optional: true,
    brief: "What was made due since a git revision, by every release",
    placeholder: "REV",
  },
  registry: {
    kind: "parsed",
    parse: text,
    optional: true,
    brief: "Where releases are, as HOST/PREFIX/RECIPE:VERSION; one request each",
    placeholder: "HOST/PREFIX",
  },
  attestations: {
    kind: "boolean",
    optional: true,
    withNegated: false,
    brief: "Look for signature and provenance in the registry too; one request more each",
  },
  upstream: {
    kind: "boolean",
    optional: true,
    withNegated: false,
    brief: "Ask upstream's registries whether tags moved, and check pins against what they name",
  },
  maxAge: {
    kind: "parsed",
    parse: wholeNumber(0),
    optional: true,
    brief: "Seconds for which a registry's answer is believed (default: 600)",
    placeholder: "SECONDS",
  },
  format: {
    kind: "enum",
    values: ["table", "json", "markdown", "matrix"],
    optional: true,
    brief: "table (default), json, markdown for a pull request, matrix for GitHub Actions",
  },
} as const satisfies FlagParametersForType<PlanFlags, CliContext>;
