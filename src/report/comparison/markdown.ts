import type { Evidence, FileEvidence, PlatformEvidence } from "../../compare/evidence/types.ts";
import {
  type Comparison,
  type Difference,
  type Level,
  type PackageDrift,
  type PlatformComparison,
} from "../../compare/types.ts";
import { codeElement, fencedDiff, pathElement, platformCell } from "./markdown-escape.ts";
import { diffLines } from "./text-diff.ts";
import { conclude, type Counts, countByWeight, describeVersions, isEqual, plural, weights } from "./words.ts";

/** GitHub takes comments of at most 65,536 characters. */
const maxCharacters = 60_000;
/** What is kept for the end: closing tags, and the line that says what was left out. */
const reserve = 600;
const limits = {
  platforms: 64,
  differences: 40,
  packages: 20,
  warnings: 10,
  diffs: 10,
  /** Diffs that are tried where the first are too long. */
  candidates: 30,
  paths: 3,
  pathCharacters: 120,
  detailCharacters: 200,
  nameCharacters: 120,
} as const;

/** Pieces of a text of bounded length; counts what there was no room for. */
interface Draft {
  readonly pieces: string[];
  /** Characters that may still be added. */
  room: number;
  readonly leftOut: Map<string, number>;
}

/**
 * A comparison as GitHub Flavored Markdown for a comment, of at most 60,000 characters: a
 * headline, a table of platforms, then what differs by platform, folded, with small diffs
 * where evidence is given. What comes from images stands in code, where nothing is a
 * link, mention or markup. What there was no room for is said at the end.
 */
export function renderComparisonMarkdown(comparison: Comparison, evidence: Evidence = { platforms: [] }): string {
  const { platforms } = comparison;
  const draft: Draft = { pieces: [], room: maxCharacters - reserve, leftOut: new Map() };
  add(draft, headline(comparison));
  const shown = platforms.slice(0, limits.platforms);
  leaveOut(draft, "platforms", platforms.length - shown.length);
  if (shown.length > 0) add(draft, platformTable(shown));
  if (comparison.differences.length > 0) {
    add(draft, "<details><summary>The index</summary>\n");
    addDifferences(draft, comparison.differences, draft.room / 4);
    add(draft, "</details>\n", true);
  }
  const told = shown.filter(({ differences, warnings }) => differences.length + warnings.length > 0);
  for (const [position, platform] of told.entries()) {
    const share = draft.room / (told.length - position);
    addPlatform(
      draft,
      platform,
      evidence.platforms.find((seen) => seen.platform === platform.platform),
      share,
    );
  }
  return [...draft.pieces, ...epilogue(draft)].join("\n");
}

/** Adds a piece if there is room; what closes an element is always added, from the reserve if need be. */
function add(draft: Draft, piece: string, always = false): boolean {
  if (!always && piece.length + 1 > draft.room) return false;
  draft.pieces.push(piece);
  draft.room -= piece.length + 1;
  return true;
}

function leaveOut(draft: Draft, what: string, count: number): void {
  if (count > 0) draft.leftOut.set(what, (draft.leftOut.get(what) ?? 0) + count);
}

function epilogue({ leftOut }: Draft): string[] {
  if (leftOut.size === 0) return [];
  const parts = [...leftOut].map(([what, count]) => `${count} ${what}`);
  return [`_Left out, for want of room: ${parts.join(", ")}._\n`];
}

function symbolOf(level: Level): string {
  if (level === "different") return "❌";
  return level === "drift" ? "⚠️" : "✅";
}

function headline(comparison: Comparison): string {
  const { title, sentence } = conclude(comparison);
  const side = (name: string): string => codeElement(name, limits.nameCharacters);
  return [
    `### ${symbolOf(comparison.level)} ${title}`,
    "",
    `${sentence}.`,
    "",
    `<p>${side(comparison.left)}<br>${side(comparison.right)}</p>`,
    ...onlyOn("first", comparison.onlyLeft),
    ...onlyOn("second", comparison.onlyRight),
    "",
  ].join("\n");
}

function onlyOn(which: string, platforms: readonly string[]): string[] {
  if (platforms.length === 0) return [];
  const shown = platforms.slice(0, 20).map((platform) => codeElement(platform, 60));
  const more = platforms.length > shown.length ? ` and ${platforms.length - shown.length} more` : "";
  return [`<p>only the ${which} has ${shown.join(", ")}${more}</p>`];
}

function platformTable(platforms: readonly PlatformComparison[]): string {
  const row = ({ platform, level, differences }: PlatformComparison): string => {
    const counts: Counts = countByWeight(differences);
    const cells = [
      platformCell(platform),
      `${isEqual({ level }) ? "" : "**"}${level}${isEqual({ level }) ? "" : "**"}`,
      ...weights.map((weight) => (counts[weight] === 0 ? "–" : String(counts[weight]))),
    ];
    return `| ${symbolOf(level)} ${cells.join(" | ")} |`;
  };
  return [
    `| platform | level | ${weights.join(" | ")} |`,
    `| --- | --- |${" ---: |".repeat(weights.length)}`,
    ...platforms.map(row),
    "",
  ].join("\n");
}

function addPlatform(
  draft: Draft,
  platform: PlatformComparison,
  evidence: PlatformEvidence | undefined,
  share: number,
): void {
  const floor = draft.room - share;
  const { differences, packages, warnings } = platform;
  const name = codeElement(platform.platform, 60);
  const said = plural(differences.length, "kind of difference", "kinds of difference");
  if (!add(draft, `<details><summary>${name} ${platform.level}, ${said}</summary>\n`)) {
    leaveOut(draft, "platforms", 1);
    return;
  }
  const closing = "</details>\n";
  draft.room -= closing.length + 1;
  const ordered = differences.toSorted((a, b) => weights.indexOf(a.weight) - weights.indexOf(b.weight));
  addWarnings(draft, warnings, floor);
  addDifferences(draft, ordered, (draft.room - floor) / 2);
  addPackages(draft, packages, floor);
  if (evidence) addDiffs(draft, evidence, floor);
  draft.room += closing.length + 1;
  add(draft, closing, true);
}

function addWarnings(draft: Draft, warnings: readonly string[], floor: number): void {
  const draw = (warning: string): string => `<li>⚠️ ${codeElement(warning, limits.detailCharacters)}</li>`;
  const list = { open: "<ul>", draw, close: "</ul>\n", most: limits.warnings, what: "warnings" };
  addList(draft, warnings, list, floor);
}

function addDifferences(draft: Draft, differences: readonly Difference[], share: number): void {
  const open = "<table>\n<tr><th>class</th><th>weight</th><th>count</th><th>what</th></tr>";
  const what = "kinds of difference";
  const list = { open, draw: differenceRow, close: "</table>\n", most: limits.differences, what };
  addList(draft, differences, list, draft.room - share);
}

function differenceRow({ class: name, weight, count, paths, detail, proof, waiver }: Difference): string {
  const shown = paths.slice(0, limits.paths).map((path) => pathElement(path, limits.pathCharacters));
  const more = paths.length > 0 && count > shown.length ? [`and ${count - shown.length} more`] : [];
  const declared =
    waiver === undefined
      ? []
      : [
          `declared by ${codeElement(waiver.owner, 60)} until ${codeElement(waiver.expires, 20)}: ${codeElement(waiver.reason, limits.detailCharacters)}`,
        ];
  const what = [codeElement(detail, limits.detailCharacters), ...shown, ...more, ...declared].join("<br>");
  const emphasis = weight === "unexplained" ? `<b>${weight}</b>` : proof === "declared" ? "declared" : weight;
  return `<tr><td>${codeElement(name, 60)}</td><td>${emphasis}</td><td>${count}</td><td>${what}</td></tr>`;
}

function addPackages(draft: Draft, packages: readonly PackageDrift[], floor: number): void {
  const draw = (drift: PackageDrift): string =>
    `<tr><td>${codeElement(drift.name, 80)}</td><td>${drift.database}</td><td>${codeElement(describeVersions(drift), limits.detailCharacters)}</td></tr>`;
  const open = "<table>\n<tr><th>package</th><th>database</th><th>version</th></tr>";
  addList(draft, packages, { open, draw, close: "</table>\n", most: limits.packages, what: "packages" }, floor);
}

interface List<Item> {
  readonly open: string;
  readonly draw: (item: Item) => string;
  readonly close: string;
  readonly most: number;
  readonly what: string;
}

/** Adds as many items as there is room for above `floor`, within their element. */
function addList<Item>(draft: Draft, items: readonly Item[], list: List<Item>, floor: number): void {
  const { open, draw, close, most, what } = list;
  let room = draft.room - Math.max(0, floor) - open.length - close.length - 2;
  const kept: string[] = [];
  for (const item of items.slice(0, most)) {
    const drawn = draw(item);
    room -= drawn.length + 1;
    if (room < 0) break;
    kept.push(drawn);
  }
  if (kept.length > 0) add(draft, [open, ...kept, close].join("\n"));
  leaveOut(draft, what, items.length - kept.length);
}

/** Small diffs: documents first, then texts, what has no explanation before the rest. */
function addDiffs(draft: Draft, { documents, files, omitted }: PlatformEvidence, floor: number): void {
  const texts = files
    .filter(({ shown }) => shown?.kind === "text" && shown.hunks.length > 0)
    .toSorted((a, b) => weights.indexOf(a.weight) - weights.indexOf(b.weight));
  const candidates = [
    ...documents.map(({ name, shown }) => ({ title: `the ${name}`, shown })),
    ...texts.map((file) => ({ title: titleOf(file), shown: file.shown })),
  ];
  let diffs = 0;
  for (const { title, shown } of candidates.slice(0, limits.candidates)) {
    if (diffs === limits.diffs) break;
    if (shown?.kind !== "text") continue;
    const piece = `<p>${title}</p>\n\n${fencedDiff(diffLines(shown))}\n`;
    if (piece.length < draft.room - floor && add(draft, piece)) diffs += 1;
  }
  leaveOut(draft, "text diffs", candidates.length - diffs);
  leaveOut(draft, "other files", files.length - texts.length + omitted);
}

function titleOf({ path, classes, weight }: FileEvidence): string {
  const names = classes.slice(0, 4).map((name) => codeElement(name, 60));
  return `${pathElement(path, limits.pathCharacters)} ${weight}${names.length > 0 ? `: ${names.join(", ")}` : ""}`;
}
