import { epochOfManualDate, replaceDates } from "./text-dates.ts";

const definition = /^[.'][ \t]*(?:(?:de|am)i?1?\b[ \t]*\S*[ \t]*(\S*)|ig\b[ \t]*(\S*))/;
/** Requests after which lines are read differently. */
const changesSyntax = /^[.'][ \t]*(?:cc|c2|ec|eo)\b/;
const titleLine = /^\.TH[ \t]/;
const dateLine = /^\.Dd[ \t]/;
/** Longer lines are no titles and no comments with dates. */
const maxLine = 4096;

/**
 * The lines of a manual page with the dates in its comments and the date of its title (`.TH`
 * of man(7), third argument; `.Dd` of mdoc(7)) set to the start of 1970. Nothing unless
 * there is such a title. What stands inside macro definitions is kept.
 */
export function replaceManualDates(lines: readonly string[]): string[] | undefined {
  const changed: string[] = [];
  let isDefining = false;
  let titles = 0;
  for (const line of lines) {
    if (isDefining) {
      isDefining = line !== "..";
      changed.push(line);
      continue;
    }
    const opened = definition.exec(line);
    // a definition that ends with a name of its own is rare, and not followed
    if (opened?.[1] || opened?.[2] || changesSyntax.test(line) || line.length > maxLine) return undefined;
    isDefining = opened !== null;
    const isTitle = titleLine.test(line) || dateLine.test(line);
    if (isTitle) titles += 1;
    changed.push(isTitle ? titleWithEpoch(line) : commentWithEpoch(line));
  }
  return titles === 1 ? changed : undefined;
}

function commentWithEpoch(line: string): string {
  return /^[.']\\"/.test(line) && !line.endsWith("\\") ? replaceDates(line) : line;
}

function titleWithEpoch(line: string): string {
  if (dateLine.test(line)) {
    const day = epochOfManualDate(line.slice(4));
    return day === undefined ? line : `.Dd ${day}`;
  }
  const matched =
    /^(\.TH[ \t]+(?:"[^"\\]*"|[^\s"\\]+)[ \t]+(?:"[^"\\]*"|[^\s"\\]+)[ \t]+)("[^"\\]*"|[^\s"\\]+)(.*)$/.exec(line);
  const [, head = "", date = "", rest = ""] = matched ?? [];
  const isQuoted = date.startsWith('"');
  const epoch = epochOfManualDate(isQuoted ? date.slice(1, -1) : date);
  return epoch === undefined ? line : `${head}${isQuoted ? `"${epoch}"` : epoch}${rest}`;
}
