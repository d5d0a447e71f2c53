import { firstDifference } from "./first-difference.ts";
import { evidenceLimits, type Shown } from "./types.ts";

const rowBytes = 16;

interface Span {
  readonly start: number;
  end: number;
}

/**
 * Windows round the first bytes that differ: each begins at a multiple of sixteen, with a
 * row of context where there is room, and what touches is one window. Bytes that only the
 * longer content has count as different. `truncated` when bytes differ beyond the last window.
 */
export function showBinary(left: Buffer, right: Buffer): Shown {
  const { spans, truncated } = spansOf(left, right);
  const windows = spans.map(({ start, end }) => ({
    offset: start,
    left: left.toString("hex", start, end),
    right: right.toString("hex", start, end),
  }));
  return { kind: "binary", windows, truncated };
}

function spansOf(left: Buffer, right: Buffer): { readonly spans: readonly Span[]; readonly truncated: boolean } {
  const length = Math.max(left.length, right.length);
  const spans: Span[] = [];
  let end = 0;
  for (let pieces = 0; pieces < evidenceLimits.windows; pieces += 1) {
    const at = firstDifference(left, right, end);
    if (at === undefined) return { spans, truncated: false };
    const start = Math.max(end, at - (at % rowBytes) - rowBytes);
    end = Math.min(length, start + evidenceLimits.windowBytes);
    const last = spans.at(-1);
    if (last?.end === start) last.end = end;
    else spans.push({ start, end });
  }
  return { spans, truncated: firstDifference(left, right, end) !== undefined };
}
