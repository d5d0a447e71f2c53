import type { FixPass, FixPlan } from "./fix-types.ts";
import { commentsOf, meaningOf, type StyledKind } from "./fix-meaning.ts";
import { reorderKeys, sortPlatforms } from "./fix-order.ts";
import { addFinalNewline, plainLineEnds, quoteVersions, spacesForTabs, trimLines } from "./fix-text.ts";

export type { StyledKind } from "./fix-meaning.ts";
export type { FixChange, FixPlan } from "./fix-types.ts";

const passes: readonly FixPass[] = [
  plainLineEnds,
  trimLines,
  addFinalNewline,
  quoteVersions,
  sortPlatforms,
  reorderKeys,
];

/**
 * Mends what is mechanical in a file of a recipe, release, source, toolchain or lock:
 * line ends, tabs, trailing spaces, the final newline, quotes round versions, the order of
 * platforms and keys. Each step is taken only when the file then says the same and has the
 * same comments, else that step is left out. A text that is not YAML is left alone, but for
 * one that is indented with tabs throughout, which can be read in one way only.
 */
export function planFixes(text: string, kind: StyledKind): FixPlan {
  const tabs = spacesForTabs(text, kind);
  let current = tabs.changes.length > 0 && keeps(text, tabs.text, kind) ? tabs : { text, changes: [] };
  let meaning = meaningOf(current.text, kind);
  if (meaning === undefined) return { text, changes: [] };
  for (const pass of passes) {
    const next = pass(current.text, kind);
    if (next.changes.length === 0 || next.text === current.text) continue;
    const after = meaningOf(next.text, kind);
    if (after !== meaning || commentsOf(next.text) !== commentsOf(current.text)) continue;
    meaning = after;
    current = { text: next.text, changes: [...current.changes, ...next.changes] };
  }
  const changes = current.changes.toSorted((a, b) => a.line - b.line || (a.column ?? 0) - (b.column ?? 0));
  return { text: current.text, changes };
}

/** Whether a text says what it said, or says something at all now that its tabs are gone. */
function keeps(before: string, after: string, kind: StyledKind): boolean {
  const meaning = meaningOf(before, kind);
  const now = meaningOf(after, kind);
  return now !== undefined && (meaning === undefined ? indentedWithTabsOnly(before) : meaning === now);
}

function indentedWithTabsOnly(text: string): boolean {
  return text.split("\n").every((line) => /^\t*([^ \t]|\r?$)/.test(line));
}
