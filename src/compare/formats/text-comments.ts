/** How comments are written in a language. */
export interface CommentStyle {
  /** What a line that is a comment begins with, once blanks are taken away; without `g`. */
  readonly line?: RegExp;
  /** What comments over several lines stand between. */
  readonly block?: { readonly open: string; readonly close: string };
}

/** Longer lines are not written by hand, nor by what writes dates into comments. */
const maxLine = 4096;
/** Continues a line, or ends one, in the eyes of some language's reader. */
const joinsLines = /\\$|\?\?\/$|\\u/;

/**
 * The indexes of the lines that are comments from end to end, at the head of a file: before
 * the first line that is anything else. Up there no string, here-document or macro can be
 * open, so that such a line is a comment whatever follows. A `#!` line does not end the
 * head and is not in it.
 */
export function leadingComments(lines: readonly string[], style: CommentStyle): number[] {
  const found: number[] = [];
  let block: { close: string; lines: number[] } | undefined;
  for (const [index, line] of lines.entries()) {
    const text = withoutBlanks(line);
    if (text.length > maxLine || joinsLines.test(text)) return found;
    if (!block) {
      if (text === "" || (index === 0 && line.startsWith("#!"))) continue;
      if (style.line?.test(text)) {
        found.push(index);
        continue;
      }
      if (!style.block || !opensBlock(text, style.block.open)) return found;
      block = { close: style.block.close, lines: [] };
    }
    const from = block.lines.length === 0 ? (style.block?.open.length ?? 0) : 0;
    block.lines.push(index);
    const end = text.indexOf(block.close, from);
    if (style.block?.open === "<!--" && text.slice(from, end === -1 ? undefined : end).includes("--")) return found;
    if (end === -1) continue;
    if (end + block.close.length !== text.length) return found;
    found.push(...block.lines);
    block = undefined;
  }
  return found;
}

/** HTML ends a comment at once after `<!-->` and `<!--->`; `/*@` and `/*#` are read by tools. */
function opensBlock(text: string, open: string): boolean {
  return text.startsWith(open) && !(open === "<!--" ? /^<!---?>/ : /^\/\*[@#]/).test(text);
}

/** Other spaces than these are part of a word to some languages. */
function withoutBlanks(line: string): string {
  let start = 0;
  let end = line.length;
  while (start < end && " \t".includes(line.charAt(start))) start += 1;
  while (end > start && " \t\r".includes(line.charAt(end - 1))) end -= 1;
  return line.slice(start, end);
}

/** One tag, in which quotes stand round whole values and nowhere else. */
const tag = /<(?:[^<>"'=]|=(?:"[^"<>]*"|'[^'<>]*')(?=[\s/?>])|=(?!["'\s]))*>/;
const plainLine = new RegExp(`^[^<>]*(?:${tag.source}[^<>]*)*$`);
const doctype = /^\s*<!DOCTYPE html(?: PUBLIC "[^"<>]*"(?: "[^"<>]*")?)?>\s*$/i;
/** Without what server-side includes and templates in comments are written with. */
const commentLine = /^\s*<!--(?!-?>)(?:[^<>"'={}#-]|-(?!-))*-->\s*$/;
const dateLine = /^\s*<meta name="(?:date|dc\.created|dcterms\.created|generator)" content="[^"<>]*"\s*\/?>\s*$/i;
/** Whose content is not read as markup, or ends the head. */
const endsHead =
  /<(?:script|style|textarea|xmp|noscript|iframe|noembed|noframes|plaintext|template|body|svg|math|pre|!\[)/i;
const title = /<\/?title\b/gi;

/**
 * The indexes of the lines in the head of an HTML page that are one comment, or one `meta`
 * element with a date. Reading stops at the first line that could open something in which
 * markup is not markup: a script, an attribute or a title that goes on in the next line.
 */
export function htmlDateLines(lines: readonly string[]): number[] {
  const found: number[] = [];
  for (const [index, line] of lines.entries()) {
    if (line.length > maxLine) return found;
    if (doctype.test(line)) continue;
    if (commentLine.test(line)) {
      found.push(index);
      continue;
    }
    if (line.includes("<!--") || endsHead.test(line) || !plainLine.test(line)) return found;
    if ((line.match(title)?.length ?? 0) % 2 !== 0) return found;
    if (dateLine.test(line)) found.push(index);
  }
  return found;
}
