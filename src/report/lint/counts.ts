import type { LintProblem } from "../../recipe/lint.ts";

/** How many problems of each severity there are. */
export function countProblems(problems: readonly LintProblem[]): {
  readonly errors: number;
  readonly warnings: number;
  readonly notes: number;
} {
  const count = (severity: LintProblem["severity"]): number =>
    problems.filter((problem) => problem.severity === severity).length;
  return { errors: count("error"), warnings: count("warning"), notes: count("note") };
}

/** `1 file`, `2 files`; undefined for none. */
export function counted(count: number, what: string): string | undefined {
  return count === 0 ? undefined : `${count} ${what}${count === 1 ? "" : "s"}`;
}
