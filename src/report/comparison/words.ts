import type { Comparison, Difference, Level, PackageDrift, PlatformComparison } from "../../compare/types.ts";

/** How a comparison came out, in words of our own: nothing in them comes from an image. */
export interface Conclusion {
  /** `equal at level layers`, `drift`, `different`. */
  readonly title: string;
  /** Why, without a full stop. */
  readonly sentence: string;
}

/** How many differences of a platform or an index have each weight, by item. */
export type Counts = Readonly<Record<Difference["weight"], number>>;

/** Weights as they are told: what counts against equality first. */
export const weights: readonly Difference["weight"][] = ["unexplained", "drift", "explained", "benign"];

/** What each benign class is about, as in "the configs differ in their ..."; others go by their names. */
const subjects: ReadonlyMap<string, string> = new Map([
  ["config-created", "time"],
  ["config-history-created", "history’s times"],
  ["config-history", "history"],
  ["config-author", "author"],
  ["config-legacy", "legacy fields"],
  ["config-empty", "empty fields"],
  ["config-env-order", "order of variables"],
  ["config-key-order", "order of keys"],
  ["config-variant", "variant"],
  ["config-args-escaped", "ArgsEscaped"],
  ["layer-compression", "compression"],
  ["manifest-annotations", "annotations"],
  ["manifest-fields", "other fields"],
  ["manifest-key-order", "order of keys"],
  ["media-type", "media types"],
  ["entry-times", "times"],
  ["whiteout-times", "times of whiteouts"],
  ["pax-times", "access times"],
  ["entry-order", "order"],
  ["owner-names", "names of owners"],
  ["name-prefix", "prefixes of names"],
  ["mode-type-bits", "type bits in modes"],
  ["tar-dialect", "dialect of tar"],
  ["tar-headers", "headers"],
  ["tar-padding", "padding"],
  ["entry-duplicates", "duplicates"],
  ["empty-layers", "empty layers"],
  ["layer-split", "division"],
  ["whiteout-form", "form of whiteouts"],
  ["attestation-children", "attestations"],
  ["index-annotations", "annotations"],
  ["index-artifact-children", "artifacts"],
  ["index-child-order", "order"],
  ["index-fields", "other fields"],
  ["index-inline-data", "inline data"],
  ["index-key-order", "order of keys"],
  ["index-media-type", "media types"],
  ["index-nested", "nesting"],
]);
const namedSubjects = 4;

/** What reaching a level means, for one platform and for several. */
const meanings: Readonly<Record<Exclude<Level, "explained" | "drift" | "different">, readonly [string, string]>> = {
  index: ["the same index, byte for byte", "the same index, byte for byte"],
  "index-core": ["the same manifest for the same platform", "the same manifests for the same platforms"],
  manifest: ["the same manifest", "the same manifests"],
  config: ["the same config and the same tars", "the same configs and the same tars"],
  layers: ["the same tars", "the same tars"],
  entries: ["the same files in every layer", "the same files in every layer"],
  filesystem: ["the same files once the layers are applied", "the same files once the layers are applied"],
};

/** How a comparison came out, in a sentence that a person grasps at once. */
export function conclude(comparison: Comparison): Conclusion {
  const { level } = comparison;
  if (level === "different") return { title: "different", sentence: whyDifferent(comparison) };
  if (level === "drift") return { title: "drift", sentence: whyDrift(comparison) };
  const title = `equal at level ${level}`;
  if (level === "explained") return { title, sentence: whyExplained(comparison) };
  const meaning = meanings[level][comparison.platforms.length === 1 ? 0 : 1];
  return { title, sentence: [meaning, ...whatDiffers(comparison)].join("; ") };
}

/** Counts differences by weight and item. */
export function countByWeight(differences: readonly Difference[]): Counts {
  const count = (weight: Difference["weight"]): number =>
    differences.reduce((sum, found) => sum + (found.weight === weight ? found.count : 0), 0);
  return {
    unexplained: count("unexplained"),
    drift: count("drift"),
    explained: count("explained"),
    benign: count("benign"),
  };
}

/** Every difference of a comparison: of the index, then platform by platform. */
export function everyDifference({ differences, platforms }: Comparison): Difference[] {
  return [...differences, ...platforms.flatMap((platform) => platform.differences)];
}

/** A number with its noun: `1 path`, `3 paths`. */
export function plural(count: number, one: string, many = `${one}s`): string {
  return `${count} ${count === 1 ? one : many}`;
}

/** What became of a package: `3.0.15-1 -> 3.0.16-1`, `1.2, only in the first image`. */
export function describeVersions({ left, right }: PackageDrift): string {
  if (left === undefined) return `${right ?? "unknown"}, only in the second image`;
  return right === undefined ? `${left}, only in the first image` : `${left} -> ${right}`;
}

/** Whether one of the levels of a platform was reached by what is in the image, not by proofs alone. */
export function isEqual({ level }: Pick<PlatformComparison, "level">): boolean {
  return level !== "drift" && level !== "different";
}

function whyDifferent(comparison: Comparison): string {
  const { platforms, onlyLeft, onlyRight } = comparison;
  const unmatched = onlyLeft.length + onlyRight.length;
  const found = platforms.reduce((sum, { unexplained }) => sum + unexplained, 0);
  const reasons = [
    ...(platforms.length === 0 ? ["no platform is in both"] : []),
    ...(found > 0 ? [`${plural(found, "difference")} ${found === 1 ? "has" : "have"} no explanation`] : []),
    ...(unmatched > 0 ? [`${plural(unmatched, "platform")} ${unmatched === 1 ? "is" : "are"} on one side only`] : []),
  ];
  return reasons.length === 0 ? "the images are not equal at any level" : reasons.join("; ");
}

function whyDrift(comparison: Comparison): string {
  const { drift } = countByWeight(everyDifference(comparison));
  const packages = new Set(
    comparison.platforms.flatMap((platform) => platform.packages.map(({ database, name }) => `${database} ${name}`)),
  );
  const whose = packages.size === 1 ? "a package of another version" : `${packages.size} packages of other versions`;
  return `no equality; ${plural(drift, "difference")} ${drift === 1 ? "belongs" : "belong"} to ${whose}`;
}

function whyExplained(comparison: Comparison): string {
  const explained = everyDifference(comparison).filter(({ weight }) => weight === "explained");
  const total = explained.reduce((sum, { count }) => sum + count, 0);
  const declared = explained.reduce((sum, { proof, count }) => sum + (proof === "declared" ? count : 0), 0);
  const proved = `${plural(total, "difference")}, ${total === 1 ? "with" : "each with"} a proof`;
  if (declared === 0) return proved;
  if (declared === total) return `${plural(total, "difference")}, declared by waivers`;
  return `${plural(total, "difference")}: ${total - declared} with a proof, ${declared} declared by waivers`;
}

/** For each kind of document, what it differs in: "the config differs in its time only". */
function whatDiffers(comparison: Comparison): string[] {
  const several = comparison.platforms.length > 1;
  const parts = [
    ["the index", "the indexes", ["index"]],
    ["the manifest", "the manifests", ["manifest"]],
    ["the config", "the configs", ["config"]],
    ["the layers", "the layers", ["layers", "entries"]],
  ] as const;
  const differences = everyDifference(comparison);
  return parts.flatMap(([one, many, scopes]) => {
    const found = differences.filter(({ scope }) => scopes.some((known) => known === scope));
    if (found.length === 0) return [];
    const plain = several || one === "the index" || one === "the layers";
    const names = [...new Set(found.map((difference) => subjects.get(difference.class) ?? difference.class))];
    return [`${plain ? many : one} ${plain ? "differ in their" : "differs in its"} ${list(names)}`];
  });
}

function list(names: readonly string[]): string {
  const [first = ""] = names;
  if (names.length === 1) return `${first} only`;
  if (names.length > namedSubjects)
    return `${names.slice(0, namedSubjects).join(", ")} and ${names.length - namedSubjects} more`;
  return `${names.slice(0, -1).join(", ")} and ${names.at(-1)}`;
}
