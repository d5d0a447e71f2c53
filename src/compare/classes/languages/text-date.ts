import { htmlDateLines, leadingComments } from "../../formats/text-comments.ts";
import { replaceDates } from "../../formats/text-dates.ts";
import { textLanguage } from "../../formats/text-languages.ts";
import { replaceManualDates } from "../../formats/text-roff.ts";
import type { ContentClass, NamedContent } from "../class.ts";

const maxBytes = 1024 * 1024;
/** Besides line feeds and tabs: what some reader or other takes for the end of a line. */
const oddSpaces = /[\0-\x08\x0b\x0c\x0e-\x1f\x7f\x85\u2028\u2029]|\r(?!\n)/;
/** Comments that tools read: encodings in which a comment may hold a line's end, PEP 723 metadata, Perl's lines. */
const readByTools = [
  /coding[:=](?![ \t]*(?:utf-?8|(?:us-)?ascii|latin-?1|iso-8859-1)\b)/i,
  /^# \/\/\/ /,
  /^#[ \t]*line[ \t]+\d/,
];
const xmlDeclaration =
  /^<\?xml version="1\.0"(?: encoding="(?:utf-8|us-ascii|iso-8859-1)")?(?: standalone="(?:yes|no)")? ?\?>\r?$/i;

/** Dates in comments at the head of text files, and in the titles of manual pages. */
export const textDate: ContentClass = {
  name: "text-date",
  version: 1,
  meaning: "a comment at the head of a text file, or a manual page's title, has another date or time",
  normalises:
    "whole dates and times in the forms of ISO 8601, RFC 5322, ctime and date become the start of 1970 in the same " +
    "form, in lines that are comments in the file's language and stand before its first other line; in manual pages " +
    "also in comments further down and in .TH and .Dd; in HTML also in meta elements of the head",
  safety:
    "comments are not read when the file is used; a #! line, directives, strings, here-documents and settings are " +
    "kept, and so is a comment wherever it cannot be told from them",
  applies: (file) => file.bytes.length <= maxBytes && file.bytes.length > 0 && languageOf(file) !== undefined,
  normalise(file) {
    const language = file.bytes.length > maxBytes ? undefined : languageOf(file);
    const text = language && readText(file.bytes);
    if (language === undefined || text === undefined) return undefined;
    const lines = text.split("\n");
    if (language === "manual") {
      const changed = replaceManualDates(lines);
      return changed && Buffer.from(changed.join("\n"));
    }
    const head = language === "html" ? htmlDateLines(lines) : leadingComments(withoutDeclaration(lines), language);
    if (head.some((index) => readByTools.some((pattern) => pattern.test(lines[index] ?? "")))) return undefined;
    for (const index of head) lines[index] = replaceDates(lines[index] ?? "");
    return Buffer.from(lines.join("\n"));
  },
};

function languageOf({ path, bytes }: NamedContent): ReturnType<typeof textLanguage> {
  return textLanguage(path, bytes.toString("latin1", 0, 256).split("\n", 1)[0] ?? "");
}

function readText(bytes: Buffer): string | undefined {
  try {
    const text = new TextDecoder("utf-8", { fatal: true, ignoreBOM: true }).decode(bytes);
    return oddSpaces.test(text) ? undefined : text;
  } catch {
    return undefined;
  }
}

/** The same lines, an XML declaration blanked: it stands before the comments. */
function withoutDeclaration(lines: readonly string[]): readonly string[] {
  const [first = "", ...others] = lines;
  return xmlDeclaration.test(first) ? ["", ...others] : lines;
}
