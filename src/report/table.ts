import { styleText } from "node:util";
import type { Outcome, PlatformOutcome, Verdict } from "../outcome.ts";
import { formatSeconds, plainText, shortDigest } from "./text.ts";

const styles: Readonly<Record<Verdict, "green" | "cyan" | "yellow" | "red">> = {
  identical: "green",
  equivalent: "green",
  extended: "cyan",
  drift: "yellow",
  "upstream-unavailable": "yellow",
  different: "red",
  "build-failed": "red",
};

/** An outcome for a terminal: a table of platforms, why each came out so, and what was released where. */
export function renderOutcomeTable(outcome: Outcome, options: { readonly colour: boolean }): string {
  const paint = (verdict: Verdict, text: string): string =>
    options.colour ? styleText(styles[verdict], text, { validateStream: false }) : text;
  const header = ["platform", "verdict", "equal at", "in the index", "built", "time", ""];
  const rows = outcome.platforms.map((platform) => [
    platform.platform,
    platform.verdict,
    platform.level === "no-upstream" ? "(no upstream)" : platform.level,
    platform.origin === "upstream"
      ? `upstream ${shortDigest(platform.manifest)}`
      : `ours ${shortDigest(platform.manifest)}`,
    shortDigest(platform.rebuilt),
    formatSeconds(platform.seconds),
    platform.cached ? "reused" : "",
  ]);
  const widths = header.map((title, column) => Math.max(title.length, ...rows.map((row) => row[column]?.length ?? 0)));
  const format = (cells: readonly string[]): string =>
    cells
      .map((cell, column) => cell.padEnd(widths[column] ?? 0))
      .join("  ")
      .trimEnd();
  const lines = [
    ...[
      "",
      `${outcome.recipe} ${outcome.version}`,
      "",
      format(header),
      format(widths.map((width) => "─".repeat(width))),
    ],
    ...rows.map((row, position) => paint(outcome.platforms[position]?.verdict ?? "different", format(row))),
    "",
    ...explain(outcome.platforms),
    ...whereLogsAre(outcome.platforms),
    "",
    outcome.index ? `release index  ${outcome.index.digest}` : "nothing was released",
    ...(outcome.index ? [`released to    ${outcome.destination}`] : []),
    `report         ${outcome.report}`,
    `took           ${formatSeconds(outcome.seconds)}${reuse(outcome)}`,
  ];
  return `${lines.join("\n")}\n`;
}

/** Where the whole log of a failed build is. */
function whereLogsAre(platforms: readonly PlatformOutcome[]): string[] {
  return platforms.flatMap(({ verdict, platform, logFile }) =>
    verdict === "build-failed" && logFile !== undefined ? [`whole log of ${platform}: ${logFile}`] : [],
  );
}

/** Each explanation once, with the platforms that it is about. */
function explain(platforms: readonly PlatformOutcome[]): string[] {
  const about = new Map<string, string[]>();
  for (const { explanation, platform } of platforms)
    about.set(explanation, [...(about.get(explanation) ?? []), platform]);
  return [...about].flatMap(([explanation, names]) => [
    `${names.join(", ")}:`,
    ...explanation.split("\n").map((line) => `  ${plainText(line)}`),
  ]);
}

function reuse(outcome: Outcome): string {
  const reused = outcome.platforms.filter((platform) => platform.cached).length;
  return reused === 0 ? "" : `; ${reused} of ${outcome.platforms.length} builds were in the store`;
}
