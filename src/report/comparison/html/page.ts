import { createHash } from "node:crypto";
import type { Evidence, PlatformEvidence } from "../../../compare/evidence/types.ts";
import type { Comparison, Difference, PackageDrift, PlatformComparison } from "../../../compare/types.ts";
import { html, type Markup, raw } from "../../html/markup.ts";
import { digest, table } from "../../html/parts.ts";
import { countWeights, describeVersions, headline } from "../words.ts";
import { showSides } from "./shown.ts";
import { filterName, filtersOf, styleOf } from "./style.ts";
import { differenceTree } from "./tree.ts";

const shownPaths = 20;

/**
 * One self-contained page about a comparison. It loads nothing, runs no script, allows no
 * style but its own, and is the same bytes for the same comparison.
 */
export function renderComparisonPage(comparison: Comparison, evidence: Evidence): string {
  const style = styleOf(comparison);
  const page = html`<!doctype html>
<html lang="en">
<head>
<meta charset="utf-8">
<meta http-equiv="Content-Security-Policy" content="${policy(style)}">
<meta name="viewport" content="width=device-width, initial-scale=1">
<meta name="color-scheme" content="light dark">
<meta name="referrer" content="no-referrer">
<link rel="icon" href="data:,">
<title>${comparison.level} – refoundry compare</title>
<style>${raw(style)}</style>
</head>
<body>
<a class="skip" href="#main">To the platforms</a>
<header>
<p class="kicker">refoundry compare</p>
<h1>${headline(comparison)}</h1>
<dl><dt>First image</dt><dd>${comparison.left}</dd><dt>Second image</dt><dd>${comparison.right}</dd></dl>
</header>
<main id="main">
<section aria-labelledby="glance"><h2 id="glance">At a glance</h2><div class="card">${glance(comparison)}</div></section>
${comparison.differences.length > 0 && html`<section aria-labelledby="index"><h2 id="index">The indexes</h2><div class="card">${differenceTable("Differences of the indexes", comparison.differences)}</div></section>`}
<section aria-labelledby="platforms"><h2 id="platforms">Platforms</h2>
${filter(comparison)}
${comparison.platforms.map((platform) =>
  section(
    platform,
    evidence.platforms.find((found) => found.platform === platform.platform),
  ),
)}</section>
</main>
<footer><p>What is explained was proved: both sides, normalised by the class that is named, are the same bytes. What is declared has somebody who answers for it until a day.</p></footer>
</body>
</html>
`;
  return page.markup;
}

/** What the page may load: nothing but its own style, named by hash, and the empty icon. */
function policy(style: string): string {
  const hash = createHash("sha256").update(style).digest("base64");
  return `default-src 'none'; style-src 'sha256-${hash}'; img-src data:; base-uri 'none'; form-action 'none'`;
}

function glance({ platforms, onlyLeft, onlyRight }: Comparison): Markup {
  const rows = table<PlatformComparison>(
    "Platforms",
    [
      { title: "Platform", cell: (row) => html`<a href="#${anchor(row)}">${row.platform}</a>` },
      { title: "Level", cell: (row) => html`<span class="badge ${row.level}">${row.level}</span>` },
      { title: "Unexplained", cell: (row) => html`${countWeights(row).unexplained}` },
      { title: "Drift", cell: (row) => html`${countWeights(row).drift}` },
      { title: "Explained", cell: (row) => html`${countWeights(row).explained}` },
    ],
    platforms,
  );
  const only = (which: string, names: readonly string[]): Markup | false =>
    names.length > 0 && html`<p class="bad">Only the ${which} image has ${names.join(", ")}.</p>`;
  return html`${rows}${only("first", onlyLeft)}${only("second", onlyRight)}`;
}

function filter(comparison: Comparison): Markup {
  const { weights, classes } = filtersOf(comparison);
  if (weights.length === 0) return html``;
  const choice = (id: string, text: string, isFirst = false): Markup =>
    html`<label><input type="radio" name="show" id="${id}" ${isFirst && raw("checked")}>${text}</label>`;
  return html`<fieldset class="filter"><legend>Show paths with</legend>${choice("show-all", "any difference", true)}${weights.map((name) => choice(`show-weight-${filterName(name)}`, name))}${classes.map((name) => choice(`show-class-${filterName(name)}`, name))}</fieldset>`;
}

function section(platform: PlatformComparison, evidence: PlatformEvidence | undefined): Markup {
  const id = anchor(platform);
  return html`<section class="card" id="${id}" aria-labelledby="${id}-title">
<h3 id="${id}-title">${platform.platform} <span class="badge ${platform.level}">${platform.level}</span></h3>
<dl><dt>First manifest</dt><dd>${digest(platform.left.manifest)}</dd><dt>Second manifest</dt><dd>${digest(platform.right.manifest)}</dd></dl>
${platform.warnings.map((warning) => html`<p class="warning">${warning}</p>`)}
${platform.differences.length > 0 ? html`<details open><summary>${platform.differences.length} kinds of difference</summary>${differenceTable(`Differences of ${platform.platform}`, platform.differences)}</details>` : html`<p class="soft">No difference.</p>`}
${packages(platform)}
${(evidence?.documents ?? []).map(({ name, shown }) => html`<details><summary>The two ${name}s</summary>${showSides(shown, `What differs in the ${name}`)}</details>`)}
${differenceTree(platform, evidence)}
${normalisers(platform)}
</section>
`;
}

function differenceTable(name: string, rows: readonly Difference[]): Markup {
  return table<Difference>(
    name,
    [
      { title: "Class", cell: (row) => html`<code>${row.class}</code>` },
      { title: "Count", cell: (row) => html`${row.count}` },
      {
        title: "Weight",
        cell: (row) =>
          html`<span class="badge ${row.weight}">${row.weight}</span> ${row.proof && html`<span class="soft">${row.proof}</span>`}`,
      },
      { title: "Detail", cell: (row) => html`<div>${row.detail}${waived(row)}${examples(row)}</div>` },
    ],
    rows,
  );
}

function waived({ waiver }: Difference): Markup | undefined {
  return waiver && html`<p class="soft">${waiver.reason} (${waiver.owner}, until ${waiver.expires})</p>`;
}

function examples({ paths, count, scope }: Difference): Markup {
  // paths of the file system have a tree of their own
  if (paths.length === 0 || scope === "filesystem") return html``;
  const more = count - Math.min(paths.length, shownPaths);
  return html`<ul class="paths">${paths.slice(0, shownPaths).map((path) => html`<li>${path}</li>`)}${more > 0 && html`<li class="soft">and ${more} more</li>`}</ul>`;
}

function packages({ packages: rows, platform }: PlatformComparison): Markup {
  if (rows.length === 0) return html``;
  const shown = table<PackageDrift>(
    `Packages of other versions on ${platform}`,
    [
      { title: "Package", cell: ({ name }) => html`<code>${name}</code>` },
      { title: "Versions", cell: (row) => html`<span class="word">${describeVersions(row)}</span>` },
      { title: "Database", cell: ({ database }) => html`${database}` },
    ],
    rows,
  );
  return html`<details><summary>${rows.length} packages of other versions</summary>${shown}</details>`;
}

function normalisers({ normalisers: used }: PlatformComparison): Markup {
  if (used.length === 0) return html``;
  return html`<p class="soft">Normalisers that ran: ${used.map((found) => `${found.class} ${found.version}`).join(", ")}</p>`;
}

function anchor({ platform }: PlatformComparison): string {
  return platform.replaceAll(/[^A-Za-z0-9.]+/g, "-");
}
