import { evidenceLimits, type TextRow } from "./types.ts";

const limit: number = evidenceLimits.lineCharacters;
/** Characters before the first that differs which stay where a line is cut on both ends. */
const lead = 100;

/**
 * A row of two lines, cut to {@link evidenceLimits}.lineCharacters, with an ellipsis where
 * something went. Lines that differ are cut to where they do, so that they still differ.
 */
export function cutPair(left: string | undefined, right: string | undefined): TextRow {
  if (left === undefined || right === undefined)
    return {
      ...(left !== undefined && { left: cutAt(left, 0) }),
      ...(right !== undefined && { right: cutAt(right, 0) }),
    };
  const start = Math.max(left.length, right.length) > limit ? startOf(left, right) : 0;
  return { left: cutAt(left, start), right: cutAt(right, start) };
}

/** Where both lines are cut, so that the first characters that differ are among those kept. */
function startOf(left: string, right: string): number {
  const shorter = Math.min(left.length, right.length);
  let at = 0;
  while (at < shorter && left[at] === right[at]) at += 1;
  if (left === right || at < limit - lead) return 0;
  const start = at - lead;
  return isLowSurrogate(left, start) ? start - 1 : start;
}

function cutAt(line: string, start: number): string {
  const room = limit - (start > 0 ? 1 : 0);
  const before = start > 0 ? "…" : "";
  if (line.length - start <= room) return before + line.slice(start);
  const end = start + room - 1;
  return `${before}${line.slice(start, isLowSurrogate(line, end) ? end - 1 : end)}…`;
}

/** Whether the character at a position is the second half of one, so that no cut may be there. */
function isLowSurrogate(line: string, at: number): boolean {
  const unit = line.charCodeAt(at);
  return unit >= 0xdc00 && unit <= 0xdfff;
}
