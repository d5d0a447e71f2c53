import type { Evidence, Shown } from "../../compare/evidence/types.ts";
import type { Comparison, Difference, PlatformComparison } from "../../compare/types.ts";
import { countWeights, describeVersions, headline, inert } from "./words.ts";

/** GitHub refuses comments of more than 65,536 characters. */
const maxCharacters = 60_000;
const shownPaths = 10;
const shownDiffs = 10;
const diffLines = 40;
const marks = { different: "❌", drift: "⚠️", explained: "✅" } as const;

/** A comparison as a comment for a pull request; what images say is inert in it. */
export function renderComparisonMarkdown(comparison: Comparison, evidence?: Evidence): string {
  const { level, platforms } = comparison;
  const mark = level === "different" ? marks.different : level === "drift" ? marks.drift : marks.explained;
  const parts = [
    `### ${mark} ${headline(comparison)}`,
    `${code(comparison.left)} and ${code(comparison.right)}`,
    platformTable(platforms),
    ...(comparison.differences.length > 0 ? ["**Index**", differenceTable(comparison.differences)] : []),
    ...onlyOne(comparison),
    ...platforms.map((platform) => platformDetails(platform, evidence)),
  ];
  let text = "";
  for (const [position, part] of parts.entries()) {
    if (text.length + part.length > maxCharacters)
      return `${text}\n_${parts.length - position} more parts are left out: a comment has a largest size._\n`;
    text += `${part}\n\n`;
  }
  return `${text.trimEnd()}\n`;
}

function platformTable(platforms: readonly PlatformComparison[]): string {
  const rows = platforms.map((platform) => {
    const { unexplained, drift, explained } = countWeights(platform);
    return `| ${code(platform.platform)} | ${platform.level} | ${unexplained} | ${drift} | ${explained} |`;
  });
  return ["| platform | level | unexplained | drift | explained |", "| --- | --- | ---: | ---: | ---: |", ...rows].join(
    "\n",
  );
}

function onlyOne({ onlyLeft, onlyRight }: Comparison): string[] {
  return [
    ...(onlyLeft.length > 0 ? [`Only the first has ${onlyLeft.map(code).join(", ")}.`] : []),
    ...(onlyRight.length > 0 ? [`Only the second has ${onlyRight.map(code).join(", ")}.`] : []),
  ];
}

function platformDetails(platform: PlatformComparison, evidence: Evidence | undefined): string {
  if (platform.differences.length === 0) return `${code(platform.platform)}: no difference.`;
  const seen = evidence?.platforms.find((found) => found.platform === platform.platform);
  const files = seen?.files.filter(({ shown, weight }) => shown?.kind === "text" && weight !== "drift") ?? [];
  return [
    `<details><summary>${escapeHtml(platform.platform)}: ${platform.differences.length} kinds of difference</summary>`,
    "",
    differenceTable(platform.differences),
    ...(platform.packages.length > 0 ? ["", packageTable(platform)] : []),
    ...(platform.warnings.length > 0 ? ["", ...platform.warnings.map((warning) => `- ⚠️ ${code(warning)}`)] : []),
    ...files.slice(0, shownDiffs).flatMap(({ path, shown }) => (shown ? ["", code(path), fenced(shown)] : [])),
    "",
    "</details>",
  ].join("\n");
}

function differenceTable(differences: readonly Difference[]): string {
  const rows = differences.map(({ class: name, count, weight, proof, paths, detail }) => {
    const more = count > shownPaths && paths.length > 0 ? ` and ${count - shownPaths} more` : "";
    const where = paths.slice(0, shownPaths).map(code).join(", ");
    return `| ${code(name)} | ${count} | ${weight}${proof ? ` (${proof})` : ""} | ${where}${more} | ${code(detail)} |`;
  });
  return ["| class | count | weight | where | detail |", "| --- | ---: | --- | --- | --- |", ...rows].join("\n");
}

function packageTable({ packages }: PlatformComparison): string {
  const rows = packages.slice(0, 50).map((drift) => `| ${code(drift.name)} | ${code(describeVersions(drift))} |`);
  const more = packages.length > 50 ? [`| ${packages.length - 50} more | |`] : [];
  return ["| package | versions |", "| --- | --- |", ...rows, ...more].join("\n");
}

/** A text difference in a fence that nothing in it can close. */
function fenced(shown: Shown): string {
  if (shown.kind !== "text") return "";
  const lines = shown.hunks.flatMap((hunk) => [
    `@@ -${hunk.leftStart} +${hunk.rightStart} @@`,
    ...hunk.rows.flatMap(({ left, right }) =>
      left === right
        ? [` ${inert(left ?? "")}`]
        : [...(left === undefined ? [] : [`-${inert(left)}`]), ...(right === undefined ? [] : [`+${inert(right)}`])],
    ),
  ]);
  const text = lines.slice(0, diffLines);
  const longest = Math.max(2, ...text.flatMap((line) => [...line.matchAll(/`+/g)].map(([run]) => run.length)));
  const fence = "`".repeat(longest + 1);
  return [`${fence}diff`, ...text, ...(lines.length > diffLines ? ["..."] : []), fence].join("\n");
}

/** Text as inline code that ends where it should, in a table too. */
function code(text: string): string {
  const shown = inert(text).slice(0, 300).replaceAll("|", "\u00a6").replaceAll("`", "\u02cb");
  return shown === "" ? "" : `\`${shown}\``;
}

function escapeHtml(text: string): string {
  return inert(text).replaceAll("&", "&amp;").replaceAll("<", "&lt;").replaceAll(">", "&gt;");
}
