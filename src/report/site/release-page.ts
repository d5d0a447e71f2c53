import type { NightlyPlatform } from "../../nightly-run.ts";
import { type Room, share } from "../comparison/html/room.ts";
import { visiblePath } from "../comparison/visible.ts";
import { html, type Markup } from "../html/markup.ts";
import { formatSeconds } from "../text.ts";
import type { PageParts } from "./frame.ts";
import { grid } from "./grid.ts";
import type { ReleaseHistory } from "./model.ts";
import { dayOf, forPeople, spelled, spelledLines } from "./names.ts";
import { pageBytes } from "./overview.ts";
import { digest, type Links, more, section, stackTable, stateBadge } from "./parts.ts";
import { countStates, describeCounts, knownState } from "./verdicts.ts";

type Difference = NightlyPlatform["differences"][number];

const maxPlatforms = 64;
const shownPaths = 20;

const weightOrder: readonly Difference["weight"][] = ["unexplained", "drift", "explained", "benign"];
const weightWords: Readonly<Record<Difference["weight"], string>> = {
  unexplained: "counts against equality",
  drift: "drift: packages of other versions",
  explained: "explained, with proof",
  benign: "harmless",
};

/** One release: every platform, and behind one click every difference. `links` are written for this page. */
export function releasePage(release: ReleaseHistory, links: Links, siteTitle: string): PageParts {
  const room: Room = { left: pageBytes };
  const { recipe, version, points } = release;
  const [newest] = points;
  const name = `${spelled(recipe, 100)} ${spelled(version, 100)}`;
  const counts = countStates(newest.standings);
  const body = html`${failure(release)}
${section("history", "The last runs", html`<div class="card">${grid(release, links)}</div>`)}
${section("platforms", "Platforms", platformSections(release, links, room))}
${section("again", "Do it again", html`<div class="card"><pre tabindex="0" role="region" aria-label="Command">refoundry rebuild ${spelled(recipe, 100)}@${spelled(version, 100)} --force</pre><p>In a checkout of the recipes, on any machine.</p></div>`)}`;
  const report = reportOf(release, links);
  return {
    title: name,
    kicker: release.current
      ? `In the newest run, ${forPeople(newest.run.startedAt)}`
      : `Not in the newest run; last in that of ${forPeople(newest.run.startedAt)}`,
    lead: html`<p>${describeCounts(counts)}.</p>
<dl>
<dt>Release index</dt><dd>${digest(newest.release.index)}</dd>
<dt>In this run</dt><dd>${spelled(newest.release.status, 40)}: ${spelled(newest.release.reason.sentence)}</dd>
<dt>Took</dt><dd>${formatSeconds(newest.release.seconds)}, ${newest.release.attempts} ${newest.release.attempts === 1 ? "attempt" : "attempts"}</dd>
${report !== undefined && html`<dt>Own report</dt><dd><a href="${report}">Inputs, build logs, smoke tests</a></dd>`}
</dl>`,
    trail: [
      { title: "Overview", href: "../../index.html" },
      { title: spelled(recipe, 100), href: links.recipe(recipe) },
    ],
    depth: 2,
    siteTitle,
    body,
  };
}

/** The newest report there is: a run for which nothing was due made none. */
function reportOf({ points }: ReleaseHistory, links: Links): string | undefined {
  const point = points.find(({ release }) => release.report !== undefined);
  return point && links.report(point.run.id, point.release.report);
}

function failure({ points }: ReleaseHistory): Markup {
  const { failure: failed } = points[0].release;
  if (!failed) return html``;
  return section(
    "failure",
    "It failed",
    html`<div class="card"><p><span class="badge failed"><span aria-hidden="true">✗</span> ${spelled(failed.errorClass, 40)}</span></p><pre tabindex="0" role="region" aria-label="Message">${spelledLines(failed.message)}</pre></div>`,
  );
}

function platformSections({ points }: ReleaseHistory, links: Links, room: Room): Markup {
  const [{ platforms, omitted, platformsOf, run }] = points;
  if (platforms.length === 0) return html`<p class="soft">Nothing is known of its platforms: it never came so far.</p>`;
  const shown = platforms.slice(0, maxPlatforms);
  const note =
    platformsOf === run
      ? html``
      : html`<p class="note">As the run of <a href="${links.run(platformsOf.id)}">${dayOf(platformsOf.startedAt)}</a> left them: the newest says nothing of them.</p>`;
  const drawn = shown.map((platform, at) =>
    share(room, room.left / (shown.length - at), (own) => platformSection(platform, at, own)),
  );
  const leftOut = omitted.slice(0, maxPlatforms).map(
    ({ platform, reason }) =>
      html`<p class="soft">${spelled(platform, 80)} ${stateBadge("omitted")} left out, although upstream has it: ${spelled(reason, 1000)}</p>
`,
  );
  return html`${note}${drawn}${more(platforms.length - shown.length, "platform")}${leftOut}`;
}

function platformSection(platform: NightlyPlatform, at: number, room: Room): Markup {
  const id = `platform-${at + 1}`;
  const name = spelled(platform.platform, 80);
  return html`<section class="card" id="${id}" aria-labelledby="${id}-title">
<h3 id="${id}-title">${name} ${stateBadge(knownState(platform.verdict))}</h3>
<p>${spelled(platform.explanation.split("\n")[0] ?? "", 1000)}</p>
<dl>
<dt>Equal at level</dt><dd>${spelled(platform.level, 60)}</dd>
<dt>In the index</dt><dd>${digest(platform.manifest)} ${platform.manifest !== null && html`<span class="note">${platform.origin === "upstream" ? "upstream’s own, unchanged" : "ours"}</span>`}</dd>
<dt>Rebuilt</dt><dd>${digest(platform.rebuilt)}</dd>
<dt>Build key</dt><dd>${digest(platform.buildKey)}</dd>
<dt>Took</dt><dd>${formatSeconds(platform.seconds)}${platform.cached && ", from the store"}</dd>
</dl>
${differences(platform, name, room)}</section>
`;
}

function differences({ differences, unexplained, verdict }: NightlyPlatform, name: string, room: Room): Markup {
  if (differences.length === 0)
    return html`<p class="soft">${knownState(verdict) === "build-failed" ? "Nothing was built, so nothing was compared." : "No difference."}</p>`;
  const gravest = differences.toSorted((a, b) => weightOrder.indexOf(a.weight) - weightOrder.indexOf(b.weight));
  const kinds = `${differences.length} ${differences.length === 1 ? "kind" : "kinds"} of difference`;
  const summary = unexplained > 0 ? `${kinds}, ${unexplained} unexplained` : kinds;
  return html`<details><summary>${summary}</summary>${stackTable<Difference>(
    `Differences of ${name}`,
    [
      { title: "Class", cell: (row) => html`<code>${spelled(row.class, 100)}</code>` },
      { title: "Count", cell: ({ count }) => html`<span class="num">${count}</span>` },
      {
        title: "Weight",
        cell: ({ weight }) =>
          html`<span class="weight ${weightOrder.find((known) => known === weight)}">${weightWords[weight] ?? spelled(weight, 40)}</span>`,
      },
      { title: "Detail and paths", cell: (row) => html`<div>${spelled(row.detail, 600)}${paths(row)}</div>` },
    ],
    gravest,
    room,
    { noun: "kind" },
  )}</details>`;
}

function paths({ paths: all, count }: Difference): Markup {
  if (all.length === 0) return html``;
  const shown = all.slice(0, shownPaths);
  const rest = Math.max(count, all.length) - shown.length;
  return html`<ul class="paths">${shown.map((path) => html`<li>${spelled(visibleEnds(path), 400)}</li>`)}${rest > 0 && html`<li>and ${rest} more</li>`}</ul>`;
}

/** A long path by its beginning and its end. */
function visibleEnds(path: string): string {
  return path.length <= 300 ? path : visiblePath(path, 300);
}
