import type { BinaryWindow, Shown, TextHunk } from "../../../compare/evidence/types.ts";
import { html, type Markup } from "../../html/markup.ts";

/** A difference of contents, side by side. */
export function showSides(shown: Shown, label: string): Markup {
  const rows =
    shown.kind === "text" ? shown.hunks.map((hunk) => textRows(hunk)) : shown.windows.map((window) => hexRows(window));
  const rest = shown.truncated && html`<p class="soft">More differs than is shown.</p>`;
  return html`<table class="sides" aria-label="${label}"><thead class="unseen"><tr><th scope="col">At</th><th scope="col">First image</th><th scope="col">Second image</th></tr></thead><tbody>
${rows}</tbody></table>${rest}`;
}

function textRows({ leftStart, rightStart, rows }: TextHunk): Markup {
  let [leftLine, rightLine] = [leftStart, rightStart];
  return html`${rows.map(({ left, right }) => {
    const isSame = left === right;
    const at = left === undefined ? `+${rightLine}` : String(leftLine);
    if (left !== undefined) leftLine += 1;
    if (right !== undefined) rightLine += 1;
    return html`<tr><td class="at">${at}</td><td class="${!isSame && left !== undefined && "old"}">${left}</td><td class="${!isSame && right !== undefined && "new"}">${right}</td></tr>
`;
  })}`;
}

const rowDigits = 32;

function hexRows({ offset, left, right }: BinaryWindow): Markup {
  const count = Math.ceil(Math.max(left.length, right.length) / rowDigits);
  return html`${Array.from({ length: count }, (_, row) => {
    const part = (text: string): string => text.slice(row * rowDigits, (row + 1) * rowDigits);
    const [a, b] = [part(left), part(right)];
    const at = (offset + (row * rowDigits) / 2).toString(16).padStart(8, "0");
    return html`<tr><td class="at">${at}</td><td class="${a !== b && "old"}">${bytes(a, b)}</td><td class="${a !== b && "new"}">${bytes(b, a)}</td></tr>
`;
  })}`;
}

/** Bytes in hex; those that the other side has otherwise are marked. */
function bytes(mine: string, other: string): Markup {
  const pairs = mine.match(/../g) ?? [];
  return html`${pairs.map((pair, index) => {
    const isSame = other.slice(index * 2, index * 2 + 2) === pair;
    return isSame ? html`${pair} ` : html`<mark>${pair}</mark> `;
  })}`;
}
