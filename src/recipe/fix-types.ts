import type { StyledKind } from "./fix-meaning.ts";
import type { RuleId } from "./lint-rules.ts";

/** One thing that was mended, where it was: line and column count from 1. */
export interface FixChange {
  readonly rule: RuleId;
  readonly message: string;
  readonly line: number;
  readonly column?: number;
}

/** A file's text mended, and what that changed; the same text and no changes when there is nothing to mend. */
export interface FixPlan {
  readonly text: string;
  readonly changes: readonly FixChange[];
}

/** Mends one thing in a text that is valid YAML. */
export type FixPass = (text: string, kind: StyledKind) => FixPlan;
