import { html } from "../html/markup.ts";
import { reproduced, type StateCounts } from "./verdicts.ts";

/** Widths of 11 px Verdana's characters, near enough: `textLength` makes them exact. */
function widthOf(text: string): number {
  let width = 0;
  for (const character of text) width += /[ilj.,:;'|!/]/.test(character) ? 4 : /[mwMW@]/.test(character) ? 10 : 7;
  return width;
}

/**
 * A badge for a README: `reproducible | 4/4 platforms`, of the platforms that upstream
 * released. Green only where it is all of them; an addition counts on neither side.
 */
export function renderBadge(counts: StateCounts): string {
  const { same, of } = reproduced(counts);
  const value = of > 0 ? `${same}/${of} platforms` : counts.extended > 0 ? `${counts.extended} added` : "no platform";
  const colour = of === 0 ? "#585d66" : same === of ? "#14613a" : same > 0 ? "#724900" : "#9c2018";
  const label = "reproducible";
  const [left, right] = [widthOf(label) + 12, widthOf(value) + 12];
  const text = (content: string, x: number, width: number): ReturnType<typeof html> =>
    html`<text x="${x}" y="14" textLength="${width - 12}" lengthAdjust="spacingAndGlyphs">${content}</text>`;
  return html`<svg xmlns="http://www.w3.org/2000/svg" width="${left + right}" height="20" viewBox="0 0 ${left + right} 20" role="img" aria-label="${label}: ${value}">
<title>${label}: ${value}</title>
<clipPath id="r"><rect width="${left + right}" height="20" rx="3"/></clipPath>
<g clip-path="url(#r)"><rect width="${left}" height="20" fill="#3c4047"/><rect x="${left}" width="${right}" height="20" fill="${colour}"/></g>
<g fill="#fff" font-family="Verdana,DejaVu Sans,sans-serif" font-size="11">${text(label, 6, left)}${text(value, left + 6, right)}</g>
</svg>
`.markup;
}
