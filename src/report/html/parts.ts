import type { PlatformOutcome } from "../../outcome.ts";
import { html, type Markup } from "./markup.ts";

const shapes: Readonly<Record<PlatformOutcome["verdict"], string>> = {
  identical: "✓",
  equivalent: "✓",
  extended: "+",
  drift: "~",
  "upstream-unavailable": "?",
  different: "≠",
  "build-failed": "✗",
};

/** The verdict in words, colour and shape; an extension never looks like a match. */
export function badge({ verdict }: PlatformOutcome): Markup {
  return html`<span class="badge ${verdict}"><span aria-hidden="true">${shapes[verdict]}</span> ${verdict}</span>`;
}

/** A digest, cut by style where the page is narrow; it selects and copies whole. */
export function digest(value: string | null): Markup {
  return value === null || value === ""
    ? html`<span class="soft">none</span>`
    : html`<span class="digest">${value}</span>`;
}

/** The fragment name of a platform's section. */
export function anchorOf({ platform }: PlatformOutcome): string {
  return platform.replaceAll(/[^A-Za-z0-9.]+/g, "-");
}

/** A column of a table that becomes a stack of labelled lines on a phone. */
interface Column<Row> {
  readonly title: string;
  readonly cell: (row: Row) => Markup;
}

/**
 * A table whose first column heads each row. On a narrow page each row is a block with
 * every value under its column's name; roles keep it a table for assistive technology
 * when style changes how it is laid out.
 */
export function table<Row>(name: string, columns: readonly Column<Row>[], rows: readonly Row[]): Markup {
  const [head, ...rest] = columns;
  return html`<table role="table" aria-label="${name}" class="stack">
<thead role="rowgroup"><tr role="row">${columns.map(({ title }) => html`<th scope="col" role="columnheader">${title}</th>`)}</tr></thead>
<tbody role="rowgroup">
${rows.map(
  (row) => html`<tr role="row"><th scope="row" role="rowheader">${head?.cell(row)}</th>${rest.map(
    ({ title, cell }) => html`<td role="cell"><span class="label" aria-hidden="true">${title}</span>${cell(row)}</td>`,
  )}</tr>
`,
)}</tbody></table>`;
}
