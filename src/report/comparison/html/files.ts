import type { FileEvidence, PlatformEvidence } from "../../../compare/evidence/types.ts";
import type { PlatformComparison } from "../../../compare/types.ts";
import { html, type Markup } from "../../html/markup.ts";
import { digest } from "../../html/parts.ts";
import { visible, visiblePath } from "../visible.ts";
import { plural, weights } from "../words.ts";
import type { Filter, Kind } from "./filter.ts";
import { fits, type Room, share } from "./room.ts";
import { drawShown } from "./shown.ts";
import { type Folder, growTree, type Leaf, leavesOf, type Named } from "./tree.ts";

const nameCharacters = 300;
const factCharacters = 400;
const maxFacts = 24;
/** Elements round a leaf and its share of the folders above it, in bytes. */
const leafBytes = 160;
/** Leaves of a platform that are drawn; those without an explanation come first. */
const maxLeaves = 4000;
/** How much of a platform's room the tree may take beside what is in it. */
const leafShare = 0.4;
/** Folders begin unfolded where there is no more than this in the tree. */
const fewLeaves = 12;

/** What the drawing of a tree needs besides the tree. */
interface Drawing {
  readonly filter: Filter;
  /** What each file's content came to, by path; drawn before the tree, in the order that matters. */
  readonly bodies: ReadonlyMap<string, Markup>;
  readonly unfolded: boolean;
}

/** The files of a platform that differ, as a tree of folders with what is to be seen of each. */
export function filesOf(
  { differences }: PlatformComparison,
  evidence: PlatformEvidence | undefined,
  filter: Filter,
  room: Room,
): Markup {
  const all = leavesOf(differences, evidence);
  if (all.length === 0) return html``;
  const ranked = all.toSorted((a, b) => rank(a) - rank(b)).slice(0, maxLeaves);
  const kept = share(room, room.left * leafShare, (own) => ranked.filter((leaf) => fits(own, drawLeafAlone(leaf))));
  const bodies = new Map<string, Markup>();
  for (const { path, evidence: file } of kept) {
    const body = file && drawBody(file, room);
    if (body) bodies.set(path, body);
  }
  const tree = growTree(kept.toSorted((a, b) => (a.path < b.path ? -1 : 1)));
  const more = unlisted(kept.length, all.length, { differences, evidence });
  return html`<h4>Files</h4>
${insideOf(tree, { filter, bodies, unfolded: kept.length <= fewLeaves })}${more}`;
}

function rank({ kinds, evidence }: Leaf): number {
  const worst = Math.min(weights.length, ...kinds.map(({ weight }) => weights.indexOf(weight)));
  return worst * 2 + (evidence ? 0 : 1);
}

/** Without evidence only so much is known: differences name up to a hundred paths of each class. */
function unlisted(listed: number, known: number, { differences, evidence }: Known): Markup {
  const total = Math.max(known, evidence ? evidence.files.length + evidence.omitted : 0);
  if (listed < total) return html`<p class="soft">${listed} of ${total} paths that differ are listed here.</p>`;
  if (evidence || differences.every(({ count, paths }) => paths.length === 0 || count === paths.length)) return html``;
  return html`<p class="soft">Not every path that differs is listed here; the counts of each class are above.</p>`;
}

interface Known {
  readonly differences: PlatformComparison["differences"];
  readonly evidence: PlatformEvidence | undefined;
}

function insideOf({ folders, leaves }: Folder, drawing: Drawing): Markup {
  return html`${folders.map((folder) => drawFolder(folder, drawing))}${leaves.map((named) => drawLeaf(named, drawing))}`;
}

function drawFolder(folder: Folder, drawing: Drawing): Markup {
  const open = drawing.unfolded ? html` open` : html``;
  return html`<details class="folder ${drawing.filter.tokens(kindsBelow(folder))}"${open}><summary><span class="name">${visiblePath(folder.name, nameCharacters)}/</span> <span class="soft">${plural(folder.count, "path")}</span></summary><div class="inside">
${insideOf(folder, drawing)}</div></details>
`;
}

function kindsBelow({ folders, leaves }: Folder): Kind[] {
  return [...folders.flatMap(kindsBelow), ...leaves.flatMap(({ leaf }) => leaf.kinds)];
}

function drawLeaf(named: Named, { filter, bodies }: Drawing): Markup {
  const body = bodies.get(named.leaf.path);
  const tokens = filter.tokens(named.leaf.kinds);
  const summary = summaryOf(named);
  return body
    ? html`<details class="leaf ${tokens}"><summary>${summary}</summary><div class="inside">${body}</div></details>
`
    : html`<div class="leaf ${tokens}">${summary}</div>
`;
}

function summaryOf({ name, leaf }: Named): Markup {
  return html`<span class="name">${visiblePath(name === "" ? "/" : name, nameCharacters)}</span>${leaf.kinds
    .slice(0, 6)
    .map(({ class: kind, weight }) => html` <span class="weight ${weight}">${visible(kind, 60)}</span>`)}`;
}

/** What a leaf takes at most, with the folders above it: for every leaf its own, which is seldom so. */
function drawLeafAlone(leaf: Leaf): Markup {
  const wrapper = "x".repeat(leafBytes);
  return html`${wrapper}${summaryOf({ name: leaf.path, leaf })}`;
}

/** What each side has at a path, and what differs in the content. */
function drawBody(file: FileEvidence, room: Room): Markup | undefined {
  const facts = drawFacts(file);
  if (!fits(room, facts)) return undefined;
  const name = visiblePath(file.path, 80);
  return html`${facts}${file.shown && drawShown(file.shown, name, room)}`;
}

function drawFacts({ path, left, right }: FileEvidence): Markup {
  if (!left && !right) return html`<p class="soft">Nothing more is known of this path.</p>`;
  const names = [...new Set([...Object.keys(left ?? {}), ...Object.keys(right ?? {})])];
  const [mine, theirs] = [new Map(Object.entries(left ?? {})), new Map(Object.entries(right ?? {}))];
  const shown = names.filter((name) => mine.get(name) !== theirs.get(name)).slice(0, maxFacts);
  if (shown.length === 0) return html`<p class="soft">Type, mode, owner and links are the same.</p>`;
  if (!left || !right)
    return html`<p>Only the ${left ? "first" : "second"} image has it.</p>${dl(shown, left ? mine : theirs)}`;
  return html`<table role="table" class="facts" aria-label="${visiblePath(path, 80)}"><thead role="rowgroup"><tr role="row"><th scope="col" role="columnheader">Differs in</th><th scope="col" role="columnheader">First image</th><th scope="col" role="columnheader">Second image</th></tr></thead><tbody role="rowgroup">
${shown.map(
  (
    name,
  ) => html`<tr role="row"><th scope="row" role="rowheader">${visible(name, 60)}</th><td role="cell"><span class="label" aria-hidden="true">first</span>${fact(mine.get(name))}</td><td role="cell"><span class="label" aria-hidden="true">second</span>${fact(theirs.get(name))}</td></tr>
`,
)}</tbody></table>`;
}

function dl(names: readonly string[], values: ReadonlyMap<string, string>): Markup {
  return html`<dl>${names.map((name) => html`<dt>${visible(name, 60)}</dt><dd>${fact(values.get(name))}</dd>`)}</dl>`;
}

function fact(value: string | undefined): Markup {
  if (value === undefined) return html`<span class="soft">none</span>`;
  return /^[0-9a-f]{64}$/.test(value) ? digest(value) : html`<code>${visible(value, factCharacters)}</code>`;
}
