import { planFixes, type StyledKind } from "./fix.ts";
import { platformLists, styledSchemas } from "./fix-meaning.ts";
import { isInOrder } from "./fix-order.ts";
import type { Report } from "./lint-rules.ts";
import type { WrittenData } from "./lint-read.ts";

export type { StyledKind } from "./fix.ts";

const hint = "refoundry lint --fix mends it";

/** Tells of what `refoundry lint --fix` would mend in a file that could be read. */
export function checkWrittenStyle(text: string, written: WrittenData, kind: StyledKind, report: Report): void {
  if (!looksUntidy(text, written.data, kind)) return;
  for (const { rule, message, line, column } of planFixes(text, kind).changes) {
    const location = { file: written.file, line, ...(column !== undefined && { column }) };
    report(rule, { message, location, hint });
  }
}

/** A quick look at a text that its schema allows, so that only files in which something may be mended are planned for. */
export function looksUntidy(text: string, data: unknown, kind: StyledKind): boolean {
  if (/[\t\r]| $/m.test(text) || !text.endsWith("\n") || text.endsWith("\n\n")) return true;
  if (kind === "release" || kind === "lock") return /\bversion: *[^" ]/.test(text);
  if (!isInOrder(data, styledSchemas[kind])) return true;
  return kind === "recipe" && platformLists(data).some((path) => !isSorted(listAt(data, path)));
}

function listAt(data: unknown, path: readonly (string | number)[]): readonly unknown[] {
  let value = data;
  for (const part of path) value = (value as Readonly<Record<string | number, unknown>> | null | undefined)?.[part];
  return Array.isArray(value) ? value : [];
}

function isSorted(list: readonly unknown[]): boolean {
  return list.every((item, index) => index === 0 || String(list[index - 1]) <= String(item));
}
