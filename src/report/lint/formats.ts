import type { FixedFile } from "../../recipe/fix-files.ts";
import type { LintProblem } from "../../recipe/lint.ts";
import { lintGithub } from "./github.ts";
import { lintJson } from "./json.ts";
import { lintSarif } from "./sarif.ts";
import { lintText } from "./text.ts";

/** The forms that lint's problems can be written in. */
export const lintFormats = ["text", "json", "github", "sarif"] as const;
/** One of {@link lintFormats}. */
export type LintFormat = (typeof lintFormats)[number];

/** Problems in a form, as they are printed. `fixed` is what was mended before. */
export function formatLint(format: LintFormat, problems: readonly LintProblem[], fixed?: readonly FixedFile[]): string {
  switch (format) {
    case "text":
      return lintText(problems);
    case "json":
      return lintJson(problems, fixed);
    case "github":
      return lintGithub(problems);
    case "sarif":
      return lintSarif(problems);
  }
}
