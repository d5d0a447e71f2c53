import { evidenceLimits, type Shown, type TextRow } from "../../compare/evidence/types.ts";
import { splitInvisible } from "./visible.ts";

const maxLines = 30;

/**
 * A small diff in the unified form, one line each, without file names: at most 30 lines,
 * with a line that says so where something went. Invisible characters
 * are written out, so that no line breaks in two.
 */
export function diffLines({ hunks, truncated }: Extract<Shown, { readonly kind: "text" }>): string[] {
  const lines: string[] = [];
  for (const hunk of hunks) {
    const counts = [
      hunk.rows.filter((row) => row.left !== undefined),
      hunk.rows.filter((row) => row.right !== undefined),
    ];
    lines.push(`@@ -${hunk.leftStart},${counts[0]?.length} +${hunk.rightStart},${counts[1]?.length} @@`);
    lines.push(...hunkLines(hunk.rows.slice(0, maxLines + 1)));
    if (lines.length > maxLines) break;
  }
  const kept = lines.slice(0, maxLines);
  const isWhole = kept.length === lines.length && !truncated;
  return isWhole ? kept : [...kept, "@@ more differs @@"];
}

/** Removed lines before added ones wherever lines differ. */
function hunkLines(rows: readonly TextRow[]): string[] {
  const lines: string[] = [];
  let added: string[] = [];
  for (const { left, right } of rows) {
    if (left === right) {
      lines.push(...added, ` ${shortened(left ?? "")}`);
      added = [];
      continue;
    }
    if (left !== undefined) lines.push(`-${shortened(left)}`);
    if (right !== undefined) added.push(`+${shortened(right)}`);
  }
  return [...lines, ...added];
}

function shortened(line: string): string {
  const cut =
    line.length > evidenceLimits.lineCharacters
      ? `${line.slice(0, evidenceLimits.lineCharacters - 1).replace(/[\ud800-\udbff]$/, "")}…`
      : line;
  return splitInvisible(cut).join("");
}
