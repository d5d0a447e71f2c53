import type { Location, Problem } from "../errors.ts";

/** Whether a problem may stay: an error may not, a warning may for a while, a note is to be known. */
export type Severity = "error" | "warning" | "note";

/** A kind of problem; its id never changes, so that people can filter and silence by it. */
export interface LintRule {
  readonly severity: Severity;
  /** What is checked, in a few words. */
  readonly title: string;
  /** Why it matters and what to do, one or two sentences. */
  readonly help: string;
  /** Whether `refoundry lint --fix` mends it. */
  readonly fixable?: true;
}

const tidy = "refoundry lint --fix does it, and changes nothing else.";

const catalogue = {
  layout: {
    severity: "error",
    title: "Files and folders are where they are looked for",
    help: "A recipe, release, toolchain, lock or source is found by its name and place alone. Move or rename it.",
  },
  "unread-file": {
    severity: "warning",
    title: "Every file is read by something",
    help: "A file that nothing reads looks as if it were in force. Name it NAME.yaml, or remove it.",
  },
  yaml: {
    severity: "error",
    title: "Files are plain YAML 1.2",
    help: "One document without anchors, aliases, tags, repeated keys or unseen characters, so that what is reviewed is what is read.",
  },
  schema: {
    severity: "error",
    title: "Keys and values are as the schema says",
    help: "The schemas are in schemas/; editors complete and check from them.",
  },
  name: {
    severity: "error",
    title: "A document calls itself as its file is called",
    help: "Rename the file or folder, or change the name inside.",
  },
  reference: {
    severity: "error",
    title: "What a recipe or release names is there",
    help: "Sources, toolchains, locks and Dockerfiles that are named have to be in the factory's folder.",
  },
  pin: {
    severity: "error",
    title: "Every input is pinned by digest, and the pins agree",
    help: "A release holds full commit ids and digests, which agree with its recipe, source, toolchain and lock. refoundry pin writes them.",
  },
  "upstream-tag": {
    severity: "warning",
    title: "Releases are pinned from the tag of their version",
    help: "With a tag in the recipe, refoundry pin takes what that tag names at the time, whatever version is asked for.",
  },
  lock: {
    severity: "error",
    title: "A toolchain's lock has each package once, for an architecture it has",
    help: "Locks are written by refoundry toolchain lock.",
  },
  platforms: {
    severity: "error",
    title: "Platforms are os/architecture[/variant], each listed once",
    help: "A platform is reproduced, extended or left out.",
  },
  "platform-omitted": {
    severity: "error",
    title: "What is left out is what upstream has",
    help: "platforms.omit lists platforms that upstream released and the recipe does not reproduce. They count against its rate.",
  },
  "platform-unknown": {
    severity: "warning",
    title: "Platforms are ones that images are made for",
    help: "The name is well formed, but neither Go nor the image-spec knows such a platform.",
  },
  "platform-expected": {
    severity: "warning",
    title: "What a release expects is what its recipe builds",
    help: "Digests that are expected of a platform the recipe does not build are never checked.",
  },
  hermeticity: {
    severity: "error",
    title: "Builds have no network and no unpinned input",
    help: "A build takes what its release pins and nothing else; otherwise nobody can repeat it.",
  },
  dockerfile: {
    severity: "error",
    title: "A Dockerfile builds on pinned inputs only",
    help: "FROM, COPY --from and mounts name scratch, toolchain, src or a stage above; ADD takes no address; RUN has no network.",
  },
  "dockerfile-network": {
    severity: "warning",
    title: "No command of a build goes to the network",
    help: "Builds have no network, so a command that downloads fails. Vendor what it gets into the source, or put it into the toolchain.",
  },
  "dockerfile-clock": {
    severity: "warning",
    title: "No command of a build asks for the time",
    help: "The time of the build ends in the image, which is then another one each day. Use SOURCE_DATE_EPOCH.",
  },
  patch: {
    severity: "error",
    title: "Patches say where they are from and why",
    help: "A header of DEP-3 begins each: Description, Origin (or Author), and Forwarded. A change to a source that nobody can trace is none that others can trust.",
  },
  "source-address": {
    severity: "error",
    title: "Sources have addresses that git may see",
    help: "https://, ssh:// or user@host:path, without credentials.",
  },
  "source-local": {
    severity: "warning",
    title: "Sources can be fetched by others",
    help: "A file: address serves one machine only.",
  },
  "licence-unknown": {
    severity: "warning",
    title: "Licences are SPDX expressions",
    help: "Identifiers of the SPDX licence list joined by AND, OR and WITH; LicenseRef-NAME for one that is not on it.",
  },
  "licence-deprecated": {
    severity: "warning",
    title: "Licences are named as SPDX names them now",
    help: "GPL-2.0 does not say whether later versions are allowed; GPL-2.0-only and GPL-2.0-or-later do.",
  },
  "licence-offer-source": {
    severity: "note",
    title: "Licences that oblige whoever hands out the image to offer its source",
    help: "Publish the source with the image, or a written offer; the escrow of a release holds what is needed.",
  },
  "waiver-expired": {
    severity: "error",
    title: "Waivers hold today",
    help: "An expired waiver declares nothing. Its owner removes it, or gives a later date with a reason that still holds.",
  },
  "waiver-expiring": {
    severity: "warning",
    title: "Waivers hold for more than 30 days yet",
    help: "Its owner decides now whether the reason still holds, before builds fail.",
  },
  "waiver-class": {
    severity: "warning",
    title: "Waivers are for classes of differences that compare has",
    help: "A waiver for a class that nothing gives covers nothing. refoundry classes lists them.",
  },
  "waiver-platform": {
    severity: "warning",
    title: "Waivers are for platforms that the recipe builds",
    help: "A waiver for a platform that is not built covers nothing. Without platforms it is for all.",
  },
  "varies-platform": {
    severity: "error",
    title: "Known dependences are those of platforms that the recipe builds",
    help: "What a build depends on is seen by refoundry vary when it is built, and never where it is not. Without platforms it is for all.",
  },
  "ledger-expired": {
    severity: "error",
    title: "The hermeticity ledger holds today",
    help: "An expired entry declares nothing. Its owner has the input pinned and held, or gives a later date with a reason that still holds.",
  },
  "ledger-open": {
    severity: "note",
    title: "What releases stand on and nobody holds, or nothing pins",
    help: "The hermeticity ledger: each entry has an owner, a reason and a last day. refoundry audit says how much each covers.",
  },
  "ledger-missing": {
    severity: "warning",
    title: "Inputs that nothing pins are in the hermeticity ledger",
    help: "Pin them (refoundry toolchain sources), or put them under ledger: with an owner, a reason and a last day.",
  },
  unused: {
    severity: "warning",
    title: "Every source and toolchain is used by a recipe",
    help: "Name it in a recipe, or remove it.",
  },
  "unused-versions": {
    severity: "warning",
    title: "What a recipe says of some versions is for a release",
    help: "Nothing is built by it. Pin a version that it is for, or remove it.",
  },
  "no-release": {
    severity: "warning",
    title: "Every recipe has a release",
    help: "refoundry pin RECIPE VERSION writes the first one.",
  },
  "trailing-space": { severity: "warning", title: "No line ends in white space", help: tidy, fixable: true },
  "final-newline": { severity: "warning", title: "Files end in one line end", help: tidy, fixable: true },
  tabs: { severity: "warning", title: "No tabs outside of text", help: tidy, fixable: true },
  "line-ends": { severity: "warning", title: "Lines end in LF", help: tidy, fixable: true },
  "key-order": { severity: "warning", title: "Keys are in the schema's order", help: tidy, fixable: true },
  quotes: { severity: "warning", title: "Versions are in double quotes", help: tidy, fixable: true },
  "platform-order": { severity: "warning", title: "Platform lists are sorted", help: tidy, fixable: true },
} as const satisfies Readonly<Record<string, LintRule>>;

/** The stable id of a kind of problem. */
export type RuleId = keyof typeof catalogue;

/** Every kind of problem that lint tells of. */
export const lintRules: Readonly<Record<RuleId, LintRule>> = catalogue;

/** What lint found: a problem of a kind at a place. */
export interface LintProblem extends Problem {
  readonly rule: RuleId;
  readonly severity: Severity;
  readonly location: Location;
}

/** Takes in problems as they are found, each with the severity of its rule; repeats are kept once. */
export type Report = (rule: RuleId, ...problems: readonly Problem[]) => void;
