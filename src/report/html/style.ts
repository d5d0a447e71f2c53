/**
 * The page's style: system fonts, light and dark, readable on a phone and in print.
 * Text keeps a contrast of at least 4.5 to 1 (WCAG 2.2, 1.4.3).
 */
export const style = `
:root { color-scheme: light dark; --page: #faf9f6; --card: #fff; --ink: #1b1c1e; --soft: #585d66; --line: #e3e1da; --track: #efede7;
  --link: #1d4f91; --good: #14613a; --good-bg: #e2f2e8; --own: #4a3aa0; --own-bg: #eeebfb; --bad: #9c2018; --bad-bg: #fbe8e6; --warn: #724900; --warn-bg: #fcf0d8; --bar: #5b7a9d; }
@media (prefers-color-scheme: dark) { :root { --page: #141619; --card: #1b1e22; --ink: #e7e8ea; --soft: #a3a9b2; --line: #30353c; --track: #262a30;
  --link: #9cc4f8; --good: #84dba6; --good-bg: #17352a; --own: #c2b6ff; --own-bg: #2a2547; --bad: #ffa198; --bad-bg: #45211f; --warn: #f0c66f; --warn-bg: #3b3017; --bar: #7f9fc4; } }
* { box-sizing: border-box; }
html { -webkit-text-size-adjust: 100%; scroll-behavior: smooth; }
@media (prefers-reduced-motion: reduce) { html { scroll-behavior: auto; } }
body { margin: 0; background: var(--page); color: var(--ink); font: 16px/1.55 system-ui, -apple-system, "Segoe UI", Roboto, "DejaVu Sans", sans-serif; }
header, main, footer { max-width: 66rem; margin: 0 auto; padding: 0 1.5rem; }
header { padding-top: 3.5rem; }
h1 { font-size: 2.4rem; line-height: 1.1; margin: 0 0 .6rem; letter-spacing: -.025em; overflow-wrap: anywhere; }
h2 { font-size: 1.2rem; margin: 3.25rem 0 .9rem; letter-spacing: -.01em; }
h3 { font-size: 1.1rem; margin: 0 0 .5rem; display: flex; flex-wrap: wrap; gap: .4rem .8rem; align-items: center; }
p { margin: .4rem 0; max-width: 46rem; overflow-wrap: anywhere; }
a { color: var(--link); text-underline-offset: .2em; text-decoration-thickness: 1px; }
a:hover { text-decoration-thickness: 2px; }
.kicker { color: var(--soft); font-size: .88rem; margin: 0 0 .3rem; }
.lead { font-size: 1.15rem; margin-bottom: 1.4rem; }
.good { color: var(--good); } .bad { color: var(--bad); } .soft { color: var(--soft); }
p code { white-space: nowrap; }
.note { color: var(--soft); font-size: .9rem; }
.word { overflow-wrap: anywhere; }
code, pre, .digest, .paths { font-family: ui-monospace, SFMono-Regular, Menlo, Consolas, "DejaVu Sans Mono", monospace; font-size: .84em; }
code { overflow-wrap: anywhere; }
.digest { display: inline-block; max-width: 100%; overflow: hidden; text-overflow: ellipsis; white-space: nowrap; vertical-align: bottom; user-select: all; -webkit-user-select: all; }
.digest:hover, .digest:active { white-space: normal; overflow-wrap: anywhere; }
.card { background: var(--card); border: 1px solid var(--line); border-radius: .65rem; padding: 1.4rem 1.6rem; margin: 0 0 1.2rem; }
section.card { scroll-margin-top: 1rem; }
section.card:target { border-color: var(--link); }
dl { display: grid; grid-template-columns: max-content minmax(0, 1fr); gap: .35rem 1.5rem; margin: 1rem 0; }
dt { color: var(--soft); } dd { margin: 0; min-width: 0; overflow-wrap: anywhere; }
table { border-collapse: collapse; width: 100%; }
th, td { text-align: left; padding: .6rem 1.1rem .6rem 0; border-bottom: 1px solid var(--line); vertical-align: top; font-weight: inherit; }
th:last-child, td:last-child { padding-right: 0; }
tbody tr:last-child > * { border-bottom: 0; }
thead th { font-size: .82rem; color: var(--soft); padding-top: 0; vertical-align: bottom; }
.label { display: none; }
.matrix th, .matrix td { vertical-align: middle; }
.matrix tbody th { font-weight: 600; white-space: nowrap; }
.matrix .level { text-align: center; padding-left: .4rem; padding-right: .4rem; }
.mark { display: inline-block; width: 1.7rem; height: 1.7rem; border-radius: 50%; line-height: 1.7rem; text-align: center; font-size: .9rem; font-weight: 700; }
.yes { background: var(--good); color: var(--card); }
.no { color: var(--soft); box-shadow: inset 0 0 0 1.5px var(--line); font-weight: 400; }
.addition { display: block; padding: .3rem .8rem; border: 1.5px dashed var(--own); border-radius: .35rem; color: var(--own); text-align: center; font-size: .92rem; }
.addition.broken { border-color: var(--bad); color: var(--bad); }
.badge { display: inline-block; padding: .1rem .7rem .1rem .55rem; border-radius: 1rem; font-size: .86rem; font-weight: 600; white-space: nowrap; }
.identical, .equivalent { background: var(--good-bg); color: var(--good); }
.extended { background: var(--own-bg); color: var(--own); border-radius: .3rem; }
.different, .build-failed { background: var(--bad-bg); color: var(--bad); border-radius: .3rem; }
.drift, .upstream-unavailable { background: var(--warn-bg); color: var(--warn); border-radius: .3rem; }
.legend { border-top: 1px solid var(--line); padding-top: .9rem; font-size: .94rem; }
details { margin-top: .9rem; } details table { margin-top: .6rem; }
summary { cursor: pointer; font-weight: 600; width: fit-content; }
.stack tbody th { white-space: nowrap; padding-right: 1.6rem; }
.stack td { overflow-wrap: anywhere; } .stack td .digest { max-width: 15rem; }
.paths { list-style: none; margin: .25rem 0 0; padding: 0; color: var(--soft); overflow-wrap: anywhere; }
figure { margin: .8rem 0; } figcaption { color: var(--soft); font-size: .94rem; }
pre { line-height: 1.5; background: var(--page); border: 1px solid var(--line); border-radius: .4rem; padding: .8rem 1rem; overflow: auto; max-height: 34rem; margin: .5rem 0; tab-size: 4; }
.timings { width: 100%; max-width: 40rem; margin: 1rem 0; font-size: .92rem; }
.timings th, .timings td { border: 0; padding: .12rem 1rem .12rem 0; vertical-align: middle; color: var(--soft); white-space: nowrap; }
.timings th { width: 6.5rem; } .timings td.bar { width: auto; } .timings td.time { width: 8.5rem; color: var(--ink); }
svg { display: block; } .track { fill: var(--track); } .spent { fill: var(--bar); } .reused { fill: var(--bar); opacity: .45; }
footer { margin-top: 3rem; padding-bottom: 4rem; color: var(--soft); font-size: .92rem; }
:focus-visible { outline: 3px solid var(--link); outline-offset: 3px; border-radius: 2px; }
.skip, .unseen { position: absolute; width: 1px; height: 1px; overflow: hidden; clip-path: inset(50%); white-space: nowrap; }
.skip:focus { left: 1rem; top: 1rem; width: auto; height: auto; clip-path: none; background: var(--card); padding: .5rem 1rem; }
@media (max-width: 46rem) {
  header, main, footer { padding-left: 1rem; padding-right: 1rem; } header { padding-top: 1.75rem; }
  h1 { font-size: 2rem; } h2 { margin-top: 2.5rem; } .card { padding: 1.1rem 1.1rem; }
  dl { grid-template-columns: minmax(0, 1fr); gap: 0; } dd { margin-bottom: .6rem; }
  .label { display: block; color: var(--soft); font-size: .78rem; }
  .matrix, .matrix tbody, .stack, .stack tbody, .stack tr, .stack th, .stack td { display: block; }
  .matrix thead, .stack thead { position: absolute; width: 1px; height: 1px; overflow: hidden; clip-path: inset(50%); }
  .matrix tr { display: grid; grid-template-columns: repeat(6, minmax(0, 1fr)); gap: .5rem 0; align-items: center; padding: .9rem 0; border-bottom: 1px solid var(--line); }
  .matrix tr:first-child { padding-top: 0; } .matrix tr:last-child { border: 0; }
  .matrix th, .matrix td { padding: 0; border: 0; }
  .matrix tbody th { grid-column: 1 / 5; font-size: 1.05rem; } .matrix td.verdict { grid-column: 5 / 7; grid-row: 1; text-align: right; }
  .matrix td.verdict { display: flex; justify-content: flex-end; } .matrix td.whose { grid-column: 1 / 7; color: var(--soft); font-size: .88rem; margin-top: -.4rem; }
  .matrix td.whose .label { display: inline; font-size: inherit; } .matrix td.wide { grid-column: 1 / 7; } .matrix .level { padding: 0; } .matrix .level .label { margin-bottom: .15rem; }
  .addition { text-align: left; }
  .stack .label { display: inline; margin-right: .5rem; } .stack tr { padding: .8rem 0; border-bottom: 1px solid var(--line); } .stack tr:last-child { border: 0; }
  .stack tbody th, .stack td { border: 0; padding: 0 0 .45rem; white-space: normal; } .stack tbody th { font-weight: 600; } .stack td .digest { max-width: 100%; } .stack td > div { margin-top: .1rem; }
  .timings th { width: 4.6rem; } .timings td.time { width: 7rem; padding-right: 0; } .timings th, .timings td { padding-right: .6rem; }
}
@media print { .digest { white-space: normal; overflow-wrap: anywhere; } .card { break-inside: avoid-page; } pre { max-height: none; white-space: pre-wrap; } }
`;
