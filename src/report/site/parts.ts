import { fits, type Room } from "../comparison/html/room.ts";
import { html, type Markup } from "../html/markup.ts";
import { spelled } from "./names.ts";
import { type State, type StateCounts, states, wordsOf } from "./verdicts.ts";

/** Where pages are, from the root of the site. */
export interface Links {
  recipe(name: string): string;
  release(recipe: string, version: string): string;
  run(id: string): string;
  badge(recipe: string): string;
  /** The release's own report, from the root or absolute; undefined where there is none to link to. */
  report(run: string, path: string | undefined): string | undefined;
}

/** A state in words, shape and colour; with a frame where it changed. */
export function stateBadge(state: State, changed = false): Markup {
  return html`<span class="badge ${state}${changed && " changed"}"><span aria-hidden="true">${wordsOf(state).symbol}</span> ${state}</span>`;
}

/** How many platforms are in each state, as badges. */
export function countBadges(counts: StateCounts): Markup {
  const shown = states.filter((state) => counts[state] > 0);
  if (shown.length === 0) return html`<span class="soft">no platform</span>`;
  return html`<span class="badges">${shown.map((state) => html`<span class="badge ${state}"><span aria-hidden="true">${wordsOf(state).symbol}</span> ${counts[state]} ${state}</span>`)}</span>`;
}

/** A digest, cut by style where the page is narrow; it selects and copies whole. */
export function digest(value: string | null): Markup {
  return value === null
    ? html`<span class="soft">none</span>`
    : html`<span class="digest">${spelled(value, 120)}</span>`;
}

/** A column of a table that becomes a stack of labelled lines on a phone. */
export interface Column<Row> {
  readonly title: string;
  readonly cell: (row: Row) => Markup | string | number;
}

/**
 * A table with a caption, whose first column heads each row; on a narrow page each row is
 * a block: of labelled lines, or where it is `compact` of short values side by side and the
 * last one below them. Rows for which there is no room are counted at the end instead.
 */
export function stackTable<Row>(
  caption: string,
  columns: readonly Column<Row>[],
  rows: readonly Row[],
  room: Room,
  { noun, compact = false }: { readonly noun: string; readonly compact?: boolean },
): Markup {
  const [head, ...rest] = columns;
  const drawn: Markup[] = [];
  for (const row of rows) {
    const cells = rest.map(
      ({ title, cell }) =>
        html`<td role="cell"><span class="label" aria-hidden="true">${title}</span>${cell(row)}</td>`,
    );
    const line = html`<tr role="row"><th scope="row" role="rowheader">${head?.cell(row)}</th>${cells}</tr>
`;
    if (!fits(room, line)) break;
    drawn.push(line);
  }
  return html`<table role="table" class="stack${compact && " compact"}"><caption class="unseen">${caption}</caption>
<thead role="rowgroup"><tr role="row">${columns.map(({ title }) => html`<th scope="col" role="columnheader">${title}</th>`)}</tr></thead>
<tbody role="rowgroup">
${drawn}</tbody></table>${more(rows.length - drawn.length, noun)}`;
}

/** `and 12 more releases`, or nothing. */
export function more(count: number, noun: string): Markup {
  return count > 0 ? html`<p class="soft">and ${count} more ${noun}${count > 1 && "s"}</p>` : html``;
}

/** A part of a page under a heading. */
export function section(id: string, title: string, body: Markup): Markup {
  return html`<section aria-labelledby="${id}">
<h2 id="${id}">${title}</h2>
${body}
</section>
`;
}
