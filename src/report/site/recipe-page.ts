import { drawWhatFits, fits, type Room } from "../comparison/html/room.ts";
import { html, type Markup } from "../html/markup.ts";
import type { PageParts } from "./frame.ts";
import { grid } from "./grid.ts";
import type { RecipeHistory, ReleaseHistory, SiteModel } from "./model.ts";
import { moves } from "./moves.ts";
import { dayOf, forPeople, plural, spelled } from "./names.ts";
import { pageBytes, recipeCounts } from "./overview.ts";
import { countBadges, type Links, more, section } from "./parts.ts";
import { countStates, describeCounts } from "./verdicts.ts";

const shownGrids = 24;
const shownMoves = 60;

/** One recipe: platforms by runs for each release, the newest first, and what changed when. */
export function recipePage(recipe: RecipeHistory, changes: RecipeChanges, links: Links, siteTitle: string): PageParts {
  const room: Room = { left: pageBytes };
  const { releases } = recipe;
  const current = releases.filter((release) => release.current);
  const body = html`${section("releases", "Releases", releaseGrids(releases, links, room))}
${section("changes", "Changes of verdict", html`<div class="card">${changeList(changes, links, room)}</div>`)}
${section("badge", "Badge", html`<div class="card"><p><a href="${links.badge(recipe.recipe)}">How it stands, as a picture</a> for a README; it is drawn anew with each run.</p></div>`)}`;
  const name = spelled(recipe.recipe, 100);
  return {
    title: name,
    kicker: `Recipe, ${plural(releases.length, "release")}`,
    lead: html`<p>${current.length === 0 ? "Not in the newest run; when it last was: " : "In the newest run: "}${describeCounts(recipeCounts(recipe))}.</p>`,
    trail: [{ title: "Overview", href: "../index.html" }],
    depth: 1,
    siteTitle,
    body,
  };
}

function releaseGrids(releases: readonly ReleaseHistory[], links: Links, room: Room): Markup {
  const drawn: Markup[] = [];
  for (const [at, release] of releases.slice(0, shownGrids).entries()) {
    const id = `release-${at + 1}`;
    const { recipe, version, points } = release;
    const seen = release.current ? "" : `not in the newest run; last in that of ${dayOf(points[0].run.startedAt)}`;
    const card = html`<section class="card" aria-labelledby="${id}">
<h3 id="${id}"><a href="${links.release(recipe, version)}">${spelled(version, 100)}</a> ${countBadges(countStates(points[0].standings))}</h3>
${seen !== "" && html`<p class="note">${seen}</p>`}${grid(release, links)}</section>
`;
    if (!fits(room, card)) break;
    drawn.push(card);
  }
  const rest = releases.slice(drawn.length);
  if (rest.length === 0) return html`${drawn}`;
  const items = drawWhatFits(
    room,
    rest,
    ({
      recipe,
      version,
      points,
    }) => html`<li><a href="${links.release(recipe, version)}">${spelled(version, 100)}</a> <span class="note">${describeCounts(countStates(points[0].standings))}</span></li>
`,
    2000,
  );
  return html`${drawn}<div class="card"><h3>Other releases</h3><ul class="many">${items}</ul>${more(rest.length - items.length, "release")}</div>`;
}

/** The changes of one recipe, run by run, the newest first. */
export type RecipeChanges = readonly {
  readonly run: SiteModel["runs"][number]["run"];
  readonly changes: SiteModel["runs"][number]["changes"];
}[];

/** Sorts all changes of all runs by recipe. */
export function changesByRecipe({ runs }: SiteModel): ReadonlyMap<string, RecipeChanges> {
  const byRecipe = new Map<string, RecipeChanges[number][]>();
  for (const { run, changes } of runs) {
    for (const [recipe, own] of Map.groupBy(changes, (change) => change.recipe)) {
      const before = byRecipe.get(recipe);
      if (before) before.push({ run, changes: own });
      else byRecipe.set(recipe, [{ run, changes: own }]);
    }
  }
  return byRecipe;
}

function changeList(changes: RecipeChanges, links: Links, room: Room): Markup {
  if (changes.length === 0) return html`<p class="soft">None in the runs that are kept.</p>`;
  const drawn = drawWhatFits(
    room,
    changes,
    ({ run, changes: own }) =>
      html`<h3><a href="${links.run(run.id)}">${forPeople(run.startedAt)}</a></h3>${moves(own, links)}`,
    shownMoves,
  );
  return html`${drawn}${more(changes.length - drawn.length, "run")}`;
}
