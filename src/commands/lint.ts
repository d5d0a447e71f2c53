import { encoderToolchains } from "../encoders/go.ts";
import { describedClasses } from "../compare/classes/catalogue.ts";
import { residualClasses } from "../compare/tree-residuals.ts";
import { usageError } from "../errors.ts";
import { fixFiles } from "../recipe/fix-files.ts";
import { lint as lintTree } from "../recipe/lint.ts";
import { findRoot } from "../recipe/load.ts";
import { didYouMean, orList } from "../recipe/words.ts";
import { fixesDiff, fixesText } from "../report/lint/fixes.ts";
import { formatLint, type LintFormat, lintFormats } from "../report/lint/formats.ts";
import { lintDocument } from "../report/lint/json.ts";
import { type CliContext, type CommonFlags, runCommand } from "./context.ts";

/** Flags of `refoundry lint`. */
export interface LintFlags extends CommonFlags {
  /** `text` (the default), `json`, `github` or `sarif`. */
  readonly format?: string;
  readonly fix?: boolean;
  readonly dryRun?: boolean;
}

/** `refoundry lint [PATH...]`: exit code 2 when there is an error, 0 for warnings and notes only. */
export function lint(this: CliContext, flags: LintFlags, ...paths: readonly string[]): Promise<void> {
  const json = flags.json === true || flags.format === "json";
  return runCommand(this, { json }, async () => {
    const format = chosenFormat(flags);
    if (flags.dryRun && !flags.fix)
      throw usageError("--dry-run shows what --fix would do", { hint: "give both: refoundry lint --fix --dry-run" });
    const root = await findRoot(this.cwd);
    const chosen = paths.length > 0 ? { paths } : {};
    const fixed = flags.fix ? await fixFiles(root, { ...chosen, dryRun: flags.dryRun === true }) : undefined;
    const today = new Date().toISOString().slice(0, 10);
    const problems = await lintTree(root, {
      ...chosen,
      today,
      classes: [...describedClasses.keys(), ...residualClasses],
      ownToolchains: encoderToolchains,
    });
    const mended = fixed && format === "text" ? (flags.dryRun ? fixesDiff(fixed) : fixesText(fixed)) : "";
    return {
      text: `${mended}${formatLint(format, problems, fixed)}`,
      document: lintDocument(problems, fixed),
      exitCode: problems.some((problem) => problem.severity === "error") ? 2 : 0,
    };
  });
}

function chosenFormat(flags: LintFlags): LintFormat {
  const { format, json } = flags;
  const found = lintFormats.find((name) => name === format);
  if (format !== undefined && !found)
    throw usageError(`--format ${JSON.stringify(format)} is not ${orList(lintFormats)}`, {
      hint: didYouMean(format, lintFormats) ?? `choose ${orList(lintFormats)}`,
    });
  if (json && found !== undefined && found !== "json")
    throw usageError(`--json and --format ${found} are two forms`, { hint: "give one of them" });
  return found ?? (json ? "json" : "text");
}
