import { createHash } from "node:crypto";
import type { Evidence } from "../../../compare/evidence/types.ts";
import { type Comparison, type PlatformComparison, platformLevels } from "../../../compare/types.ts";
import { html, type Markup, raw } from "../../html/markup.ts";
import { style } from "../../html/style.ts";
import { visible } from "../visible.ts";
import { conclude, everyDifference, plural } from "../words.ts";
import { createFilter, type Filter } from "./filter.ts";
import { anchorAt, differenceTable, levelBadge, platformSection } from "./platform.ts";
import { type Room, share } from "./room.ts";
import { comparisonStyle } from "./style.ts";

/** What the page may come to, in bytes, beside its frame and style. */
const maxBytes = 4_300_000;
const maxSections = 64;
const maxRows = 256;

/**
 * One self-contained page about a comparison: platforms and levels, every class of
 * differences, packages, and a tree of the files that differ with what is to be seen of
 * them. It loads nothing, runs no script, allows no style but its own, and is the same
 * bytes for the same input. It stays under 5 MB: what there is no room for is left out,
 * explained differences before unexplained ones.
 */
export function renderComparisonPage(comparison: Comparison, evidence: Evidence): string {
  const { title, sentence } = conclude(comparison);
  const filter = createFilter(everyDifference(comparison));
  const room: Room = { left: maxBytes };
  const ownStyle = `${style}${comparisonStyle}${filter.style}`;
  const [left, right] = [visible(comparison.left, 300), visible(comparison.right, 300)];
  const page = html`<!doctype html>
<html lang="en">
<head>
<meta charset="utf-8">
<meta http-equiv="Content-Security-Policy" content="${policy(ownStyle)}">
<meta name="viewport" content="width=device-width, initial-scale=1">
<meta name="color-scheme" content="light dark">
<meta name="referrer" content="no-referrer">
<link rel="icon" href="data:,">
<title>${title} – refoundry</title>
<style>${raw(ownStyle)}</style>
</head>
<body class="comparison">
<a class="skip" href="#main">To the platforms</a>
<header>
<p class="kicker">refoundry comparison</p>
<h1>${title}</h1>
<p class="lead">${sentence}.</p>
<dl>
<dt>First image</dt><dd><span class="word">${left}</span></dd>
<dt>Second image</dt><dd><span class="word">${right}</span></dd>
</dl>
</header>
<main id="main">
<section aria-labelledby="glance">
<h2 id="glance">Levels at a glance</h2>
<div class="card">${matrix(comparison)}${unmatched(comparison)}</div>
</section>
${filter.controls}
${indexSection(comparison, filter, room)}
<section aria-labelledby="platforms">
<h2 id="platforms">Platforms</h2>
${sections(comparison, evidence, filter, room)}</section>
</main>
<footer><p>A difference is explained when both sides, normalised by its class, are the same bytes, or when a waiver answers for it. Drift belongs to packages of other versions. What has no explanation counts against equality.</p></footer>
</body>
</html>
`;
  return page.markup;
}

/** What the page may load: nothing but its own style, named by hash, and the empty icon. */
function policy(ownStyle: string): string {
  const hash = createHash("sha256").update(ownStyle).digest("base64");
  return `default-src 'none'; style-src 'sha256-${hash}'; img-src data:; base-uri 'none'; form-action 'none'`;
}

/** Platforms as rows, levels of equality as columns, strongest first. */
function matrix({ platforms }: Comparison): Markup {
  if (platforms.length === 0) return html`<p class="soft">No platform is in both images.</p>`;
  const shown = platforms.slice(0, maxRows);
  return html`<table role="table" class="matrix" aria-labelledby="glance">
<thead role="rowgroup"><tr role="row"><th scope="col" role="columnheader">Platform</th><th scope="col" role="columnheader">Result</th><th scope="col" role="columnheader">Unexplained</th>${platformLevels.map((level) => html`<th scope="col" role="columnheader" class="level">${level}</th>`)}</tr></thead>
<tbody role="rowgroup">
${shown.map(matrixRow)}</tbody></table>${platforms.length > shown.length && html`<p class="soft">and ${plural(platforms.length - shown.length, "more platform")}</p>`}`;
}

function matrixRow(platform: PlatformComparison, position: number): Markup {
  const name = visible(platform.platform, 80);
  const link = position < maxSections ? html`<a href="#${anchorAt(position)}">${name}</a>` : name;
  const cells = platformLevels.map((level) => {
    const mark = platform.levels[level]
      ? html`<span class="mark yes" role="img" aria-label="equal">✓</span>`
      : html`<span class="mark no" role="img" aria-label="not equal">–</span>`;
    return html`<td role="cell" class="level"><span class="label" aria-hidden="true">${level}</span>${mark}</td>`;
  });
  return html`<tr role="row"><th scope="row" role="rowheader">${link}</th><td role="cell" class="verdict">${levelBadge(platform.level)}</td><td role="cell" class="whose"><span class="label" aria-hidden="true">unexplained: </span>${platform.unexplained}</td>${cells}</tr>
`;
}

function unmatched({ onlyLeft, onlyRight }: Comparison): Markup {
  const only = (which: string, platforms: readonly string[]): Markup =>
    platforms.length === 0
      ? html``
      : html`<p><strong class="bad">Only the ${which} image has</strong> ${platforms
          .slice(0, maxSections)
          .map((platform) => visible(platform, 80))
          .join(", ")}${platforms.length > maxSections && ` and ${platforms.length - maxSections} more`}</p>`;
  return html`${only("first", onlyLeft)}${only("second", onlyRight)}`;
}

function indexSection({ differences }: Comparison, filter: Filter, room: Room): Markup {
  if (differences.length === 0) return html``;
  return html`<section aria-labelledby="index">
<h2 id="index">The index</h2>
<div class="card">${share(room, room.left / 4, (own) => differenceTable(differences, "Differences of the index", filter, own))}</div>
</section>`;
}

function sections({ platforms }: Comparison, evidence: Evidence, filter: Filter, room: Room): Markup {
  const seen = new Map(evidence.platforms.map((platform) => [platform.platform, platform]));
  const shown = platforms.slice(0, maxSections);
  const drawn = shown.map((platform, position) =>
    share(room, room.left / (shown.length - position), (own) =>
      platformSection(platform, seen.get(platform.platform), position, filter, own),
    ),
  );
  return html`${drawn}${platforms.length > shown.length && html`<p class="soft">and ${plural(platforms.length - shown.length, "more platform")}, for which there is no room</p>`}`;
}
