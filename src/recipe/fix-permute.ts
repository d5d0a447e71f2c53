/** One element of a list or mapping in a text, by offsets. */
export interface Span {
  /** Where it begins: a list's item after its dash, a mapping's key. */
  readonly start: number;
  /** Where its content ends. */
  readonly contentEnd: number;
  /** Where what belongs to it ends: behind the comment and line end that follow. */
  readonly end: number;
}

/**
 * Puts the elements of a flow collection (`[a, b]`) into another order; what is between
 * them stays. `order` names for each place the element that goes there. Undefined where
 * comments or line ends are in between, which would then belong to others.
 */
export function permuteFlow(text: string, spans: readonly Span[], order: readonly number[]): string | undefined {
  const [first] = spans;
  const last = spans.at(-1);
  if (!first || !last || text.slice(first.start, last.contentEnd).includes("\n")) return undefined;
  const content = spans.map(({ start, contentEnd }) => text.slice(start, contentEnd));
  let result = text.slice(0, first.start);
  for (const [place, { contentEnd }] of spans.entries()) {
    result += content[order[place] ?? place] ?? "";
    result += text.slice(contentEnd, spans[place + 1]?.start ?? contentEnd);
  }
  return result + text.slice(last.contentEnd);
}

/**
 * Puts the elements of a block collection into another order, each with the comments above
 * and behind it; empty lines stay where they are. A comment at the top of the file stays
 * there. Undefined where that cannot be done plainly.
 */
export function permuteBlock(text: string, spans: readonly Span[], order: readonly number[]): string | undefined {
  const [first] = spans;
  if (!first) return undefined;
  const ends = spans.map(({ end }) => lineEndFrom(text, end));
  const firstLine = lineStart(text, first.start);
  const prefix = text.slice(firstLine, first.start);
  // the first key of a mapping in a list stands behind the list's dash
  const behindDash =
    /^\s*(- *)+$/.test(prefix) && text.slice(first.start, first.start + 1) !== "-" && isKeyed(text, spans);
  const begin = behindDash ? first.start : commentsAbove(text, firstLine);
  const indent = " ".repeat(first.start - firstLine);
  const blocks = spans.map((_, index) => {
    const from = index === 0 ? begin : (ends[index - 1] ?? 0);
    const block = text.slice(from, ends[index]);
    const [blank = ""] = /^(?:[ \t]*\n)*/.exec(block) ?? [];
    const body = block.slice(blank.length);
    return { blank, body: index === 0 && behindDash ? indent + body : body };
  });
  if (blocks.some(({ body }) => !body.endsWith("\n"))) return undefined;
  const moved = order.map((from, place) => `${blocks[place]?.blank ?? ""}${blocks[from]?.body ?? ""}`);
  let result = moved.join("");
  if (behindDash) {
    // a comment above what comes first now has no line of its own behind the dash
    if (!result.startsWith(indent) || /^\s*#/.test(result)) return undefined;
    result = result.slice(indent.length);
  }
  return text.slice(0, begin) + result + text.slice(ends.at(-1));
}

/** Whether the later elements stand in the column of the first, as keys do and items behind dashes do too. */
function isKeyed(text: string, spans: readonly Span[]): boolean {
  return spans.slice(1).every(({ start }) => text.slice(lineStart(text, start), start).trim() === "");
}

function lineStart(text: string, offset: number): number {
  return text.lastIndexOf("\n", offset - 1) + 1;
}

/** The beginning of the next line, unless the offset is one. */
function lineEndFrom(text: string, offset: number): number {
  if (offset > 0 && text[offset - 1] === "\n") return offset;
  const end = text.indexOf("\n", offset);
  return end === -1 ? text.length : end + 1;
}

/** Where the comments right above a line begin; those that the file begins with stay where they are. */
function commentsAbove(text: string, line: number): number {
  let begin = line;
  while (begin > 0) {
    const above = lineStart(text, begin - 1);
    if (!/^[ \t]*#/.test(text.slice(above, begin))) break;
    begin = above;
  }
  return begin === 0 ? line : begin;
}
