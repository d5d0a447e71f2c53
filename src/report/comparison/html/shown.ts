import type { BinaryWindow, Shown, TextHunk, TextRow } from "../../../compare/evidence/types.ts";
import { html, type Markup } from "../../html/markup.ts";
import { splitInvisible } from "../visible.ts";
import { drawWhatFits, fits, type Room, share } from "./room.ts";

/** The markup of one file's or document's difference, in bytes. */
const maxBytes = 96 * 1024;
const rowBytes = 16;

/**
 * What differs in a content: texts side by side, or bytes in hex. Rows are left out where
 * the room is spent; the page then says so.
 */
export function drawShown(shown: Shown, name: string, room: Room): Markup {
  const total = shown.kind === "text" ? shown.hunks.length : shown.windows.length;
  if (total === 0) return html`<p class="soft">No line differs.</p>`;
  return share(room, maxBytes, (own) => {
    const { drawn, whole } =
      shown.kind === "text" ? drawHunks(shown.hunks, name, own) : drawWindows(shown.windows, name, own);
    const isWhole = whole && !shown.truncated;
    return html`${drawn}${!isWhole && html`<p class="soft">${drawn.length === 0 ? "What differs is too long for this page." : "More differs than is shown."}</p>`}`;
  });
}

interface Drawn {
  readonly drawn: readonly Markup[];
  readonly whole: boolean;
}

function drawWindows(windows: readonly BinaryWindow[], name: string, room: Room): Drawn {
  const drawn = drawWhatFits(room, windows, (window) => drawWindow(window, name));
  return { drawn, whole: drawn.length === windows.length };
}

function drawHunks(hunks: readonly TextHunk[], name: string, room: Room): Drawn {
  const drawn: Markup[] = [];
  for (const hunk of hunks) {
    if (!fits(room, hunkTable(name, []))) return { drawn, whole: false };
    let [left, right] = [hunk.leftStart, hunk.rightStart];
    const rows = drawWhatFits(room, hunk.rows, (row) =>
      drawRow(row, row.left === undefined ? 0 : left++, row.right === undefined ? 0 : right++),
    );
    if (rows.length > 0) drawn.push(hunkTable(name, rows));
    if (rows.length < hunk.rows.length) return { drawn, whole: false };
  }
  return { drawn, whole: true };
}

function hunkTable(name: string, rows: readonly Markup[]): Markup {
  return html`<table role="table" class="diff" aria-label="Lines of ${name}"><colgroup><col class="n"><col><col class="n"><col></colgroup><thead role="rowgroup" class="unseen"><tr role="row"><th scope="col" role="columnheader">Line</th><th scope="col" role="columnheader">First image</th><th scope="col" role="columnheader">Line</th><th scope="col" role="columnheader">Second image</th></tr></thead><tbody role="rowgroup">
${rows}</tbody></table>
`;
}

function drawRow({ left, right }: TextRow, leftNumber: number, rightNumber: number): Markup {
  if (left !== undefined && left === right)
    return html`<tr role="row"><td role="cell" class="n">${leftNumber}</td><td role="cell">${line(left)}</td><td role="cell" class="n">${rightNumber}</td><td role="cell" class="again">${line(right)}</td></tr>
`;
  const [a, b] = left !== undefined && right !== undefined ? marked(left, right) : [left, right];
  return html`<tr role="row" class="other">${side(a, leftNumber, "del")}${side(b, rightNumber, "ins")}</tr>
`;
}

function side(content: Marked | string | undefined, number: number, element: "del" | "ins"): Markup {
  if (content === undefined) return html`<td role="cell" class="n none"></td><td role="cell" class="none"></td>`;
  const text = typeof content === "string" ? line(content) : parts(content);
  return element === "del"
    ? html`<td role="cell" class="n">${number}<span aria-hidden="true">−</span></td><td role="cell"><del>${text}</del></td>`
    : html`<td role="cell" class="n">${number}<span aria-hidden="true">+</span></td><td role="cell"><ins>${text}</ins></td>`;
}

/** A line in three: what both lines begin with, what differs, what both end with. */
type Marked = readonly [string, string, string];

/** Lines that have little in common are marked nowhere: chance letters would only distract. */
function marked(left: string, right: string): [Marked, Marked] | [string, string] {
  const [a, b] = [[...left], [...right]];
  const shorter = Math.min(a.length, b.length);
  let start = 0;
  while (start < shorter && a[start] === b[start]) start += 1;
  let end = 0;
  while (end < shorter - start && a.at(-1 - end) === b.at(-1 - end)) end += 1;
  if (start + end < Math.max(a.length, b.length) / 4) return [left, right];
  const cut = (of: string[]): Marked => [
    of.slice(0, start).join(""),
    of.slice(start, of.length - end).join(""),
    end === 0 ? "" : of.slice(-end).join(""),
  ];
  return [cut(a), cut(b)];
}

function parts([before, middle, after]: Marked): Markup {
  return html`${line(before)}${middle !== "" && html`<mark>${line(middle)}</mark>`}${line(after)}`;
}

function line(text: string): Markup {
  return html`${splitInvisible(text).map((part, position) => (position % 2 === 0 ? part : html`<b class="ctl">${part}</b>`))}`;
}

function drawWindow({ offset, left, right }: BinaryWindow, name: string): Markup {
  const [a, b] = [bytesOf(left), bytesOf(right)];
  const rows = Array.from({ length: Math.ceil(Math.max(a.length, b.length) / rowBytes) }, (_, row) => row * rowBytes);
  return html`<table role="table" class="hex" aria-label="Bytes of ${name}"><thead role="rowgroup"><tr role="row"><th scope="col" role="columnheader">Offset</th><th scope="col" role="columnheader">First image</th><th scope="col" role="columnheader">Second image</th></tr></thead><tbody role="rowgroup">
${rows.map(
  (at) =>
    html`<tr role="row"><th scope="row" role="rowheader">${(offset + at).toString(16).padStart(8, "0")}</th>${hexCell(a, b, at)}${hexCell(b, a, at)}</tr>
`,
)}</tbody></table>
`;
}

function bytesOf(hex: string): string[] {
  return hex.match(/../g) ?? [];
}

/** A row of one side: bytes that the other side has not are marked, neighbours together. */
function hexCell(mine: readonly string[], theirs: readonly string[], from: number): Markup {
  const groups: { readonly differs: boolean; readonly bytes: string[] }[] = [];
  for (let at = from; at < Math.min(from + rowBytes, mine.length); at += 1) {
    const differs = mine[at] !== theirs[at];
    const last = groups.at(-1);
    if (last?.differs === differs) last.bytes.push(mine[at] ?? "");
    else groups.push({ differs, bytes: [mine[at] ?? ""] });
  }
  const drawn = groups.map(({ differs, bytes }, position) => {
    const space = position === 0 ? "" : " ";
    return differs ? html`${space}<mark>${bytes.join(" ")}</mark>` : html`${space}${bytes.join(" ")}`;
  });
  return html`<td role="cell">${drawn}<span class="ascii" aria-hidden="true">${ascii(mine.slice(from, from + rowBytes))}</span></td>`;
}

function ascii(bytes: readonly string[]): string {
  return bytes
    .map((byte) => Number.parseInt(byte, 16))
    .map((code) => (code >= 0x20 && code < 0x7f ? String.fromCharCode(code) : "·"))
    .join("");
}
