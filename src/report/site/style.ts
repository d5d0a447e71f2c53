/**
 * What the site's pages have beside the report's style: navigation, the chart, grids of
 * runs. Text keeps a contrast of at least 4.5 to 1 (WCAG 2.2, 1.4.3), areas of the chart
 * one of 3 to 1 to the card, and a gap between them (1.4.11).
 */
export const siteStyle = `
:root { --c-identical: #14613a; --c-equivalent: #4c9a6c; --c-extended: #6d5bd0; --c-drift: #a8740a; --c-different: #b3261e; --c-failed: #6b7079; }
@media (prefers-color-scheme: dark) { :root { --c-identical: #84dba6; --c-equivalent: #3f9465; --c-extended: #a896ff; --c-drift: #d9a441; --c-different: #f2766b; --c-failed: #8d949e; } }
.site header { padding-top: 1.4rem; } .site .lead { margin-bottom: 0; max-width: 46rem; } .site .lead p { max-width: none; }
.site main:focus { outline: none; }
.top { display: flex; flex-wrap: wrap; gap: .3rem 1.3rem; padding-bottom: .8rem; border-bottom: 1px solid var(--line); font-size: .92rem; }
.top a { text-decoration: none; padding: .2rem 0; } .top a:hover { text-decoration: underline; } .top .home { font-weight: 700; color: var(--ink); margin-right: auto; overflow-wrap: anywhere; min-width: 0; }
.trail ol { list-style: none; display: flex; flex-wrap: wrap; gap: 0 .5rem; margin: .8rem 0 0; padding: 0; font-size: .9rem; color: var(--soft); } .trail li { overflow-wrap: anywhere; min-width: 0; } .trail li + li::before { content: "/"; margin-right: .5rem; color: var(--soft); }
.site .kicker { margin-top: 1.8rem; } .trail + .kicker { margin-top: 1.4rem; }
.failed { background: var(--bad-bg); color: var(--bad); border-radius: .3rem; } .unknown, .omitted { background: var(--track); color: var(--soft); border-radius: .3rem; }
.site .badge { max-width: 100%; overflow: hidden; text-overflow: ellipsis; vertical-align: middle; } .badges { display: inline-flex; flex-wrap: wrap; gap: .3rem; }
.figures { display: grid; grid-template-columns: repeat(auto-fit, minmax(9.5rem, 1fr)); gap: 1rem; margin: 1.6rem 0 0; }
.figures > div { display: flex; flex-direction: column-reverse; justify-content: flex-end; background: var(--card); border: 1px solid var(--line); border-radius: .65rem; padding: .9rem 1.1rem; margin: 0; }
.figures dd { font-size: 1.75rem; line-height: 1.15; font-weight: 650; letter-spacing: -.02em; font-variant-numeric: tabular-nums; margin: 0; } .figures dt { font-size: .9rem; }
.todo { list-style: none; margin: 0; padding: 0; } .todo li { padding: .75rem 0; border-bottom: 1px solid var(--line); overflow-wrap: anywhere; } .todo li:first-child { padding-top: 0; } .todo li:last-child { border: 0; padding-bottom: 0; }
.todo p { margin: .15rem 0 0; max-width: none; } .todo .what { font-weight: 600; margin-right: .4rem; } .calm { color: var(--good); font-weight: 600; }
.chart { display: grid; grid-template-columns: max-content minmax(0, 1fr); gap: .3rem .7rem; margin: 0; }
.chart .scale { display: flex; flex-direction: column; justify-content: space-between; text-align: right; margin: -.65em 0; } .chart .scale, .chart .ends { color: var(--soft); font-size: .82rem; font-variant-numeric: tabular-nums; }
.chart .ends { grid-column: 2; display: flex; justify-content: space-between; } .chart svg { width: 100%; height: 14rem; overflow: visible; }
.chart .rule { stroke: var(--line); stroke-width: 1; vector-effect: non-scaling-stroke; } .chart .over { fill: transparent; } .chart .over:hover { fill: var(--ink); fill-opacity: .12; }
.f-identical { fill: var(--c-identical); } .f-equivalent { fill: var(--c-equivalent); } .f-extended { fill: var(--c-extended); } .f-drift { fill: var(--c-drift); } .f-different { fill: var(--c-different); } .f-omitted { fill: var(--c-failed); fill-opacity: .5; } .f-failed { fill: var(--c-failed); }
.key { list-style: none; display: flex; flex-wrap: wrap; gap: .3rem 1.5rem; margin: 1.1rem 0 0; padding: 0; font-size: .92rem; } .key svg { display: inline-block; width: .85rem; height: .85rem; vertical-align: -.08rem; margin-right: .35rem; }
.key .soft { font-variant-numeric: tabular-nums; }
.scroll { overflow-x: auto; margin: .6rem 0 0; } .scroll table { width: auto; min-width: 100%; }
.card > .scroll:last-child { margin-bottom: -.3rem; } .card > .scroll:first-child, .card > details:first-child, .card > pre:first-child, .card > figure { margin-top: 0; } .card > figure { margin-bottom: 0; }
.moves + h3 { margin-top: 1.2rem; } .nowrap { white-space: nowrap; }
caption { text-align: left; color: var(--soft); font-size: .9rem; padding: 0 0 .5rem; } caption.unseen { padding: 0; }
.grid th, .grid td { padding: .4rem .8rem .4rem 0; white-space: nowrap; font-size: .9rem; } .grid thead th { font-variant-numeric: tabular-nums; }
.grid tbody th { font-weight: 600; } .grid .how { display: block; color: var(--soft); font-size: .78rem; padding-left: .1rem; }
.grid thead th:first-child, .grid tbody th { position: sticky; left: 0; background: var(--card); z-index: 1; padding-right: 1rem; }
.plain th, .plain td { padding: .3rem 1.2rem .3rem 0; font-size: .92rem; font-variant-numeric: tabular-nums; }
.changed { outline: 1.5px solid currentColor; outline-offset: 1px; }
.num { font-variant-numeric: tabular-nums; }
.site h3 { margin-top: 0; } .card h3 + p { margin-top: 0; }
.moves { list-style: none; margin: 0; padding: 0; } .moves li { padding: .3rem 0; overflow-wrap: anywhere; }
.moves .arrow { color: var(--soft); margin: 0 .15rem; }
.weight { display: inline-block; padding: 0 .5rem; border-radius: .3rem; font-size: .84rem; background: var(--track); color: var(--ink); } .weight.unexplained { background: var(--bad-bg); color: var(--bad); font-weight: 600; } .weight.drift { background: var(--warn-bg); color: var(--warn); }
.weight.explained { background: var(--good-bg); color: var(--good); }
.site pre { white-space: pre-wrap; overflow-wrap: anywhere; max-height: 24rem; }
.turn { display: flex; flex-wrap: wrap; gap: .4rem 1.5rem; justify-content: space-between; margin-top: 1.6rem; font-size: .95rem; }
.many { columns: 15rem; list-style: none; margin: .8rem 0 0; padding: 0; font-size: .94rem; } .many li { overflow-wrap: anywhere; padding: .12rem 0; break-inside: avoid; }
@media (max-width: 46rem) {
  .site .stack tbody tr:first-child { padding-top: 0; }
  .site .compact tr { display: flex; flex-wrap: wrap; gap: .1rem 1.2rem; } .site .compact th, .site .compact td { padding-bottom: .15rem; } .site .compact th { flex: 0 0 100%; } .site .compact td:last-child { flex: 0 0 100%; } .site .compact td:last-child .label { display: none; }
  .figures { grid-template-columns: repeat(2, minmax(0, 1fr)); gap: .7rem; } .figures dd { font-size: 1.45rem; margin: 0; } .figures > div { padding: .7rem .9rem; } .chart svg { height: 10rem; } .site header { padding-top: 1rem; } .top a { padding: .35rem 0; } }
@media print { .scroll { overflow: visible; } }
@media (forced-colors: active) { .chart svg path { stroke: Canvas; forced-color-adjust: none; } }
`;
