import { formatProblem } from "../errors.ts";
import { findRoot } from "../recipe/load.ts";
import { lint as lintTree } from "../recipe/lint.ts";
import { type CliContext, type CommonFlags, runCommand } from "./context.ts";

/** `refoundry lint` */
export function lint(this: CliContext, flags: CommonFlags): Promise<void> {
  return runCommand(this, flags, async () => {
    const root = await findRoot(this.cwd);
    const problems = await lintTree(root, { today: new Date().toISOString().slice(0, 10) });
    const errors = problems.filter((problem) => problem.severity === "error");
    const shown = problems.map((problem) => `${problem.severity}: ${formatProblem(problem)}`);
    const text = problems.length === 0 ? "no problems" : shown.join("\n");
    return { text, document: { schema: "refoundry/lint/v1", problems }, exitCode: errors.length > 0 ? 2 : 0 };
  });
}
