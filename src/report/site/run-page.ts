import type { NightlyRelease } from "../../nightly-run.ts";
import { drawWhatFits, type Room } from "../comparison/html/room.ts";
import { html, type Markup } from "../html/markup.ts";
import { formatSeconds } from "../text.ts";
import { noticeList } from "./attention.ts";
import type { PageParts } from "./frame.ts";
import { isAddition, type RunSummary } from "./model.ts";
import { moves } from "./moves.ts";
import { forPeople, plural, spelled, spelledLines } from "./names.ts";
import { pageBytes, secondsOf } from "./overview.ts";
import { countBadges, digest, type Links, more, section, stackTable } from "./parts.ts";
import { countStates, describeCounts, knownState } from "./verdicts.ts";

/** The runs beside one. */
export interface Neighbours {
  readonly older: RunSummary | undefined;
  readonly newer: RunSummary | undefined;
}

const mostFailures = 100;
const mostKept = 1500;

/** One run: what failed and why, what changed, what was rebuilt and how long it took. */
export function runPage(summary: RunSummary, beside: Neighbours, links: Links, siteTitle: string): PageParts {
  const room: Room = { left: pageBytes };
  const { run, counts, changes } = summary;
  const failed = run.releases.filter(({ status }) => status === "failed");
  const kept = run.releases.filter(({ status }) => status === "kept");
  const worked = run.releases.filter(({ status }) => status !== "failed" && status !== "kept");
  const title = forPeople(run.startedAt);
  const body = html`${failed.length > 0 && section("failed", `Failed (${failed.length})`, failures(failed, links, room))}
${section("changes", `Changes of verdict (${changes.length})`, html`<div class="card">${changes.length === 0 ? html`<p class="soft">None.</p>` : moves(changes, links)}</div>`)}
${run.notices.length > 0 && section("notices", `Noticed (${run.notices.length})`, html`<div class="card">${noticeList(run.notices, links, room)}</div>`)}
${section("rebuilt", `Rebuilt (${worked.length})`, html`<div class="card">${worked.length === 0 ? html`<p class="soft">Nothing was due.</p>` : releaseTable(worked, run.id, links, room)}</div>`)}
${section("kept", `Not due (${kept.length})`, html`<div class="card">${keptList(kept, links, room)}</div>`)}
${turn(beside, links)}`;
  return {
    title: `Run of ${title}`,
    kicker: spelled(run.id, 100),
    lead: html`<p>${describeCounts(counts)}.</p>
<dl>
<dt>Took</dt><dd>${secondsOf(run.startedAt, run.finishedAt)}; ended ${forPeople(run.finishedAt)}</dd>
<dt>Releases</dt><dd>${worked.length} rebuilt, ${kept.length} not due, ${failed.length} failed</dd>
<dt>Factory</dt><dd><span class="word">${spelled(run.factory, 200)}</span></dd>
</dl>`,
    trail: [
      { title: "Overview", href: "../index.html" },
      { title: "Runs", href: "index.html" },
    ],
    depth: 1,
    siteTitle,
    body,
  };
}

function nameOf({ recipe, version }: NightlyRelease, links: Links): Markup {
  return html`<a href="${links.release(recipe, version)}">${spelled(recipe, 100)} ${spelled(version, 100)}</a>`;
}

function failures(failed: readonly NightlyRelease[], links: Links, room: Room): Markup {
  const draw = (
    release: NightlyRelease,
    at: number,
  ): Markup => html`<section class="card" aria-labelledby="failed-${at + 1}">
<h3 id="failed-${at + 1}">${nameOf(release, links)} <span class="badge failed"><span aria-hidden="true">✗</span> ${spelled(release.failure?.errorClass ?? "failed", 40)}</span></h3>
<p class="note">${spelled(release.reason.sentence)}; ${plural(release.attempts, "attempt")}, ${formatSeconds(release.seconds)}</p>
${release.failure && html`<pre tabindex="0" role="region" aria-label="Message">${spelledLines(release.failure.message)}</pre>`}</section>
`;
  const numbered = failed.map((release, at) => ({ release, at }));
  const drawn = drawWhatFits(room, numbered, ({ release, at }) => draw(release, at), mostFailures);
  return html`${drawn}${more(failed.length - drawn.length, "failed release")}`;
}

function releaseTable(releases: readonly NightlyRelease[], run: string, links: Links, room: Room): Markup {
  const longest = Math.max(0.001, ...releases.slice(0, 5000).map(({ seconds }) => seconds));
  return stackTable<NightlyRelease>(
    "Releases that were rebuilt",
    [
      { title: "Release", cell: (release) => nameOf(release, links) },
      {
        title: "Why",
        cell: ({ reason, status }) =>
          html`${status === "verified" && html`<strong>sample: </strong>`}${spelled(reason.sentence, 300)}`,
      },
      {
        title: "Platforms",
        cell: ({ platforms }) =>
          countBadges(
            countStates(platforms.map((own) => ({ state: knownState(own.verdict), addition: isAddition(own) }))),
          ),
      },
      {
        title: "Time",
        cell: ({ seconds, attempts }) =>
          html`${bar(seconds / longest)}${formatSeconds(seconds)}${attempts > 1 && `, ${attempts} attempts`}`,
      },
      { title: "Index", cell: ({ index }) => digest(index) },
      { title: "Report", cell: ({ report }) => reportLink(links.report(run, report)) },
    ],
    releases.toSorted((a, b) => b.seconds - a.seconds),
    room,
    { noun: "release" },
  );
}

function bar(share: number): Markup {
  return html`<svg class="bar" aria-hidden="true" height="6" width="100%"><rect class="track" width="100%" height="6" rx="2"/><rect class="spent" width="${Math.min(100, Math.max(1, share * 100)).toFixed(1)}%" height="6" rx="2"/></svg>`;
}

function reportLink(href: string | undefined): Markup {
  return href === undefined ? html`<span class="soft">–</span>` : html`<a class="nowrap" href="${href}">report</a>`;
}

function keptList(kept: readonly NightlyRelease[], links: Links, room: Room): Markup {
  if (kept.length === 0) return html`<p class="soft">None.</p>`;
  const items = drawWhatFits(
    room,
    kept,
    (release) => html`<li>${nameOf(release, links)}</li>
`,
    mostKept,
  );
  return html`<details><summary>${plural(kept.length, "release")} that nothing had changed for</summary><ul class="many">${items}</ul>${more(kept.length - items.length, "release")}</details>`;
}

function turn({ older, newer }: Neighbours, links: Links): Markup {
  return html`<nav class="turn" aria-label="Other runs"><span>${older && html`<a rel="prev" href="${links.run(older.run.id)}">← ${forPeople(older.run.startedAt)}</a>`}</span><span>${newer && html`<a rel="next" href="${links.run(newer.run.id)}">${forPeople(newer.run.startedAt)} →</a>`}</span></nav>`;
}
