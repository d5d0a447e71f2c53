import { createHash } from "node:crypto";
import type { OmittedPlatform, Outcome, OutcomeInput } from "../../outcome.ts";
import { conclude } from "../conclusion.ts";
import { formatSeconds } from "../text.ts";
import { html, type Markup, raw } from "./markup.ts";
import { matrix } from "./matrix.ts";
import { digest, table } from "./parts.ts";
import { platformSection } from "./platform-section.ts";
import { style } from "./style.ts";

/**
 * One self-contained page about a rebuild. It loads nothing, runs no script, allows no
 * style but its own, and is the same bytes for the same outcome.
 */
export function renderReportPage(outcome: Outcome): string {
  const { recipe, version, platforms } = outcome;
  const longestSeconds = Math.max(0, ...platforms.flatMap(({ timings }) => timings.map(({ seconds }) => seconds)));
  const page = html`<!doctype html>
<html lang="en">
<head>
<meta charset="utf-8">
<meta http-equiv="Content-Security-Policy" content="${policy()}">
<meta name="viewport" content="width=device-width, initial-scale=1">
<meta name="color-scheme" content="light dark">
<meta name="referrer" content="no-referrer">
<link rel="icon" href="data:,">
<title>${recipe} ${version} – refoundry</title>
<style>${raw(style)}</style>
</head>
<body>
<a class="skip" href="#main">To the platforms</a>
<header>
<p class="kicker">refoundry rebuild</p>
<h1>${recipe} ${version}</h1>
<p class="lead">${conclude(outcome)}. ${released(outcome)}</p>
<dl>
<dt>Release index</dt><dd>${digest(outcome.index?.digest ?? null)}</dd>
${outcome.index && html`<dt>Released to</dt><dd><span class="digest">${outcome.destination}</span></dd>`}
<dt>Started</dt><dd><time datetime="${outcome.startedAt}">${forPeople(outcome.startedAt)}</time>, took ${formatSeconds(outcome.seconds)}</dd>
</dl>
</header>
<main id="main">
<section aria-labelledby="glance">
<h2 id="glance">Levels at a glance</h2>
<div class="card">${matrix(platforms, outcome.index !== null)}${omissions(outcome.omitted ?? [])}</div>
</section>
<section aria-labelledby="platforms">
<h2 id="platforms">Platforms</h2>
${platforms.map((platform) => platformSection(platform, { released: outcome.index !== null, longestSeconds }))}</section>
<section aria-labelledby="inputs">
<h2 id="inputs">Inputs</h2>
<div class="card">${inputs(outcome.inputs)}</div>
</section>
<section aria-labelledby="again">
<h2 id="again">Do it again</h2>
<div class="card"><pre tabindex="0" role="region" aria-label="Command">refoundry rebuild ${recipe}@${version}</pre>
<p>In a checkout of the recipes, on any machine. Where the builds are in the store already, <code>--force</code> builds them once more and fails unless every digest is the same.</p></div>
</section>
</main>
<footer><p>Equality is evaluated per platform, on digests, parsed configs and whole entries. A platform that upstream never released is no match: it has nothing to match.</p></footer>
</body>
</html>
`;
  return page.markup;
}

/** What the page may load: nothing but its own style, named by hash, and the empty icon. */
function policy(): string {
  const hash = createHash("sha256").update(style).digest("base64");
  return `default-src 'none'; style-src 'sha256-${hash}'; img-src data:; base-uri 'none'; form-action 'none'`;
}

/** Platforms that upstream has and the recipe leaves out, each with its reason. */
function omissions(omitted: readonly OmittedPlatform[]): Markup[] {
  return omitted.map(
    ({ platform, reason }) =>
      html`<p><strong>${platform}</strong> is left out, although upstream has it: ${reason}</p>`,
  );
}

function released({ index }: Outcome): Markup {
  return index
    ? html`<strong class="good">Released.</strong>`
    : html`<strong class="bad">Nothing was released.</strong>`;
}

/** `2026-11-23 06:13:42 UTC`; a time in another form stays as it is. */
function forPeople(time: string): string {
  return time.replace(/^(\d{4}-\d\d-\d\d)T(\d\d:\d\d:\d\d)(?:\.\d+)?Z$/, "$1 $2 UTC");
}

function inputs(rows: readonly OutcomeInput[]): Markup {
  if (rows.length === 0) return html`<p class="soft">No input was needed.</p>`;
  return table<OutcomeInput>(
    "Inputs",
    [
      { title: "Input", cell: ({ kind }) => html`${kind}` },
      { title: "Name", cell: ({ name }) => html`<span class="word">${name}</span>` },
      { title: "Version", cell: ({ version }) => html`<code>${version}</code>` },
      { title: "Digest", cell: (row) => digest(row.digest) },
      { title: "From", cell: ({ origin }) => html`<span class="word">${origin}</span>` },
    ],
    rows,
  );
}
