import type { PlatformEvidence } from "../../../compare/evidence/types.ts";
import {
  type Difference,
  type PackageDrift,
  type PlatformComparison,
  type PlatformHeadline,
} from "../../../compare/types.ts";
import { html, type Markup } from "../../html/markup.ts";
import { visible, visiblePath } from "../visible.ts";
import { countByWeight, describeVersions, isEqual, plural, weights } from "../words.ts";
import { filesOf } from "./files.ts";
import type { Filter } from "./filter.ts";
import { layersOf } from "./layers.ts";
import { drawWhatFits, type Room } from "./room.ts";
import { drawShown } from "./shown.ts";

const limits = { differences: 120, paths: 5, packages: 200, warnings: 50, normalisers: 100 } as const;

/** The level that a platform reaches, in words, colour and shape. */
export function levelBadge(level: PlatformHeadline): Markup {
  const [look, mark] = isEqual({ level })
    ? [level === "explained" ? "explained-level" : "identical", "✓"]
    : level === "drift"
      ? ["drift", "~"]
      : ["different", "≠"];
  return html`<span class="badge ${look}"><span aria-hidden="true">${mark}</span> ${level}</span>`;
}

/** The fragment name of a platform's section; names from an image are not in it. */
export function anchorAt(position: number): string {
  return `platform-${position}`;
}

/** Everything about one platform: digests, warnings, differences, packages, documents, layers, files. */
export function platformSection(
  platform: PlatformComparison,
  evidence: PlatformEvidence | undefined,
  position: number,
  filter: Filter,
  room: Room,
): Markup {
  const id = anchorAt(position);
  const name = visible(platform.platform, 80);
  const { differences, left, right } = platform;
  return html`<section class="card" id="${id}" aria-labelledby="${id}-title">
<h3 id="${id}-title">${name} ${levelBadge(platform.level)}</h3>
<p>${counts(differences)}</p>
${warnings(platform.warnings, room)}
${differenceTable(differences, `Differences of ${name}`, filter, room)}
${packageTable(platform.packages, name, room)}
${layersOf(left, right, name, room)}
${documents(evidence, name, room)}
${filesOf(platform, evidence, filter, room)}
${normalisers(platform)}
</section>
`;
}

/** Differences by class, unexplained ones first. */
export function differenceTable(differences: readonly Difference[], name: string, filter: Filter, room: Room): Markup {
  if (differences.length === 0) return html``;
  const sorted = differences.toSorted((a, b) => weights.indexOf(a.weight) - weights.indexOf(b.weight));
  const row = (
    difference: Difference,
  ): Markup => html`<tr role="row" class="${filter.tokens([difference])}"><th scope="row" role="rowheader"><code>${visible(difference.class, 60)}</code></th><td role="cell"><span class="weight ${difference.weight}">${difference.proof === "declared" ? "declared" : difference.weight}</span></td><td role="cell"><span class="label" aria-hidden="true">Count</span>${difference.count}</td><td role="cell">${detailOf(difference)}</td></tr>
`;
  const rows = drawWhatFits(room, sorted, row, limits.differences);
  return html`<table role="table" class="stack differences" aria-label="${name}"><thead role="rowgroup"><tr role="row"><th scope="col" role="columnheader">Class</th><th scope="col" role="columnheader">Weight</th><th scope="col" role="columnheader">Count</th><th scope="col" role="columnheader">What differs</th></tr></thead><tbody role="rowgroup">
${rows}</tbody></table>${differences.length > rows.length && html`<p class="soft">and ${plural(differences.length - rows.length, "more class", "more classes")}</p>`}`;
}

function detailOf({ detail, paths, count, waiver }: Difference): Markup {
  const shown = paths.slice(0, limits.paths);
  return html`<div>${visible(detail, 400)}${
    waiver &&
    html`<br>declared by ${visible(waiver.owner, 80)} until ${visible(waiver.expires, 20)}: ${visible(waiver.reason, 400)}`
  }${
    shown.length > 0 &&
    html`<ul class="paths">${shown.map((path) => html`<li>${visiblePath(path, 160)}</li>`)}${count > shown.length && html`<li class="soft">and ${count - shown.length} more</li>`}</ul>`
  }</div>`;
}

function counts(differences: readonly Difference[]): Markup {
  if (differences.length === 0) return html`<span class="soft">No difference.</span>`;
  const byWeight = countByWeight(differences);
  const present = weights.filter((weight) => byWeight[weight] > 0);
  return html`${present.map((weight) => html`<span class="weight ${weight}">${byWeight[weight]} ${weight}</span> `)}`;
}

function warnings(all: readonly string[], room: Room): Markup {
  if (all.length === 0) return html``;
  const items = drawWhatFits(room, all, (warning) => html`<li>${visible(warning, 400)}</li>`, limits.warnings);
  return html`<ul class="warnings" aria-label="Warnings">${items}${all.length > items.length && html`<li>and ${all.length - items.length} more</li>`}</ul>`;
}

function packageTable(packages: readonly PackageDrift[], name: string, room: Room): Markup {
  if (packages.length === 0) return html``;
  const row = (
    drift: PackageDrift,
  ): Markup => html`<tr role="row"><th scope="row" role="rowheader"><code>${visible(drift.name, 80)}</code></th><td role="cell"><span class="label" aria-hidden="true">Database</span>${drift.database}</td><td role="cell"><span class="label" aria-hidden="true">Version</span><code>${visible(describeVersions(drift), 200)}</code></td></tr>
`;
  const rows = drawWhatFits(room, packages, row, limits.packages);
  return html`<details><summary>${plural(packages.length, "package")} of ${packages.length === 1 ? "another version" : "other versions"}</summary><table role="table" class="stack" aria-label="Packages of ${name}"><thead role="rowgroup"><tr role="row"><th scope="col" role="columnheader">Package</th><th scope="col" role="columnheader">Database</th><th scope="col" role="columnheader">Version</th></tr></thead><tbody role="rowgroup">
${rows}</tbody></table>${packages.length > rows.length && html`<p class="soft">and ${packages.length - rows.length} more</p>`}</details>
`;
}

/** What an explanation rests on. */
function normalisers({ normalisers: used }: PlatformComparison): Markup {
  if (used.length === 0) return html``;
  const names = used.slice(0, limits.normalisers).map((found) => `${visible(found.class, 60)} ${found.version}`);
  return html`<p class="note">Normalisers that explanations rest on, with their versions: ${names.join(", ")}</p>`;
}

function documents(evidence: PlatformEvidence | undefined, name: string, room: Room): Markup {
  return html`${evidence?.documents.map(
    ({ name: kind, shown }) =>
      html`<details><summary>The ${kind}, side by side</summary>${drawShown(shown, `${kind} of ${name}`, room)}</details>
`,
  )}`;
}
