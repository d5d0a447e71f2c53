import { alignLines, type Run } from "./align.ts";
import { cutPair } from "./cut-line.ts";
import { evidenceLimits, type Shown, type TextHunk, type TextRow } from "./types.ts";

/** Equal lines that are kept round lines that differ. */
export const contextLines = 3;

/**
 * What differs between two lists of lines: hunks with {@link contextLines} lines of
 * context, long lines cut. `firstLine` is the number of the first line of both; `isPart`
 * says that both go on.
 */
export function showLines(
  left: readonly string[],
  right: readonly string[],
  firstLine: number,
  isPart: boolean,
): Shown {
  const { runs, whole } = alignLines(left, right, isPart);
  const { hunks, truncated } = drawHunks(hunkSpans(runs), left, right, firstLine);
  return { kind: "text", hunks, truncated: truncated || !whole };
}

/** Runs that are drawn together, and where they begin in each list. */
interface HunkSpan {
  readonly left: number;
  readonly right: number;
  readonly runs: Run[];
}

/** Groups what differs with the equal lines round it; groups whose context would meet are one. */
function hunkSpans(runs: readonly Run[]): HunkSpan[] {
  const spans: HunkSpan[] = [];
  let open: HunkSpan | undefined;
  let [left, right] = [0, 0];
  for (const [position, run] of runs.entries()) {
    if (run.same) {
      const joins = position < runs.length - 1 && run.left <= 2 * contextLines;
      open?.runs.push(joins ? run : context(Math.min(contextLines, run.left)));
      if (!joins) open = undefined;
    } else {
      if (!open) {
        const lead = Math.min(contextLines, runs[position - 1]?.left ?? 0);
        open = { left: left - lead, right: right - lead, runs: [context(lead)] };
        spans.push(open);
      }
      open.runs.push(run);
    }
    left += run.left;
    right += run.right;
  }
  return spans;
}

function context(lines: number): Run {
  return { same: true, left: lines, right: lines };
}

function drawHunks(
  spans: readonly HunkSpan[],
  left: readonly string[],
  right: readonly string[],
  firstLine: number,
): { readonly hunks: readonly TextHunk[]; readonly truncated: boolean } {
  const hunks: TextHunk[] = [];
  let room: number = evidenceLimits.rows;
  for (const span of spans) {
    if (hunks.length === evidenceLimits.hunks || room === 0) return { hunks, truncated: true };
    const wanted = span.runs.reduce((sum, run) => sum + Math.max(run.left, run.right), 0);
    const rows = drawRows(span, left, right, room);
    hunks.push({ leftStart: firstLine + span.left, rightStart: firstLine + span.right, rows });
    if (rows.length < wanted) return { hunks, truncated: true };
    room -= rows.length;
  }
  return { hunks, truncated: false };
}

function drawRows(span: HunkSpan, left: readonly string[], right: readonly string[], room: number): TextRow[] {
  const rows: TextRow[] = [];
  let [x, y] = [span.left, span.right];
  for (const run of span.runs) {
    const length = Math.min(Math.max(run.left, run.right), room - rows.length);
    for (let row = 0; row < length; row += 1)
      rows.push(cutPair(row < run.left ? left[x + row] : undefined, row < run.right ? right[y + row] : undefined));
    x += run.left;
    y += run.right;
  }
  return rows;
}
