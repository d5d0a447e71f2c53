import type { LintProblem } from "../../recipe/lint.ts";
import { lintSummary } from "./text.ts";

const commands = { error: "error", warning: "warning", note: "notice" } as const;

/** Problems as GitHub's workflow commands, which it shows at their lines in a pull request; the last line counts them. */
export function lintGithub(problems: readonly LintProblem[]): string {
  const lines = problems.map(({ severity, rule, message, hint, location }) => {
    const properties = {
      file: location.file,
      line: location.line,
      col: location.column,
      title: `refoundry ${rule}`,
    };
    const written = Object.entries(properties)
      .filter(([, value]) => value !== undefined)
      .map(([name, value]) => `${name}=${escapeProperty(String(value))}`);
    const text = hint === undefined ? message : `${message}\n${hint}`;
    return `::${commands[severity]} ${written.join(",")}::${escapeData(text)}`;
  });
  return `${[...lines, lintSummary(problems)].join("\n")}\n`;
}

/** As the runner reads a command's text (actions/toolkit, command.ts). */
function escapeData(text: string): string {
  return text.replaceAll("%", "%25").replaceAll("\r", "%0D").replaceAll("\n", "%0A");
}

function escapeProperty(text: string): string {
  return escapeData(text).replaceAll(":", "%3A").replaceAll(",", "%2C");
}
