import { type PlatformLevel, platformLevels } from "../../compare/types.ts";
import type { PlatformOutcome } from "../../outcome.ts";
import { describeAddition, isAddition } from "../conclusion.ts";
import { html, type Markup } from "./markup.ts";
import { anchorOf, badge } from "./parts.ts";

const meanings: Readonly<Record<PlatformLevel, string>> = {
  manifest: "the same manifest digest: every byte is upstream’s",
  config: "the same config and layers; only compression or annotations differ",
  layers: "the same layers, byte for byte; the config differs in fields that do not change what runs",
  entries: "the same files in each layer: content, type, mode, owner and links; times and tar dialect may differ",
  filesystem: "the same files once the layers are applied, however they are split",
  explained: "what differs has a proof: both sides are the same once normalised, or a waiver answers for it",
};

/** Platforms as rows, levels of equality as columns, strongest first. */
export function matrix(platforms: readonly PlatformOutcome[], released: boolean): Markup {
  return html`<table role="table" class="matrix" aria-labelledby="glance">
<thead role="rowgroup"><tr role="row"><th scope="col" role="columnheader">Platform</th><th scope="col" role="columnheader">Verdict</th><th scope="col" role="columnheader">In the index</th>${platformLevels.map((level) => html`<th scope="col" role="columnheader" class="level">${level}</th>`)}</tr></thead>
<tbody role="rowgroup">
${platforms.map(
  (
    platform,
  ) => html`<tr role="row"><th scope="row" role="rowheader"><a href="#${anchorOf(platform)}">${platform.platform}</a></th><td role="cell" class="verdict">${badge(platform)}</td><td role="cell" class="whose"><span class="label" aria-hidden="true">in the index: </span>${whose(platform, released)}</td>${levelCells(platform)}</tr>
`,
)}</tbody></table>
<details class="legend"><summary>What the levels mean</summary><dl>
${platformLevels.map((level) => html`<dt>${level}</dt><dd>${meanings[level]}</dd>`)}
</dl></details>`;
}

function whose({ origin, manifest }: PlatformOutcome, released: boolean): Markup {
  if (!released || manifest === null) return html`<span class="soft">nothing</span>`;
  return html`${origin === "upstream" ? "upstream’s" : "ours"}`;
}

function levelCells(platform: PlatformOutcome): Markup {
  const span = platformLevels.length;
  if (isAddition(platform)) {
    const failed = platform.verdict === "extended" ? "" : "broken";
    return html`<td role="cell" class="wide" colspan="${span}"><span class="addition ${failed}">${describeAddition(platform)}</span></td>`;
  }
  const { comparison } = platform;
  if (!comparison) return html`<td role="cell" class="wide soft" colspan="${span}">nothing to compare</td>`;
  return html`${platformLevels.map((name) => {
    const label = html`<span class="label" aria-hidden="true">${name}</span>`;
    const mark = comparison.levels[name]
      ? html`<span class="mark yes" role="img" aria-label="equal">✓</span>`
      : html`<span class="mark no" role="img" aria-label="not equal">–</span>`;
    return html`<td role="cell" class="level">${label}${mark}</td>`;
  })}`;
}
