import type { PlatformOutcome } from "../../outcome.ts";
import { formatSeconds } from "../text.ts";
import { html, type Markup } from "./markup.ts";

const shownLogBytes = 400 * 1024;

/** Everything about one platform: digests, why, differences, timings, smoke tests, log. */
export function platformSection(platform: PlatformOutcome): Markup {
  const id = platform.platform.replaceAll("/", "-");
  return html`<section class="card" id="${id}" aria-labelledby="${id}-title">
<h3 id="${id}-title">${platform.platform} ${badge(platform)}</h3>
<p>${platform.explanation.split("\n")[0]}</p>
<dl>
<dt>In the index</dt><dd>${platform.origin === "upstream" ? "upstream’s own manifest" : "ours"}: ${digest(platform.manifest)}</dd>
<dt>Rebuilt</dt><dd>${digest(platform.rebuilt)}${platform.cached && " (taken from the store)"}</dd>
<dt>Build key</dt><dd>${digest(platform.buildKey)}</dd>
</dl>
${differences(platform)}
${timings(platform)}
${smokeTests(platform)}
${log(platform)}
</section>`;
}

/** The verdict in words, colour and shape; an extension never looks like a match. */
export function badge({ verdict }: PlatformOutcome): Markup {
  return html`<span class="badge ${verdict}">${verdict}</span>`;
}

/** A digest that can be selected whole and breaks where the page is narrow. */
export function digest(value: string | null): Markup {
  return value === null ? html`<span class="soft">none</span>` : html`<span class="digest">${value}</span>`;
}

function differences({ comparison, level }: PlatformOutcome): Markup {
  if (!comparison) return html``;
  const against = level === "no-upstream" ? "the sibling platform" : "upstream";
  if (comparison.differences.length === 0) return html`<p class="soft">No difference from ${against}.</p>`;
  return html`<details><summary>${comparison.differences.length} kinds of difference from ${against}</summary><div class="scroll"><table>
<thead><tr><th scope="col">Class</th><th scope="col">Counts against equality</th><th scope="col">What</th></tr></thead><tbody>
${comparison.differences.map(
  (difference) =>
    html`<tr><th scope="row">${difference.class}</th><td>${difference.weight === "benign" ? "no" : "yes"}</td><td>${difference.detail}${
      difference.paths.length > 0 &&
      html`<br><span class="soft digest">${difference.paths.slice(0, 20).join(", ")}${difference.count > 20 && `, ${difference.count - 20} more`}</span>`
    }</td></tr>`,
)}</tbody></table></div></details>`;
}

function timings(platform: PlatformOutcome): Markup {
  const longest = Math.max(0.001, ...platform.timings.map((timing) => timing.seconds));
  const height = platform.timings.length * 26;
  if (height === 0) return html``;
  const described = platform.timings.map((timing) => `${timing.stage} ${formatSeconds(timing.seconds)}`).join(", ");
  return html`<svg viewBox="0 0 540 ${height}" role="img" aria-label="Time: ${described}">${platform.timings.map(
    (timing, row) => {
      const width = Math.max(2, (timing.seconds / longest) * 320);
      return html`<text x="0" y="${row * 26 + 17}">${timing.stage}</text><rect class="${timing.reused && "reused"}" x="90" y="${row * 26 + 5}" width="${width.toFixed(1)}" height="16" rx="3"/><text x="${(98 + width).toFixed(1)}" y="${row * 26 + 17}">${formatSeconds(timing.seconds)}${timing.reused && ", reused"}</text>`;
    },
  )}</svg>`;
}

function smokeTests({ smoke }: PlatformOutcome): Markup {
  if (smoke.length === 0) return html``;
  return html`<details><summary>${smoke.length} smoke tests passed${smoke.some((test) => test.emulated) && ", emulated"}</summary>
${smoke.map((test) => html`<pre tabindex="0">$ ${test.command.join(" ")}\n${test.stdout}</pre>`)}</details>`;
}

function log({ log: text }: PlatformOutcome): Markup {
  if (!text) return html``;
  const shown = text.slice(-shownLogBytes);
  const note =
    shown.length < text.length ? html`<p class="soft">The last ${shownLogBytes / 1024} KiB of it.</p>` : html``;
  return html`<details><summary>Build log</summary>${note}<pre tabindex="0">${shown}</pre></details>`;
}
