/**
 * What a comparison's page has beside the report's style: the filter, trees, texts and
 * bytes side by side. Text keeps a contrast of at least 4.5 to 1 (WCAG 2.2, 1.4.3).
 */
export const comparisonStyle = `
:root { --del: #fbe8e6; --del-mark: #f3c4bf; --ins: #e2f2e8; --ins-mark: #b7dfc6; --other: #f8dc9a; }
@media (prefers-color-scheme: dark) { :root { --del: #35201f; --del-mark: #6b2f2b; --ins: #182a21; --ins-mark: #22543b; --other: #5a4a1d; } }
.comparison header, .comparison main, .comparison footer { max-width: 82rem; }
.explained-level { background: var(--good-bg); color: var(--good); border: 1px dashed var(--good); }
h1::first-letter { text-transform: uppercase; }
h4 { font-size: 1rem; margin: 1.6rem 0 .5rem; }
.kind { --as: block; } tr.kind { --as: table-row; }
.weight { display: inline-block; padding: 0 .5rem; border-radius: .3rem; font-size: .82rem; white-space: nowrap; max-width: 100%; overflow: hidden; text-overflow: ellipsis; vertical-align: bottom; background: var(--track); color: var(--ink); }
.weight.unexplained { background: var(--bad-bg); color: var(--bad); font-weight: 600; }
.weight.drift { background: var(--warn-bg); color: var(--warn); border-radius: .3rem; }
.weight.explained { background: var(--good-bg); color: var(--good); }
.filter { margin-top: 1.5rem; } .filter fieldset { border: 0; margin: 0; padding: 0; display: flex; flex-wrap: wrap; gap: .4rem 1.3rem; min-width: 0; }
.filter legend { float: left; font-weight: 600; padding: 0; margin-right: .3rem; line-height: 1.9rem; }
.filter label { cursor: pointer; display: inline-flex; align-items: center; gap: .4rem; max-width: 100%; min-height: 1.9rem; overflow-wrap: anywhere; } .filter input { accent-color: var(--link); margin: 0; }
.filter details fieldset { margin-top: .6rem; max-height: 16rem; overflow: auto; }
.warnings { list-style: none; margin: .8rem 0; padding: .6rem 1rem; border-radius: .4rem; background: var(--warn-bg); color: var(--warn); overflow-wrap: anywhere; }
.differences { margin-top: .9rem; } .differences td:nth-child(3) { font-variant-numeric: tabular-nums; }
.folder, .leaf { margin: 0; } .folder > summary, .leaf > summary, div.leaf { padding: .18rem 0; font-weight: 400; width: auto; overflow-wrap: anywhere; }
.folder > summary .name { font-weight: 600; } div.leaf { padding-left: 1.05rem; }
.inside { margin: 0 0 .2rem .4rem; padding-left: .9rem; border-left: 1px solid var(--line); min-width: 0; }
.leaf > .inside { margin-bottom: 1rem; }
.name, .facts code { font-family: ui-monospace, SFMono-Regular, Menlo, Consolas, "DejaVu Sans Mono", monospace; font-size: .86rem; overflow-wrap: anywhere; }
summary:hover .name { text-decoration: underline; text-underline-offset: .2em; }
.facts { width: 100%; margin: .4rem 0 .7rem; font-size: .9rem; table-layout: fixed; } .facts th, .facts td { padding: .25rem .8rem .25rem 0; overflow-wrap: anywhere; } .facts thead th:first-child { width: 9rem; }
.diff, .hex { border-collapse: collapse; width: 100%; margin: .6rem 0; border: 1px solid var(--line); font-family: ui-monospace, SFMono-Regular, Menlo, Consolas, "DejaVu Sans Mono", monospace; font-size: .78rem; line-height: 1.5; }
.diff { table-layout: fixed; } .diff td { border: 0; padding: 0 .5rem; white-space: pre-wrap; overflow-wrap: anywhere; tab-size: 4; vertical-align: top; }
.diff col.n { width: 4.2rem; } .diff td.n { color: var(--soft); text-align: right; white-space: nowrap; user-select: none; -webkit-user-select: none; font-variant-numeric: tabular-nums; } .diff td.n span { padding-left: .3rem; }
.diff td:nth-child(3) { border-left: 1px solid var(--line); }
.diff ins, .diff del { text-decoration: none; } .other td:nth-child(-n+2):not(.none) { background: var(--del); } .other td:nth-child(n+3):not(.none) { background: var(--ins); }
.other td.n { color: var(--ink); } .diff .none { background: var(--track); }
mark { color: inherit; background: var(--other); border-radius: 2px; } del mark { background: var(--del-mark); } ins mark { background: var(--ins-mark); }
.ctl { font-weight: 600; font-size: .82em; padding: 0 .2em; border: 1px solid currentColor; border-radius: .25em; }
.hex th, .hex td { border: 0; padding: .05rem .7rem; overflow-wrap: anywhere; } .hex thead th { padding-top: .3rem; } .hex tbody th { color: var(--soft); }
.hex td:nth-child(n+2) { border-left: 1px solid var(--line); } .hex .ascii { color: var(--soft); margin-left: 1.2rem; white-space: pre; }
@media (max-width: 70rem) { .hex .ascii { display: none; } }
@media (max-width: 46rem) {
  tr.kind { --as: block; }
  .comparison .matrix tr { grid-template-columns: repeat(3, minmax(0, 1fr)); } .comparison .matrix tbody th { grid-column: 1 / 3; } .comparison .matrix td.verdict { grid-column: 3 / 4; } .comparison .matrix td.whose { grid-column: 1 / 4; }
  .inside { margin-left: .1rem; padding-left: .6rem; }
  .diff, .diff tbody, .diff tr, .hex, .hex tbody, .hex tr, .hex td, .hex th, .facts, .facts tbody, .facts tr, .facts td, .facts th { display: block; }
  .hex thead, .facts thead { position: absolute; width: 1px; height: 1px; overflow: hidden; clip-path: inset(50%); }
  .diff tr { display: grid; grid-template-columns: 3.4rem minmax(0, 1fr); } .diff td { padding: 0 .35rem; } .diff td.n { width: auto; }
  .diff td:nth-child(3) { border-left: 0; } .diff tr:not(.other) td:nth-child(n+3), .diff .none { display: none; }
  .hex tr { padding: .3rem .5rem; border-bottom: 1px solid var(--line); } .hex th, .hex td { padding: 0; } .hex td:nth-child(n+2) { border-left: 0; } .hex td + td { color: var(--link); }
  .facts tr { padding: .3rem 0; } .facts th { border: 0; padding: 0; font-weight: 600; } .facts td { border: 0; padding: 0; } .facts .label { display: inline; margin-right: .5rem; }
}
@media print { .filter { display: none; } .diff { break-inside: auto; } }
`;
