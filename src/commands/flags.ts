import type { FlagParametersForType } from "@stricli/core";
import type { CliContext, CommonFlags } from "./context.ts";
import type { EngineFlags } from "./engine.ts";
import type { LintFlags } from "./lint.ts";
import type { RebuildFlags } from "./rebuild-one.ts";
import type { TrustFlags } from "./trust.ts";

// What several verbs take.

export const text = (input: string): string => input;

/** Parses a whole number that is not below `least`; anything else is a mistake on the command line. */
export function wholeNumber(least: number): (input: string) => number {
  return (input) => {
    const value = /^[0-9]{1,9}$/.test(input) ? Number(input) : Number.NaN;
    if (value >= least) return value;
    throw new SyntaxError(`${input} is not a whole number from ${least} on`);
  };
}
export const json = {
  json: { kind: "boolean", optional: true, withNegated: false, brief: "Print one JSON document on standard output" },
} as const satisfies FlagParametersForType<CommonFlags, CliContext>;
export const recipeArgument = {
  kind: "tuple",
  parameters: [
    {
      brief: "Recipe, with @VERSION for another release than the newest",
      parse: text,
      placeholder: "RECIPE[@VERSION]",
    },
  ],
} as const;
export const platform = {
  kind: "parsed",
  parse: text,
  optional: true,
  variadic: true,
  brief: "Only this platform, as in linux/arm64; may be repeated. Nothing is released then",
  placeholder: "PLATFORM",
} as const;
export const force = {
  kind: "boolean",
  optional: true,
  withNegated: false,
  brief: "Build again what the store has; fails when a digest is another",
} as const;
export const push = {
  kind: "parsed",
  parse: text,
  optional: true,
  brief: "Release into a registry instead of an OCI layout",
  placeholder: "HOST/NAME",
} as const;
export const out = {
  kind: "parsed",
  parse: text,
  optional: true,
  brief: "Folder for results (default: out)",
  placeholder: "FOLDER",
} as const;

export const key = {
  kind: "parsed",
  parse: text,
  optional: true,
  brief: "What signs: a key file in cosign's format (COSIGN_PASSWORD), env://NAME, or keyless",
  placeholder: "KEY",
} as const;

export const progress = {
  kind: "parsed",
  parse: text,
  optional: true,
  brief: "auto (default), plain, or json: one JSON event a line on standard error",
  placeholder: "FORM",
} as const;

export const trust = {
  key: {
    kind: "parsed",
    parse: text,
    optional: true,
    variadic: true,
    brief: "Public key that is trusted: a PEM file or env://NAME; may be repeated",
    placeholder: "KEY",
  },
  identity: {
    kind: "parsed",
    parse: text,
    optional: true,
    variadic: true,
    brief: "Keyless signer that is trusted; may be repeated",
    placeholder: "SUBJECT=ISSUER",
  },
  trustedRoot: {
    kind: "parsed",
    parse: text,
    optional: true,
    brief: "Sigstore's trusted root, for keyless signatures",
    placeholder: "FILE",
  },
} as const satisfies FlagParametersForType<TrustFlags, CliContext>;

export const lintFlags = {
  ...json,
  format: {
    kind: "parsed",
    parse: text,
    optional: true,
    brief: "text (default), json, github (annotations in pull requests) or sarif (code scanning)",
    placeholder: "FORMAT",
  },
  fix: {
    kind: "boolean",
    optional: true,
    withNegated: false,
    brief: "Mend what is mechanical: spaces, line ends, quotes, order. Meaning and comments stay",
  },
  dryRun: {
    kind: "boolean",
    optional: true,
    withNegated: false,
    brief: "With --fix: show what it would change, as a diff",
  },
} as const satisfies FlagParametersForType<LintFlags, CliContext>;

const record = {
  kind: "boolean",
  optional: true,
  withNegated: false,
  brief: "Write the digests into the release, as what every later rebuild has to give",
} as const;

export const escrow = {
  kind: "parsed",
  parse: text,
  optional: true,
  brief: "Where everything that releases stand on is kept: HOST/NAME or oci:PATH (default: REFOUNDRY_ESCROW)",
  placeholder: "REF",
} as const;

export const rebuildFlags = {
  ...json,
  all: {
    kind: "boolean",
    optional: true,
    withNegated: false,
    brief: "Every release of every recipe, in the order in which they need each other",
  },
  platform,
  force,
  push,
  out,
  key,
  progress,
  record,
  escrow,
  offline: {
    kind: "boolean",
    optional: true,
    withNegated: false,
    brief: "Fetch nothing but from the store and the escrow",
  },
  fromCapsule: {
    kind: "parsed",
    parse: text,
    optional: true,
    brief: "Rebuild the release that a capsule holds, recipe and all: oci:PATH:TAG or HOST/NAME@DIGEST",
    placeholder: "CAPSULE",
  },
  extend: {
    kind: "parsed",
    parse: text,
    optional: true,
    variadic: true,
    brief: "Platform that the recipe does not have; may be repeated. The release's own tag stays as it is",
    placeholder: "PLATFORM",
  },
  reason: {
    kind: "parsed",
    parse: text,
    optional: true,
    brief: "Why it is rebuilt, for the attestations",
    placeholder: "TEXT",
  },
} as const satisfies FlagParametersForType<RebuildFlags, CliContext>;
export const engineFlags = {
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
