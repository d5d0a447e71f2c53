import type { Difference } from "../../compare/types.ts";
import type { PlatformOutcome } from "../../outcome.ts";
import { isAddition } from "../conclusion.ts";
import { formatSeconds, plainLog } from "../text.ts";
import { html, type Markup } from "./markup.ts";
import { anchorOf, badge, digest, table } from "./parts.ts";

const shownLogBytes = 400 * 1024;
const shownPaths = 20;

/** What a platform's section has to know of the page. */
interface PageContext {
  readonly released: boolean;
  /** What a full bar stands for: one scale for the whole page. */
  readonly longestSeconds: number;
}

/**
 * Everything about one platform: digests, why, differences, timings, smoke tests, log.
 */
export function platformSection(platform: PlatformOutcome, page: PageContext): Markup {
  const id = anchorOf(platform);
  return html`<section class="card" id="${id}" aria-labelledby="${id}-title">
<h3 id="${id}-title">${platform.platform} ${badge(platform)}</h3>
${explanation(platform)}
<dl>
<dt>${page.released ? "In the index" : "For the index"}</dt><dd>${digest(platform.manifest)} ${platform.manifest !== null && html`<span class="note">${platform.origin === "upstream" ? "upstream’s own, unchanged" : "ours"}</span>`}</dd>
<dt>Rebuilt</dt><dd>${digest(platform.rebuilt)} ${platform.cached && html`<span class="note">from the store</span>`}</dd>
<dt>Build key</dt><dd>${digest(platform.buildKey)}</dd>
</dl>
${timings(platform, page.longestSeconds)}
${differences(platform)}
${smokeTests(platform)}
${log(platform)}
</section>
`;
}

/** The first line says what happened; more lines are output of a program. */
function explanation(platform: PlatformOutcome): Markup {
  const [first, ...rest] = platform.explanation.split("\n");
  return html`<p>${first}</p>${rest.length > 0 && html`<pre tabindex="0" role="region" aria-label="What ${platform.platform} said">${plainLog(rest.join("\n"))}</pre>`}`;
}

function differences(platform: PlatformOutcome): Markup {
  const { comparison } = platform;
  if (!comparison) return html``;
  const against = isAddition(platform) ? comparison.platform : "upstream";
  const kinds = comparison.differences.length;
  if (kinds === 0) return html`<p class="soft">No difference from ${against}.</p>`;
  const rows = table<Difference>(
    `Differences of ${platform.platform} from ${against}`,
    [
      { title: "Class", cell: (row) => html`<code>${row.class}</code>` },
      { title: "Count", cell: (row) => html`${row.count}` },
      { title: "Counts against equality", cell: (row) => counts(row, platform) },
      { title: "Detail", cell: (row) => html`<div>${row.detail}${examples(row)}</div>` },
    ],
    comparison.differences,
  );
  return html`<details><summary>${kinds} ${kinds === 1 ? "kind" : "kinds"} of difference from ${against}</summary>${rows}</details>`;
}

/** Against a sibling platform other machine code is what one wants; the verdict says whether more differs. */
function counts({ weight }: Difference, platform: PlatformOutcome): Markup {
  if (weight === "benign") return html`no`;
  return platform.verdict === "extended" ? html`no, expected between platforms` : html`<strong>yes</strong>`;
}

function examples({ paths, count }: Difference): Markup {
  if (paths.length === 0) return html``;
  const more = count - Math.min(paths.length, shownPaths);
  return html`<ul class="paths">${paths.slice(0, shownPaths).map((path) => html`<li>${path}</li>`)}${more > 0 && html`<li class="soft">and ${more} more</li>`}</ul>`;
}

function timings(platform: PlatformOutcome, longestSeconds: number): Markup {
  if (platform.timings.length === 0) return html``;
  return html`<table class="timings"><caption class="unseen">Time of each stage of ${platform.platform}</caption><tbody>
${platform.timings.map(({ stage, seconds, reused }) => {
  const share = Math.min(100, Math.max(0.4, (seconds / Math.max(longestSeconds, 0.001)) * 100)).toFixed(1);
  return html`<tr><th scope="row">${stage}</th><td class="bar"><svg aria-hidden="true" height="10" width="100%"><rect class="track" width="100%" height="10" rx="2"/><rect class="${reused ? "reused" : "spent"}" width="${share}%" height="10" rx="2"/></svg></td><td class="time">${formatSeconds(seconds)}${reused && ", reused"}</td></tr>
`;
})}</tbody></table>`;
}

function smokeTests({ smoke, verdict }: PlatformOutcome): Markup {
  if (smoke.length === 0) return html``;
  const passed = verdict === "build-failed" ? "passed before one failed" : "passed";
  const how = smoke.every((test) => test.emulated)
    ? "under emulation"
    : smoke.some((test) => test.emulated)
      ? "some under emulation"
      : "natively";
  return html`<details><summary>${smoke.length} smoke ${smoke.length === 1 ? "test" : "tests"} ${passed}, ${how}</summary>
${smoke.map((test) => html`<figure><figcaption>${test.emulated ? "Under emulation" : "Natively"}: <code>${test.command.join(" ")}</code></figcaption><pre tabindex="0" role="region" aria-label="Output of ${test.command.join(" ")}">${plainLog(test.stdout)}</pre></figure>`)}</details>`;
}

function log({ log: text, logFile, platform }: PlatformOutcome): Markup {
  if (!text) return html``;
  const { shown, whole } = endOf(text);
  const where = logFile === undefined ? "" : `; the whole log is ${logFile}`;
  return html`<details><summary>Build log</summary>${!whole && html`<p class="soft">The last ${shownLogBytes / 1024} KiB${where}.</p>`}<pre class="log" tabindex="0" role="region" aria-label="Build log of ${platform}">${plainLog(shown)}</pre></details>`;
}

/** The end of a long log, from the beginning of a line where there is one near. */
function endOf(text: string): { readonly shown: string; readonly whole: boolean } {
  const bytes = Buffer.from(text);
  if (bytes.length <= shownLogBytes) return { shown: text, whole: true };
  const end = bytes
    .subarray(-shownLogBytes)
    .toString("utf8")
    .replace(/^\ufffd+/, "");
  const newline = end.slice(0, 4096).indexOf("\n");
  return { shown: end.slice(newline + 1), whole: false };
}
