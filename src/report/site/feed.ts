import { createHash } from "node:crypto";
import { html } from "../html/markup.ts";
import type { SiteModel } from "./model.ts";
import { type Move, movesOf, platformList } from "./moves.ts";
import { spelled } from "./names.ts";
import type { Links } from "./parts.ts";
import { wordsOf } from "./verdicts.ts";

const mostEntries = 200;

/**
 * An Atom feed (RFC 4287) of changes of verdict, the newest first: one entry for each
 * release, run, and pair of verdicts. Ids depend on these alone, so a reader shows a change
 * once however often the site is made. `baseUrl` ends with a slash, or is empty.
 */
export function renderFeed({ runs }: SiteModel, links: Links, siteTitle: string, baseUrl: string): string {
  const entries = runs
    .flatMap(({ run, changes }) => movesOf(changes).map((move) => ({ run, move })))
    .slice(0, mostEntries);
  const updated = timeOf(runs[0]?.run.finishedAt);
  return html`<?xml version="1.0" encoding="utf-8"?>
<feed xmlns="http://www.w3.org/2005/Atom">
<id>${urn("feed", siteTitle, baseUrl)}</id>
<title>${siteTitle}: changes of verdict</title>
<updated>${updated}</updated>
<author><name>${siteTitle}</name></author>
<link rel="self" type="application/atom+xml" href="${baseUrl}feed.xml"/>
<link rel="alternate" type="text/html" href="${baseUrl}index.html"/>
${entries.map(
  ({ run, move }) => html`<entry>
<id>${urn(run.id, move.recipe, move.version, move.from, move.to)}</id>
<title>${titleOf(move)}</title>
<updated>${timeOf(run.finishedAt)}</updated>
<link rel="alternate" type="text/html" href="${baseUrl}${links.release(move.recipe, move.version)}"/>
<content type="text">${contentOf(move)} Run ${spelled(run.id, 100)}.</content>
</entry>
`,
)}</feed>
`.markup;
}

function titleOf({ recipe, version, from, to, platforms }: Move): string {
  const count = platforms.length === 1 ? spelled(platforms[0] ?? "", 80) : `${platforms.length} platforms`;
  return `${spelled(recipe, 100)} ${spelled(version, 100)}: ${count} ${from} → ${to}`;
}

function contentOf({ from, to, platforms }: Move): string {
  const better = wordsOf(to).urgency < wordsOf(from).urgency;
  const worse = wordsOf(to).urgency > wordsOf(from).urgency;
  const sense = better ? "Better" : worse ? "Worse" : "Other";
  return `${sense} than in the run before: ${platformList(platforms)} went from ${from} to ${to}.`;
}

/** A name-based UUID (RFC 9562, version 8: sha256) of parts. */
function urn(...parts: readonly string[]): string {
  const hex = createHash("sha256").update(parts.join("\0")).digest("hex");
  return `urn:uuid:${hex.slice(0, 8)}-${hex.slice(8, 12)}-8${hex.slice(13, 16)}-8${hex.slice(17, 20)}-${hex.slice(20, 32)}`;
}

/** An RFC 3339 time; what is none is the epoch, for a feed without a time is no feed. */
function timeOf(text: string | undefined): string {
  const time = Date.parse(text ?? "");
  return new Date(Number.isFinite(time) ? time : 0).toISOString();
}
