import type { FileEvidence, PlatformEvidence } from "../../../compare/evidence/types.ts";
import type { PlatformComparison } from "../../../compare/types.ts";
import { html, type Markup } from "../../html/markup.ts";
import { showSides } from "./shown.ts";
import { filterName } from "./style.ts";

interface Leaf {
  readonly path: string;
  readonly classes: readonly string[];
  readonly weight: string;
  readonly evidence?: FileEvidence;
}

interface Folder {
  readonly folders: Map<string, Folder>;
  readonly leaves: Leaf[];
}

/** Deeper than this a tree is drawn flat: nobody opens a hundred folders. */
const maxDepth = 24;

/** The paths that differ as a tree of folders; each file opens to what differs in it. */
export function differenceTree(platform: PlatformComparison, evidence: PlatformEvidence | undefined): Markup {
  const leaves = leavesOf(platform, evidence);
  if (leaves.length === 0) return html``;
  const root: Folder = { folders: new Map(), leaves: [] };
  for (const leaf of leaves) place(root, leaf);
  const rest = evidence?.omitted ?? 0;
  return html`<div class="tree" role="group" aria-label="Paths that differ on ${platform.platform}">${folderList(root)}</div>
${rest > 0 && html`<p class="soft">${rest} more paths differ; the table counts them, and the JSON output names up to 100 of each class.</p>`}`;
}

function leavesOf(platform: PlatformComparison, evidence: PlatformEvidence | undefined): Leaf[] {
  const leaves = new Map<string, Leaf>();
  for (const file of evidence?.files ?? [])
    leaves.set(file.path, { path: file.path, classes: file.classes, weight: file.weight, evidence: file });
  for (const { scope, paths, weight, class: name } of platform.differences) {
    if (scope !== "filesystem") continue;
    for (const path of paths) if (!leaves.has(path)) leaves.set(path, { path, classes: [name], weight });
  }
  return [...leaves.values()].toSorted((a, b) => (a.path < b.path ? -1 : 1));
}

function place(root: Folder, leaf: Leaf): void {
  const names = leaf.path.split("/").slice(1, -1).slice(0, maxDepth);
  let folder = root;
  for (const name of names) {
    const next = folder.folders.get(name) ?? { folders: new Map(), leaves: [] };
    folder.folders.set(name, next);
    folder = next;
  }
  folder.leaves.push(leaf);
}

function folderList({ folders, leaves }: Folder): Markup {
  return html`<ul>${[...folders].map(
    ([name, folder]) =>
      html`<li class="folder"><details class="folder" open><summary>${name}/ <span class="soft">${countLeaves(folder)}</span></summary>${folderList(folder)}</details></li>`,
  )}${leaves.map(leafItem)}</ul>`;
}

function countLeaves({ folders, leaves }: Folder): number {
  return leaves.length + [...folders.values()].reduce((sum, folder) => sum + countLeaves(folder), 0);
}

function leafItem({ path, classes, weight, evidence }: Leaf): Markup {
  const name =
    path
      .split("/")
      .slice(1)
      .slice(Math.min(maxDepth, path.split("/").length - 2))
      .join("/") || "/";
  const marks = classes.map((found) => html`<span class="badge ${weight}">${found}</span>`);
  const filters = [...classes.map((found) => `class-${filterName(found)}`), `weight-${filterName(weight)}`].join(" ");
  if (!evidence) return html`<li class="leaf ${filters}">${name}${marks}</li>`;
  return html`<li class="leaf ${filters}"><details><summary>${name}${marks}</summary>${facts(evidence)}${evidence.shown && showSides(evidence.shown, `What differs in ${path}`)}</details></li>`;
}

function facts({ left, right, path }: FileEvidence): Markup {
  if (!left || !right)
    return html`<p class="soft">Only the ${left ? "first" : "second"} image has it.</p>${factTable(left ?? right ?? {}, undefined, path)}`;
  return factTable(left, right, path);
}

function factTable(
  left: Readonly<Record<string, string>>,
  right: Readonly<Record<string, string>> | undefined,
  path: string,
): Markup {
  const names = [...new Set([...Object.keys(left), ...Object.keys(right ?? {})])];
  return html`<table class="facts" aria-label="Attributes of ${path}"><tbody>${names.map((name) => {
    const isOther = right !== undefined && left[name] !== right[name];
    return html`<tr class="${isOther && "other"}"><th scope="row" class="soft">${name}</th><td>${left[name]}</td>${right && html`<td>${isOther ? right[name] : html`<span class="soft">the same</span>`}</td>`}</tr>`;
  })}</tbody></table>`;
}
