import { html, type Markup } from "../html/markup.ts";
import type { ReleaseHistory, ReleasePoint } from "./model.ts";
import { dayOf, spelled } from "./names.ts";
import { type Links, stateBadge } from "./parts.ts";

const shownRuns = 14;
const shownPlatforms = 40;

/**
 * Platforms as rows, the last runs as columns with the newest first: each cell a verdict in
 * words, with a frame where it was another in the run before. It scrolls in its own box.
 */
export function grid(release: ReleaseHistory, links: Links): Markup {
  const points = release.points.slice(0, shownRuns);
  const platforms = [...new Set(points.flatMap(({ states }) => [...states.keys()]))];
  const shown = platforms.slice(0, shownPlatforms);
  const caption = `Verdicts of ${spelled(release.recipe, 100)} ${spelled(release.version, 100)}, the newest run first`;
  return html`<div class="scroll" role="region" tabindex="0" aria-label="${caption}"><table class="grid"><caption class="unseen">${caption}</caption>
<thead><tr><th scope="col">Platform</th>${points.map(({ run }) => html`<th scope="col"><a href="${links.run(run.id)}">${dayOf(run.startedAt)}</a></th>`)}</tr></thead>
<tbody>
${shown.map(
  (
    platform,
  ) => html`<tr><th scope="row">${spelled(platform, 80)}</th>${points.map((point, at) => cell(point, release.points[at + 1], platform))}</tr>
`,
)}</tbody></table></div>${platforms.length > shown.length && html`<p class="soft">and ${platforms.length - shown.length} more platforms</p>`}`;
}

function cell(point: ReleasePoint, before: ReleasePoint | undefined, platform: string): Markup {
  const state = point.states.get(platform);
  if (state === undefined)
    return html`<td><span class="soft">–<span class="unseen"> not in this run</span></span></td>`;
  const previous = before?.states.get(platform);
  const changed = previous !== undefined && previous !== state;
  const how = changed ? `before: ${previous}` : spelled(point.release.status, 40);
  return html`<td>${stateBadge(state, changed)}<span class="how">${how}</span></td>`;
}
