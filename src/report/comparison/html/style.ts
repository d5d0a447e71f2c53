import type { Comparison } from "../../../compare/types.ts";
import { style as pageStyle } from "../../html/style.ts";

const ownStyle = `
.index, .index-core, .manifest, .config, .layers, .entries, .filesystem, .explained { background: var(--good-bg); color: var(--good); }
.benign { background: var(--track); color: var(--soft); } .unexplained { background: var(--bad-bg); color: var(--bad); border-radius: .3rem; }
.filter { border: 1px solid var(--line); border-radius: .65rem; padding: .8rem 1.2rem; display: flex; flex-wrap: wrap; gap: .3rem 1.2rem; margin: 0 0 1.2rem; }
.filter legend { color: var(--soft); padding: 0 .4rem; } .filter label { display: inline-flex; gap: .4rem; align-items: center; }
.tree ul { list-style: none; margin: 0; padding-left: 1.1rem; border-left: 1px solid var(--line); } .tree > ul { border: 0; padding: 0; }
.tree li { margin: .2rem 0; min-width: 0; } .tree details { margin: 0; } .tree summary { font-weight: 400; width: auto; overflow-wrap: anywhere; }
.tree .folder > summary { font-weight: 600; } .tree .badge { font-size: .74rem; padding: 0 .5rem; margin-left: .3rem; white-space: normal; }
.sides { width: 100%; table-layout: fixed; font-family: ui-monospace, SFMono-Regular, Menlo, Consolas, "DejaVu Sans Mono", monospace; font-size: .78rem; margin: .5rem 0; }
.sides td, .sides th { padding: .05rem .5rem; border: 0; white-space: pre-wrap; overflow-wrap: anywhere; vertical-align: top; }
.sides .at { width: 4.5rem; color: var(--soft); text-align: right; }
.sides .old { background: var(--bad-bg); } .sides .new { background: var(--good-bg); }
.sides mark { background: none; color: inherit; font-weight: 700; text-decoration: underline; }
.facts th { white-space: nowrap; } .facts td { overflow-wrap: anywhere; } .facts .other td { font-weight: 600; }
.warning { color: var(--warn); }
@media (max-width: 46rem) { .sides .at { display: none; } .tree ul { padding-left: .6rem; } .facts, .facts tbody, .facts tr, .facts th, .facts td { display: block; padding: .1rem 0; border: 0; } .facts thead { display: none; } }
`;

/** The name under which the page filters by a class of differences. */
export function filterName(name: string): string {
  return name.replaceAll(/[^a-z0-9-]/g, "-");
}

/** What a page can be filtered by: weights, then classes. */
export function filtersOf(comparison: Comparison): { readonly weights: string[]; readonly classes: string[] } {
  const shown = comparison.platforms
    .flatMap(({ differences }) => differences)
    .filter(({ scope }) => scope === "filesystem");
  const names = (list: readonly string[]): string[] => [...new Set(list)].toSorted();
  return { weights: names(shown.map(({ weight }) => weight)), classes: names(shown.map((found) => found.class)) };
}

/** The page's style, with a rule for each thing that it can be filtered by: it needs no script. */
export function styleOf(comparison: Comparison): string {
  const { weights, classes } = filtersOf(comparison);
  const rule = (id: string, kept: string): string =>
    `body:has(#${id}:checked) .tree .leaf:not(.${kept}), body:has(#${id}:checked) .tree .folder:not(:has(.${kept})) { display: none; }`;
  return [
    pageStyle,
    ownStyle,
    ...weights.map((name) => rule(`show-weight-${filterName(name)}`, `weight-${filterName(name)}`)),
    ...classes.map((name) => rule(`show-class-${filterName(name)}`, `class-${filterName(name)}`)),
  ].join("\n");
}
