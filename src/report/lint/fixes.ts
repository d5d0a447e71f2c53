import { createTwoFilesPatch } from "diff";
import type { FixedFile } from "../../recipe/fix-files.ts";
import { lintRules } from "../../recipe/lint.ts";
import { counted } from "./counts.ts";

/** What was mended, a line for each file. */
export function fixesText(fixed: readonly FixedFile[]): string {
  return fixed
    .map(({ file, changes }) => {
      const rules = [...new Set(changes.map(({ rule }) => rule))].map((rule) => `${rule} (${lintRules[rule].title})`);
      return `fixed: ${file}: ${rules.join(", ")}\n`;
    })
    .join("");
}

/** What would be mended, as a unified diff that `git apply` and `patch -p1` take. */
export function fixesDiff(fixed: readonly FixedFile[]): string {
  const patches = fixed.map(({ file, before, after }) =>
    createTwoFilesPatch(`a/${file}`, `b/${file}`, before, after, undefined, undefined, { context: 3 }).replace(
      /^=+\n/,
      "",
    ),
  );
  return `${patches.join("")}${counted(fixed.length, "file") ?? "no file"} would be fixed\n`;
}
