import type { Difference } from "../../../compare/types.ts";
import { html, type Markup } from "../../html/markup.ts";
import { weights } from "../words.ts";

/** A class of differences with a weight: what the page can be narrowed to. */
export interface Kind {
  readonly class: string;
  readonly weight: Difference["weight"];
}

/** The page's filter: its controls, the style that makes them work, and the tokens of what they show. */
export interface Filter {
  readonly controls: Markup;
  /** Rules without anything in them that comes from an image. */
  readonly style: string;
  /** The value of a class attribute for what is of these kinds. */
  tokens(kinds: Iterable<Kind>): string;
}

/** Classes that get a control of their own; the rest is shown by weight only. */
const maxClasses = 60;
/** Kinds that rules are written for; others are shown when all is. */
const maxKinds = 300;

/**
 * A filter by weight (one of, or all) and by class (any of those ticked, or all), which
 * needs no script: rules with `:has()` (Selectors Level 4, 4.5) hide what is not asked for.
 */
export function createFilter(differences: readonly Difference[]): Filter {
  const sums = new Map<string, { readonly kind: Kind; count: number }>();
  for (const { class: name, weight, count } of differences) {
    const key = keyOf({ class: name, weight });
    const known = sums.get(key);
    if (known) known.count += count;
    else sums.set(key, { kind: { class: name, weight }, count });
  }
  const kinds = [...sums.values()].toSorted((a, b) => order(a.kind, b.kind)).slice(0, maxKinds);
  const numbers = new Map(kinds.map(({ kind }, position) => [keyOf(kind), position]));
  const classes = [...new Set(kinds.map(({ kind }) => kind.class))].slice(0, maxClasses);
  return {
    controls: controls(kinds, classes),
    style: [hide, ...kinds.map(({ kind }, position) => showRule(kind, position, classes))].join("\n"),
    tokens: (given) => {
      const known = [...given].flatMap((kind) => numbers.get(keyOf(kind)) ?? []);
      return ["kind", ...[...new Set(known)].toSorted((a, b) => a - b).map((number) => `k${number}`)].join(" ");
    },
  };
}

function keyOf({ class: name, weight }: Kind): string {
  return `${weight} ${name}`;
}

function order(a: Kind, b: Kind): number {
  return weights.indexOf(a.weight) - weights.indexOf(b.weight) || (a.class < b.class ? -1 : a.class > b.class ? 1 : 0);
}

const hide = "main:has(.narrows:checked) .kind { display: none; }";

function showRule({ class: name, weight }: Kind, position: number, classes: readonly string[]): string {
  const ofClass = classes.indexOf(name);
  const ticked = ofClass === -1 ? [] : [`main:has(#class-${ofClass}:checked)`];
  const selectors = [
    ...ticked.flatMap((rule) => [`${rule}:has(#weight-all:checked)`, `${rule}:has(#weight-${weight}:checked)`]),
    `main:not(:has(.class:checked)):has(#weight-${weight}:checked)`,
  ];
  return `${selectors.map((selector) => `${selector} .k${position}`).join(", ")} { display: var(--as); }`;
}

function controls(
  kinds: readonly { readonly kind: Kind; readonly count: number }[],
  classes: readonly string[],
): Markup {
  if (kinds.length < 2) return html``;
  const total = (of: (kind: Kind) => boolean): number =>
    kinds.reduce((sum, { kind, count }) => sum + (of(kind) ? count : 0), 0);
  const present = weights.filter((weight) => kinds.some(({ kind }) => kind.weight === weight));
  return html`<section class="card filter" aria-label="Filter">
<fieldset><legend>Show</legend>
<label><input type="radio" name="weight" id="weight-all" checked> everything</label>
${present.map(
  (weight) =>
    html`<label><input type="radio" name="weight" id="weight-${weight}" class="narrows"> <span class="weight ${weight}">${weight}</span> <span class="soft">${total((kind) => kind.weight === weight)}</span></label>
`,
)}</fieldset>
${
  classes.length > 1 &&
  html`<details><summary>By class</summary><fieldset><legend class="unseen">Only these classes</legend>
${classes.map(
  (name, position) =>
    html`<label><input type="checkbox" id="class-${position}" class="narrows class"> <code>${name}</code> <span class="soft">${total((kind) => kind.class === name)}</span></label>
`,
)}</fieldset></details>`
}
</section>
`;
}
