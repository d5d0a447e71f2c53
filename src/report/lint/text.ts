import { formatProblem } from "../../errors.ts";
import type { LintProblem } from "../../recipe/lint.ts";
import { countProblems, counted } from "./counts.ts";

/** Problems for people: one each with its place, rule and what to do, and how many there are. */
export function lintText(problems: readonly LintProblem[]): string {
  const lines = problems.map(
    (problem) =>
      `${problem.severity}: ${formatProblem({ ...problem, message: `${problem.message} [${problem.rule}]` })}`,
  );
  return `${[...lines, lintSummary(problems)].join("\n")}\n`;
}

/** How many problems there are, in one line. */
export function lintSummary(problems: readonly LintProblem[]): string {
  const { errors, warnings, notes } = countProblems(problems);
  const found = [counted(errors, "error"), counted(warnings, "warning")].filter((part) => part !== undefined);
  const told = counted(notes, "note");
  const base = found.length === 0 ? "no problems" : found.join(" and ");
  return told === undefined ? base : `${base}, ${told}`;
}
