import type { Comparison, Difference, PlatformComparison } from "../../compare/types.ts";
import { visible, visiblePath } from "./visible.ts";
import { conclude, countByWeight, describeVersions, plural, weights } from "./words.ts";

const limits = {
  platforms: 40,
  unexplained: 8,
  packages: 6,
  classes: 12,
  warnings: 3,
  paths: 3,
  pathCharacters: 70,
  detailCharacters: 120,
  nameCharacters: 60,
} as const;

/**
 * A comparison in lines for a terminal, without colour: how it came out and why, then for
 * the index and each platform the level, how many differences have which weight, and what
 * they are, unexplained ones first. At most about 25 lines for each platform. What comes
 * from images has no control characters.
 */
export function summariseComparison(comparison: Comparison): string[] {
  const { title, sentence } = conclude(comparison);
  const { platforms, differences, onlyLeft, onlyRight } = comparison;
  const shown = platforms.slice(0, limits.platforms);
  const width = Math.max(0, ...shown.map(({ platform }) => visible(platform, limits.nameCharacters).length));
  return [
    `${title}: ${sentence}`,
    ...onlyOn("only the first has", onlyLeft),
    ...onlyOn("only the second has", onlyRight),
    ...(differences.length > 0 ? [`  the index  ${counts(differences)}`, ...describe(differences)] : []),
    ...shown.flatMap((platform) => platformLines(platform, width)),
    ...(platforms.length > shown.length
      ? [`  and ${plural(platforms.length - shown.length, "more platform", "more platforms")}`]
      : []),
  ];
}

function onlyOn(who: string, platforms: readonly string[]): string[] {
  if (platforms.length === 0) return [];
  const names = platforms.slice(0, limits.classes).map((name) => visible(name, limits.nameCharacters));
  return [`  ${who} ${names.join(", ")}${more(platforms.length - names.length)}`];
}

function platformLines(platform: PlatformComparison, width: number): string[] {
  const name = visible(platform.platform, limits.nameCharacters).padEnd(width);
  const said = platform.differences.length === 0 ? "" : `  ${counts(platform.differences)}`;
  return [
    `  ${name}  ${platform.level}${said}`,
    ...describe(platform.differences, platform.packages),
    ...warningLines(platform.warnings),
  ];
}

/** `3 unexplained, 12 drift, 40 explained, 2 benign`, without what there is none of. */
function counts(differences: readonly Difference[]): string {
  const byWeight = countByWeight(differences);
  return weights
    .filter((weight) => byWeight[weight] > 0)
    .map((weight) => `${byWeight[weight]} ${weight}`)
    .join(", ");
}

function describe(differences: readonly Difference[], packages: PlatformComparison["packages"] = []): string[] {
  const of = (weight: Difference["weight"]): Difference[] => differences.filter((found) => found.weight === weight);
  return [
    ...unexplainedLines(of("unexplained")),
    ...driftLines(of("drift"), packages),
    ...compactLine("✓ explained", of("explained")),
    ...compactLine("· benign", of("benign")),
  ];
}

function unexplainedLines(found: readonly Difference[]): string[] {
  const shown = found.slice(0, limits.unexplained);
  const rest = found.slice(shown.length).reduce((sum, { count }) => sum + count, 0);
  return [
    ...shown.map(
      (difference) =>
        `    ✗ ${visible(difference.class, limits.nameCharacters)}${examples(difference)}: ${visible(difference.detail, limits.detailCharacters)}`,
    ),
    ...(rest > 0
      ? [
          `    ✗ and ${plural(rest, "more difference", "more differences")} of ${found.length - shown.length} other kinds`,
        ]
      : []),
  ];
}

function examples({ paths, count }: Difference): string {
  if (paths.length === 0) return count > 1 ? ` (${count})` : "";
  const shown = paths.slice(0, limits.paths).map((path) => visiblePath(path, limits.pathCharacters));
  return ` ${shown.join(", ")}${more(count - shown.length)}`;
}

/** By package where the packages are known: which file belongs to which is not in a comparison, unless there is one. */
function driftLines(found: readonly Difference[], packages: PlatformComparison["packages"]): string[] {
  const files = found.reduce((sum, { count }) => sum + count, 0);
  const of = packages.length === 1 && files > 0 ? `: ${plural(files, "file")}` : "";
  const shown = packages.slice(0, limits.packages);
  const named = shown.map(
    (drift) =>
      `${visible(drift.name, limits.nameCharacters)} ${visible(describeVersions(drift), limits.detailCharacters)}${of}`,
  );
  const [only] = named;
  if (only !== undefined && packages.length === 1) return [`    ~ ${only}`];
  const whose = packages.length > 1 ? ` of ${packages.length} packages` : "";
  return [
    ...(files > 0 || packages.length > 0 ? [`    ~ drift: ${plural(files, "file")}${whose}`] : []),
    ...named.map((line) => `      ${line}`),
    ...(packages.length > shown.length ? [`      and ${packages.length - shown.length} more`] : []),
  ];
}

/** Classes with their counts in one line; those that a waiver declares are told apart. */
function compactLine(label: string, found: readonly Difference[]): string[] {
  const sums = new Map<string, number>();
  for (const difference of found) {
    const plain = visible(difference.class, limits.nameCharacters);
    const name = difference.proof === "declared" ? `${plain} (waived)` : plain;
    sums.set(name, (sums.get(name) ?? 0) + difference.count);
  }
  if (sums.size === 0) return [];
  const shown = [...sums].slice(0, limits.classes).map(([name, count]) => (count === 1 ? name : `${name} ×${count}`));
  return [`    ${label}: ${shown.join(", ")}${more(sums.size - shown.length)}`];
}

function warningLines(warnings: readonly string[]): string[] {
  const shown = warnings.slice(0, limits.warnings);
  return [
    ...shown.map((warning) => `    ! ${visible(warning, limits.detailCharacters)}`),
    ...(warnings.length > shown.length ? [`    ! and ${warnings.length - shown.length} more warnings`] : []),
  ];
}

function more(count: number): string {
  return count > 0 ? ` and ${count} more` : "";
}
