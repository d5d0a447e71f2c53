import type { FixedFile } from "../../recipe/fix-files.ts";
import type { LintProblem } from "../../recipe/lint.ts";
import { countProblems } from "./counts.ts";

/** What `refoundry lint --json` prints: `refoundry/lint/v1`. */
export interface LintDocument {
  readonly schema: "refoundry/lint/v1";
  readonly errors: number;
  readonly warnings: number;
  readonly notes: number;
  readonly problems: readonly LintProblem[];
  /** What `--fix` mended, or would with `--dry-run`; absent without `--fix`. */
  readonly fixes?: readonly { readonly file: string; readonly changes: FixedFile["changes"] }[];
}

/** The document for machines. */
export function lintDocument(problems: readonly LintProblem[], fixed?: readonly FixedFile[]): LintDocument {
  return {
    schema: "refoundry/lint/v1",
    ...countProblems(problems),
    problems,
    ...(fixed && { fixes: fixed.map(({ file, changes }) => ({ file, changes })) }),
  };
}

/** The document as text. */
export function lintJson(problems: readonly LintProblem[], fixed?: readonly FixedFile[]): string {
  return `${JSON.stringify(lintDocument(problems, fixed), null, 2)}\n`;
}
