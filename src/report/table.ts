import { styleText } from "node:util";
import type { OmittedPlatform, Outcome, PlatformOutcome, Verdict } from "../outcome.ts";
import { conclude, isAddition } from "./conclusion.ts";
import { cut, formatSeconds, plainText, shortDigest, widthOf, wrap } from "./text.ts";

type Colour = "green" | "cyan" | "yellow" | "red" | "bold" | "dim";

const verdictColours: Readonly<Record<Verdict, Colour>> = {
  identical: "green",
  equivalent: "green",
  extended: "cyan",
  drift: "yellow",
  "upstream-unavailable": "yellow",
  different: "red",
  "build-failed": "red",
};

interface TableOptions {
  readonly colour: boolean;
  /** Columns of the terminal, to break explanations between words; not broken when absent. */
  readonly width?: number;
}

/**
 * An outcome for a terminal: how it came out in one line, a table of platforms within 100
 * columns, why each came out so, and what was released where.
 */
export function renderOutcomeTable(outcome: Outcome, options: TableOptions): string {
  const paint = (style: Colour, text: string): string =>
    options.colour ? styleText(style, text, { validateStream: false }) : text;
  const lines = [
    "",
    `${paint("bold", plainText(`${outcome.recipe} ${outcome.version}`))}  ${conclude(outcome)}`,
    "",
    ...renderRows(outcome.platforms, paint),
    "",
    ...explain([...outcome.platforms, ...(outcome.omitted ?? []).map(omission)], options.width),
    ...whereLogsAre(outcome.platforms),
    "",
    outcome.index ? `release index  ${plainText(outcome.index.digest)}` : paint("yellow", "nothing was released"),
    ...(outcome.recorded ? [`recorded       ${recordedWords[outcome.recorded]}`] : []),
    ...(outcome.index ? [`released to    ${plainText(outcome.destination)}`] : []),
    `report         ${plainText(outcome.report)}`,
    `took           ${formatSeconds(outcome.seconds)}${reuse(outcome)}`,
  ];
  return `${lines.join("\n")}\n`;
}

/** How a release came out beside what it records. */
export const recordedWords: Readonly<Record<NonNullable<Outcome["recorded"]>, string>> = {
  same: "the same index",
  refreshed: "another index, made from other inputs",
  other: "another index of the same inputs: upstream's images, or the platforms, are others",
};

const header = ["platform", "verdict", "equal at", "in the index", "time", ""];
const maxCellColumns = [18, 20, 13, 21, 13, 6];

function renderRows(
  platforms: readonly PlatformOutcome[],
  paint: (style: Colour, text: string) => string,
): readonly string[] {
  const rows = platforms.map((platform) => ({ verdict: platform.verdict, cells: cellsOf(platform) }));
  const widths = header.map((title, column) =>
    Math.max(widthOf(title), ...rows.map(({ cells }) => widthOf(cells[column] ?? ""))),
  );
  const pad = (cells: readonly string[]): string[] =>
    cells.map((cell, column) => cell + " ".repeat(Math.max(0, (widths[column] ?? 0) - widthOf(cell))));
  const body = rows.map(({ verdict, cells }) =>
    pad(cells)
      .map((cell, column) => (column === 1 ? paint(verdictColours[verdict], cell) : cell))
      .join("  ")
      .trimEnd(),
  );
  return [
    paint("dim", pad(header).join("  ").trimEnd()),
    paint(
      "dim",
      widths
        .map((width) => "─".repeat(width))
        .join("  ")
        .trimEnd(),
    ),
    ...body,
  ];
}

function cellsOf(platform: PlatformOutcome): string[] {
  const { verdict, level, origin, manifest, seconds, cached } = platform;
  const equalAt = isAddition(platform) ? "(no upstream)" : level === verdict ? "-" : level;
  return [
    platform.platform,
    verdict,
    equalAt,
    manifest === null ? "-" : `${origin === "upstream" ? "upstream" : "ours    "} ${shortDigest(manifest)}`,
    formatSeconds(seconds),
    cached ? "reused" : "",
  ].map((cell, column) => cut(plainText(cell), maxCellColumns[column] ?? 20));
}

/** Where the whole log of a failed build is. */
function whereLogsAre(platforms: readonly PlatformOutcome[]): string[] {
  return platforms.flatMap(({ verdict, platform, logFile }) =>
    verdict === "build-failed" && logFile !== undefined
      ? [`whole log of ${plainText(platform)}: ${plainText(logFile)}`]
      : [],
  );
}

function omission({ platform, reason }: OmittedPlatform): Pick<PlatformOutcome, "platform" | "explanation"> {
  return { platform, explanation: `left out, although upstream has it: ${reason}` };
}

/** Each explanation once, with the platforms that it is about. */
function explain(
  platforms: readonly Pick<PlatformOutcome, "platform" | "explanation">[],
  width: number | undefined,
): string[] {
  const about = new Map<string, string[]>();
  for (const platform of platforms) {
    const names = about.get(platform.explanation) ?? [];
    about.set(platform.explanation, [...names, platform.platform]);
  }
  return [...about].flatMap(([explanation, names]) => [
    `${plainText(names.join(", "))}:`,
    ...explanation
      .split("\n")
      .map(plainText)
      .flatMap((line) => (width === undefined ? [line] : wrap(line, Math.max(20, width - 2))))
      .map((line) => `  ${line}`),
  ]);
}

function reuse({ platforms }: Outcome): string {
  const reused = platforms.filter((platform) => platform.cached).length;
  return reused === 0 ? "" : `; ${reused} of ${platforms.length} builds were in the store`;
}
