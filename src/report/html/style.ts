/** The page's style: system fonts, light and dark, readable on a phone. Colours keep a contrast of at least 4.5 to 1. */
export const style = `
:root { color-scheme: light dark; --bg: #fbfbf9; --card: #fff; --ink: #1c1d1f; --soft: #5a5e66; --line: #dfe0dc;
  --good: #17693a; --good-bg: #e3f3e8; --own: #1d4f91; --own-bg: #e4eefb; --bad: #a3231b; --bad-bg: #fbe7e5; --warn: #7a4d00; --warn-bg: #fdf1d9; }
@media (prefers-color-scheme: dark) { :root { --bg: #16181b; --card: #1e2125; --ink: #e8e9ea; --soft: #a6abb3; --line: #353a41;
  --good: #7fd8a0; --good-bg: #17342a; --own: #94c0f5; --own-bg: #1a2d45; --bad: #ff9c93; --bad-bg: #43201e; --warn: #f0c36b; --warn-bg: #3b2f16; } }
* { box-sizing: border-box; }
body { margin: 0; background: var(--bg); color: var(--ink); font: 16px/1.55 system-ui, -apple-system, "Segoe UI", Roboto, "DejaVu Sans", sans-serif; }
a { color: var(--own); }
main, header, footer { max-width: 68rem; margin: 0 auto; padding: 0 1.25rem; }
header { padding-top: 3rem; }
h1 { font-size: 2.1rem; line-height: 1.15; margin: 0 0 .25rem; letter-spacing: -.02em; }
h2 { font-size: 1.2rem; margin: 3rem 0 .8rem; }
h3 { font-size: 1.05rem; margin: 0; display: flex; flex-wrap: wrap; gap: .6rem; align-items: center; }
p { margin: .4rem 0; max-width: 46rem; }
.lead { font-size: 1.12rem; }
.soft { color: var(--soft); }
code, pre, .digest { font: .86em/1.5 ui-monospace, SFMono-Regular, Menlo, "DejaVu Sans Mono", monospace; }
.digest { overflow-wrap: anywhere; }
.scroll { overflow-x: auto; }
table { border-collapse: collapse; width: 100%; }
th, td { text-align: left; padding: .55rem .8rem .55rem 0; border-bottom: 1px solid var(--line); vertical-align: top; }
thead th { font-size: .8rem; font-weight: 600; color: var(--soft); }
.matrix td.level { text-align: center; }
.matrix thead th.level { text-align: center; }
.mark { display: inline-block; width: 1.5rem; height: 1.5rem; border-radius: 50%; line-height: 1.5rem; text-align: center; font-size: .85rem; font-weight: 700; }
.yes { background: var(--good-bg); color: var(--good); }
.no { color: var(--soft); border: 1px solid var(--line); line-height: 1.4rem; }
.badge { display: inline-block; padding: .1rem .6rem; border-radius: 1rem; font-size: .85rem; font-weight: 600; white-space: nowrap; }
.identical, .equivalent { background: var(--good-bg); color: var(--good); }
.extended { background: var(--own-bg); color: var(--own); border-radius: .25rem; }
.different, .build-failed { background: var(--bad-bg); color: var(--bad); }
.drift, .upstream-unavailable { background: var(--warn-bg); color: var(--warn); }
section.card { background: var(--card); border: 1px solid var(--line); border-radius: .6rem; padding: 1.25rem 1.4rem; margin: 0 0 1.1rem; }
dl { display: grid; grid-template-columns: max-content 1fr; gap: .3rem 1.2rem; margin: 1rem 0; }
dt { color: var(--soft); } dd { margin: 0; min-width: 0; }
@media (max-width: 40rem) { dl { grid-template-columns: 1fr; gap: 0; } dd { margin-bottom: .5rem; } header { padding-top: 1.5rem; } }
details { margin-top: .8rem; } summary { cursor: pointer; font-weight: 600; }
summary:focus-visible, a:focus-visible { outline: 3px solid var(--own); outline-offset: 2px; }
pre { background: var(--bg); border: 1px solid var(--line); border-radius: .4rem; padding: .9rem; overflow-x: auto; max-height: 32rem; margin: .6rem 0; }
svg { display: block; max-width: 34rem; width: 100%; height: auto; margin: .8rem 0; }
svg text { fill: var(--ink); font: 13px system-ui, sans-serif; } svg rect { fill: var(--own); } svg rect.reused { fill: var(--line); }
footer { padding-top: 2rem; padding-bottom: 3rem; color: var(--soft); font-size: .9rem; }
`;
