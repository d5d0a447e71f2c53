import { platformLevels } from "../../compare/types.ts";
import type { Outcome, PlatformOutcome } from "../../outcome.ts";
import { formatSeconds } from "../text.ts";
import { html, type Markup } from "./markup.ts";
import { badge, digest, platformSection } from "./platform-section.ts";
import { style } from "./style.ts";

/**
 * One self-contained page about a rebuild. It loads nothing, runs no script, and is the
 * same bytes for the same outcome.
 */
export function renderReportPage(outcome: Outcome): string {
  const page = html`<!doctype html>
<html lang="en">
<head>
<meta charset="utf-8">
<meta name="viewport" content="width=device-width, initial-scale=1">
<meta http-equiv="Content-Security-Policy" content="default-src 'none'; style-src 'unsafe-inline'; img-src data:">
<link rel="icon" href="data:,">
<title>${outcome.recipe} ${outcome.version} – refoundry</title>
<style>${{ markup: style }}</style>
</head>
<body>
<header>
<p class="soft">refoundry rebuild</p>
<h1>${outcome.recipe} ${outcome.version}</h1>
<p class="lead">${conclusion(outcome)}</p>
<dl>
<dt>Release index</dt><dd>${outcome.index ? digest(outcome.index.digest) : "nothing was released"}</dd>
${outcome.index && html`<dt>Released to</dt><dd><span class="digest">${outcome.destination}</span></dd>`}
<dt>Started</dt><dd>${outcome.startedAt}, took ${formatSeconds(outcome.seconds)}</dd>
</dl>
</header>
<main>
<h2 id="glance">Levels at a glance</h2>
${matrix(outcome.platforms)}
<h2 id="platforms">Platforms</h2>
${outcome.platforms.map(platformSection)}
<h2 id="inputs">Inputs</h2>
<section class="card" aria-labelledby="inputs"><div class="scroll" tabindex="0" role="region" aria-label="Inputs"><table>
<thead><tr><th scope="col">Input</th><th scope="col">Name</th><th scope="col">Version</th><th scope="col">Digest</th><th scope="col">From</th></tr></thead><tbody>
${outcome.inputs.map((input) => html`<tr><th scope="row">${input.kind}</th><td>${input.name}</td><td class="digest">${input.version}</td><td class="digest">${input.digest || "–"}</td><td>${input.origin}</td></tr>`)}
</tbody></table></div></section>
<h2 id="again">Do it again</h2>
<section class="card" aria-labelledby="again"><pre tabindex="0">refoundry rebuild ${outcome.recipe}@${outcome.version} --force</pre></section>
</main>
<footer>Equality is evaluated per platform, on digests, parsed configs and whole entry tuples. A platform that upstream never released is no match: it has nothing to match.</footer>
</body>
</html>
`;
  return page.markup;
}

/** One sentence on how the release came out. */
function conclusion({ platforms, index }: Outcome): string {
  const count = (...verdicts: PlatformOutcome["verdict"][]): number =>
    platforms.filter((platform) => verdicts.includes(platform.verdict)).length;
  const parts = [
    [count("identical"), "identical to upstream"],
    [count("equivalent"), "equivalent to upstream"],
    [count("extended"), "new, which upstream never released"],
    [count("different", "drift"), "different from upstream"],
    [count("build-failed"), "failed"],
    [count("upstream-unavailable"), "without an upstream to compare with"],
  ] as const;
  const said = parts.filter(([number]) => number > 0).map(([number, words]) => `${number} ${words}`);
  return `${platforms.length} platforms: ${said.join(", ")}. ${index ? "Released." : "Nothing was released."}`;
}

function matrix(platforms: readonly PlatformOutcome[]): Markup {
  return html`<section class="card" aria-labelledby="glance"><div class="scroll" tabindex="0" role="region" aria-label="Levels at a glance"><table class="matrix">
<thead><tr><th scope="col">Platform</th><th scope="col">Verdict</th>${platformLevels.map((level) => html`<th scope="col" class="level">${level}</th>`)}</tr></thead><tbody>
${platforms.map((platform) => html`<tr><th scope="row"><a href="#${platform.platform.replaceAll("/", "-")}">${platform.platform}</a></th><td>${badge(platform)}</td>${levelCells(platform)}</tr>`)}
</tbody></table></div></section>`;
}

function levelCells(platform: PlatformOutcome): Markup {
  const { comparison, level } = platform;
  if (level === "no-upstream")
    return html`<td colspan="${platformLevels.length}">never released upstream; two varied builds agree${comparison && ", and it was held against a sibling platform"}</td>`;
  if (!comparison) return html`<td colspan="${platformLevels.length}" class="soft">nothing to compare</td>`;
  return html`${platformLevels.map((name) => html`<td class="level">${comparison.levels[name] ? html`<span class="mark yes" role="img" aria-label="equal">✓</span>` : html`<span class="mark no" role="img" aria-label="not equal">–</span>`}</td>`)}`;
}
