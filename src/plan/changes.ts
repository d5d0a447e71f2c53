import type { Digest } from "../oci/digest.ts";

/** Everything that goes into the build keys of a release, but for the platform; as a release records it. */
export interface BuildInputs {
  readonly source: Digest;
  /** SOURCE_DATE_EPOCH, seconds. */
  readonly epoch: number;
  readonly context: Digest;
  readonly dockerfile: string;
  readonly toolchain: Digest;
  /** By context: the digest of its source, of its recipe's release index, or of its toolchain. */
  readonly contexts?: Readonly<Record<string, Digest>> | undefined;
  readonly args: Readonly<Record<string, string>>;
  readonly platformArgs?: Readonly<Record<string, Readonly<Record<string, string>>>> | undefined;
  /** Files that are applied to the source, in this order. */
  readonly patches?: string[] | undefined;
  readonly builder: string;
  readonly exporter: string;
  readonly normaliser: string;
}

/** One input that is not what it was. */
export interface InputChange {
  readonly input: keyof BuildInputs;
  readonly before: string;
  readonly after: string;
}

/** Why a build key is another one. */
export type ChangeCode =
  | "source-changed"
  | "dockerfile-changed"
  | "base-changed"
  | "toolchain-changed"
  | "args-changed"
  | "factory-changed";

/** How a toolchain is pinned: an image of others is a base, a locked package list is ours. */
export type ToolchainKind = "image" | "packages";

const order: readonly (keyof BuildInputs)[] = [
  "source",
  "epoch",
  "context",
  "dockerfile",
  "patches",
  "toolchain",
  "contexts",
  "args",
  "platformArgs",
  "normaliser",
  "exporter",
  "builder",
];

/** What differs between two sets of inputs; the one that says most comes first. */
export function changedInputs(before: BuildInputs, after: BuildInputs): InputChange[] {
  return order.flatMap((input) => {
    const [old, now] = [valueOf(before, input), valueOf(after, input)];
    return old === now ? [] : [{ input, before: old, after: now }];
  });
}

function valueOf(inputs: BuildInputs, input: keyof BuildInputs): string {
  if (input === "args") return argsText(inputs.args);
  if (input === "patches") return (inputs.patches ?? []).join(" ");
  if (input === "contexts") return argsText(inputs.contexts ?? {});
  if (input === "platformArgs")
    return Object.entries(inputs.platformArgs ?? {})
      .map(([platform, args]) => `${platform}: ${argsText(args)}`)
      .toSorted()
      .join("; ");
  return String(inputs[input]);
}

function argsText(args: Readonly<Record<string, string>>): string {
  return Object.keys(args)
    .toSorted()
    .map((name) => `${name}=${args[name] ?? ""}`)
    .join(" ");
}

/** The code for a change. */
export function codeOf({ input }: InputChange, toolchain: ToolchainKind): ChangeCode {
  switch (input) {
    case "source":
    case "epoch":
      return "source-changed";
    case "context":
    case "dockerfile":
    case "patches":
      return "dockerfile-changed";
    case "toolchain":
      return toolchain === "image" ? "base-changed" : "toolchain-changed";
    case "contexts":
      return "base-changed";
    case "args":
    case "platformArgs":
      return "args-changed";
    default:
      return "factory-changed";
  }
}

const names: Readonly<Record<keyof BuildInputs, string>> = {
  source: "the source",
  epoch: "SOURCE_DATE_EPOCH",
  context: "the Dockerfile or a file beside it",
  dockerfile: "which file is the Dockerfile",
  patches: "which patches are applied, or their order",
  toolchain: "the toolchain",
  contexts: "a context (another source, base image or toolchain)",
  args: "the build arguments",
  platformArgs: "the build arguments of a platform",
  normaliser: "the factory's normaliser",
  exporter: "how the factory exports layers",
  builder: "the builder",
};

/** The changes in a sentence: the first with what it was and is, then what else changed. */
export function describeChanges(changes: readonly InputChange[], toolchain: ToolchainKind, since: string): string {
  const [first, ...rest] = changes;
  if (!first) return `nothing changed since ${since}`;
  const name = (change: InputChange): string =>
    change.input === "toolchain" && toolchain === "image" ? "the base image" : names[change.input];
  const also = rest.length === 0 ? "" : `; so did ${rest.map(name).join(", ")}`;
  return `${name(first)} changed since ${since}: ${shown(first.before)} became ${shown(first.after)}${also}`;
}

/** The start of a digest tells two apart; other values are short. */
function shown(value: string): string {
  if (/^sha256:[0-9a-f]{64}$/.test(value)) return value.slice(0, 19);
  return value === "" ? "none" : value;
}
