import { html, type Markup } from "../html/markup.ts";
import { dayOf, forPeople, plural } from "./names.ts";
import type { RunSummary } from "./model.ts";
import type { StateCounts } from "./verdicts.ts";

const maxColumns = 90;
/** A column is never wider than if there were this many. */
const leastColumns = 14;
const height = 1000;

/** What the chart tells apart, from the bottom up. */
const series: readonly {
  readonly name: string;
  readonly symbol: string;
  readonly count: (of: StateCounts) => number;
}[] = [
  { name: "identical", symbol: "✓", count: (of) => of.identical },
  { name: "equivalent", symbol: "✓", count: (of) => of.equivalent },
  { name: "extended", symbol: "+", count: (of) => of.extended },
  { name: "drift", symbol: "~", count: (of) => of.drift },
  { name: "omitted", symbol: "–", count: (of) => of.omitted },
  { name: "different", symbol: "≠", count: (of) => of.different },
  { name: "failed", symbol: "✗", count: (of) => of["build-failed"] + of.failed + of["upstream-unavailable"] },
];

/**
 * The share of platforms in each state, a column a run, the newest at the right: an SVG
 * made here, a key with the newest figures, and the same as a table. Of more than 90 runs
 * every second, third, ... is drawn, counted from the newest.
 */
export function chart(runs: readonly RunSummary[]): Markup {
  const filled = runs.filter(({ counts }) => total(counts) > 0);
  const step = Math.max(1, Math.ceil(filled.length / maxColumns));
  const shown = filled.filter((_, position) => position % step === 0).toReversed();
  const [first, last] = [shown[0], shown.at(-1)];
  if (!first || !last) return html`<p class="soft">No run has a platform yet.</p>`;
  const isFull = shown.length >= leastColumns;
  const width = Math.max(leastColumns, shown.length) * 10;
  const [from, to] = [dayOf(first.run.startedAt), dayOf(last.run.startedAt)];
  // of a few runs the last column is not at the right end
  const ends = isFull ? [from, to] : [first === last ? from : `${from} to ${to}`, ""];
  const every = step === 1 ? "every run" : `one run of ${step}`;
  const summary = `Share of platforms in each state, ${every} from ${from} to ${to}; ${said(first)} at first, ${said(last)} at last.`;
  return html`<figure>
<div class="chart"><div class="scale" aria-hidden="true"><span>100 %</span><span>50 %</span><span>0</span></div>
<svg role="img" aria-label="${summary}" viewBox="0 0 ${width} ${height}" preserveAspectRatio="none">
${[0, 500, 1000].map((y) => html`<line class="rule" x1="0" x2="${width}" y1="${y}" y2="${y}"/>`)}
${series.map(({ name }, which) => html`<path class="f-${name}" d="${areas(shown, which)}"/>`)}
${shown.map((summary, at) => html`<rect class="over" x="${at * 10}" width="10" height="${height}"><title>${dayOf(summary.run.startedAt)}: ${said(summary)}</title></rect>`)}
</svg>
<div class="ends" aria-hidden="true"><span>${ends[0]}</span><span>${ends[1]}</span></div></div>
${key(last)}
<details><summary>The same as a table</summary>${asTable(shown.toReversed())}</details>
</figure>`;
}

function total(counts: StateCounts): number {
  return series.reduce((sum, { count }) => sum + count(counts), 0);
}

function said({ counts }: RunSummary): string {
  const parts = series.filter(({ count }) => count(counts) > 0).map(({ name, count }) => `${count(counts)} ${name}`);
  return `${parts.join(", ")} of ${plural(total(counts), "platform")}`;
}

/** One path for a series: a bar a run, a little apart from the bar below it, so that colour is not all that divides them. */
function areas(shown: readonly RunSummary[], which: number): string {
  const bars = shown.map(({ counts }, at) => {
    const all = total(counts);
    const below = series.slice(0, which).reduce((sum, { count }) => sum + count(counts), 0);
    const own = series[which]?.count(counts) ?? 0;
    if (own === 0) return "";
    const bottom = Math.round(height - (below / all) * height);
    const top = Math.round(height - ((below + own) / all) * height);
    const gap = Math.min(6, Math.floor((bottom - top) / 2));
    return `M${at * 10 + 1} ${bottom}h8V${top + gap}h-8z`;
  });
  return bars.join("");
}

function key({ counts }: RunSummary): Markup {
  const all = total(counts);
  const shown = series.map(({ name, symbol, count }) => {
    const own = count(counts);
    return html`<li><svg aria-hidden="true" viewBox="0 0 10 10"><rect class="f-${name}" width="10" height="10" rx="2"/></svg>${symbol} ${name} <span class="soft">${own}, ${percent(own, all)}</span></li>`;
  });
  return html`<ul class="key" aria-label="The newest run">${shown}</ul><p class="note">“failed” is what was not built, what had no upstream to compare with, and the platforms of releases that failed.</p>`;
}

/** `97.9 %`; 100 and 0 only where it is all and nothing. */
export function percent(part: number, all: number): string {
  if (all === 0) return "–";
  const share = (part / all) * 100;
  const rounded = Math.min(part < all ? 99.9 : 100, Math.max(part > 0 ? 0.1 : 0, share));
  return `${Number.isInteger(rounded) ? rounded : rounded.toFixed(1)} %`;
}

function asTable(newestFirst: readonly RunSummary[]): Markup {
  return html`<div class="scroll" role="region" tabindex="0" aria-label="Platforms in each state, by run"><table class="plain"><caption class="unseen">Platforms in each state, by run</caption>
<thead><tr><th scope="col">Run</th>${series.map(({ name }) => html`<th scope="col">${name}</th>`)}<th scope="col">all</th></tr></thead>
<tbody>
${newestFirst.map(
  ({
    run,
    counts,
  }) => html`<tr><th scope="row">${forPeople(run.startedAt)}</th>${series.map(({ count }) => html`<td>${count(counts)}</td>`)}<td>${total(counts)}</td></tr>
`,
)}</tbody></table></div>`;
}
