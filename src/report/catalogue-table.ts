import type { OmittedPlatform, Outcome, PlatformOutcome } from "../outcome.ts";
import { recordedWords } from "./table.ts";
import { formatBytes, formatSeconds, plainText, widthOf } from "./text.ts";

/** A release of a catalogue that was rebuilt, or why it could not be. */
export type CatalogueResult =
  | { readonly release: string; readonly outcome: Outcome }
  | { readonly release: string; readonly failure: string };

const header = ["release", "platform", "verdict", "equal at", "size", "time", ""];

/** Many outcomes in one table, a row for each platform, with the reproducibility rate below it. */
export function renderCatalogueTable(results: readonly CatalogueResult[], seconds: number): string {
  const rows = results.flatMap((result) =>
    "failure" in result
      ? [[result.release, "", "failed", "", "", "", ""]]
      : [...result.outcome.platforms.map(rowOf), ...(result.outcome.omitted ?? []).map(omissionRow)].map(
          (cells, index) => [index === 0 ? plainText(result.release) : "", ...cells],
        ),
  );
  const widths = header.map((title, column) =>
    Math.max(widthOf(title), ...rows.map((row) => widthOf(row[column] ?? ""))),
  );
  const line = (cells: readonly string[]): string =>
    cells
      .map((cell, column) => cell + " ".repeat((widths[column] ?? 0) - widthOf(cell)))
      .join("  ")
      .trimEnd();
  const failures = results.flatMap((result) =>
    "failure" in result ? [`${result.release} failed: ${plainText(result.failure)}`] : [],
  );
  const outcomes = results.flatMap((result) => ("outcome" in result ? [result.outcome] : []));
  const platforms = outcomes.flatMap((outcome) => outcome.platforms);
  const omitted = outcomes.flatMap((outcome) => outcome.omitted ?? []);
  return `${[
    line(header),
    line(widths.map((width) => "─".repeat(width))),
    ...rows.map(line),
    "",
    ...failures,
    rateOf(platforms, omitted.length),
    ...besideRecorded(outcomes),
    `took ${formatSeconds(seconds)}; ${platforms.filter(({ cached }) => cached).length} of ${platforms.length} builds were in the store`,
  ].join("\n")}\n`;
}

/** How many came out as they record; each that did not by its name. */
function besideRecorded(outcomes: readonly Outcome[]): string[] {
  const recorded = outcomes.filter((outcome) => outcome.recorded !== undefined);
  if (recorded.length === 0) return [];
  const others = recorded.flatMap(({ recipe, version, recorded: how }) =>
    how === undefined || how === "same" ? [] : [`${plainText(`${recipe}@${version}`)} gave ${recordedWords[how]}`],
  );
  return [`${recorded.length - others.length} of ${recorded.length} gave the index that they record`, ...others];
}

function rowOf(platform: PlatformOutcome): string[] {
  const { verdict, level, size, seconds, cached } = platform;
  return [
    platform.platform,
    verdict,
    level === "no-upstream" ? "(no upstream)" : level === verdict ? "" : level,
    size === null ? "" : formatBytes(size),
    formatSeconds(seconds),
    cached ? "reused" : "",
  ];
}

function omissionRow({ platform }: OmittedPlatform): string[] {
  return [platform, "left out", "", "", "", ""];
}

/**
 * How many of the platforms that upstream has came out equal, of which those count that are
 * left out; what upstream never released is counted apart.
 */
function rateOf(platforms: readonly Pick<PlatformOutcome, "origin" | "verdict">[], omitted: number): string {
  const compared = platforms.filter(({ origin }) => origin === "upstream");
  const own = platforms.filter(({ origin }) => origin === "rebuilt");
  const of = (wanted: string): number => compared.filter(({ verdict }) => verdict === wanted).length;
  const parts = ["identical", "equivalent", "drift", "different", "build-failed", "upstream-unavailable"]
    .map((verdict) => [verdict, of(verdict)] as const)
    .filter(([, count]) => count > 0)
    .map(([verdict, count]) => `${count} ${verdict}`);
  if (omitted > 0) parts.push(`${omitted} left out`);
  const there = compared.length + omitted;
  const equal = of("identical") + of("equivalent");
  const rate = there === 0 ? "" : ` (${Math.round((equal / there) * 100)} % equal)`;
  const added = own.filter(({ verdict }) => verdict === "extended").length;
  const failed = own.length === added ? "" : `, ${own.length - added} failed`;
  return `${there} platforms that upstream has: ${parts.join(", ") || "none"}${rate}; ${added} added${failed}`;
}
