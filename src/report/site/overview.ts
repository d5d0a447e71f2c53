import type { Room } from "../comparison/html/room.ts";
import { html, type Markup } from "../html/markup.ts";
import { formatSeconds } from "../text.ts";
import { attention, noticeList } from "./attention.ts";
import { chart, percent } from "./chart.ts";
import type { PageParts } from "./frame.ts";
import { currentReleases, type RecipeHistory, type RunSummary, type SiteModel } from "./model.ts";
import { dayOf, forPeople, plural, spelled } from "./names.ts";
import { countBadges, type Links, section, stackTable } from "./parts.ts";
import { countStates, describeCounts, reproduced, type StateCounts } from "./verdicts.ts";

const shownRuns = 14;

/** Bytes that the parts of one page may take together, below 1 MB with its frame and style. */
export const pageBytes = 900_000;

/** The first page: how it stands, what asks for a person, how it went over time, every recipe. */
export function overview(model: SiteModel, links: Links, siteTitle: string): PageParts {
  const room: Room = { left: pageBytes };
  const [newest] = model.runs;
  const base = { title: "Overview", depth: 0, siteTitle, trail: [] } as const;
  if (!newest)
    return {
      ...base,
      kicker: "refoundry",
      lead: html`<p>No run yet.</p>`,
      body: html`<p class="soft">Pages appear with the first nightly run.</p>`,
    };
  const { run } = newest;
  const body = html`${section("attention", "Needs attention", html`<div class="card">${attention(model.recipes, links, room)}</div>`)}
${run.notices.length > 0 && section("notices", "Noticed upstream and in our inputs", html`<div class="card">${noticeList(run.notices, links, room)}</div>`)}
${section("time", "Over time", html`<div class="card">${chart(model.runs)}</div>`)}
${section("recipes", "Recipes", html`<div class="card">${recipeTable(model.recipes, links, room)}</div>`)}
${section("runs", "Runs", html`<div class="card">${runTable(model.runs.slice(0, shownRuns), links, room)}${model.runs.length > shownRuns && html`<p><a href="runs/index.html">All ${model.runs.length} runs</a></p>`}</div>`)}`;
  return { ...base, kicker: `Newest run: ${forPeople(run.startedAt)}`, lead: leadOf(newest), body };
}

function leadOf({ run, counts }: RunSummary): Markup {
  const { same, of } = reproduced(counts);
  const failed = run.releases.filter(({ status }) => status === "failed").length;
  const rebuilt = run.releases.filter(({ status }) => status === "rebuilt" || status === "verified").length;
  return html`<p>${same} of ${of} platforms that upstream released came out the same from source; ${counts.extended} more are added.</p>
<dl class="figures"><div><dt>reproduced</dt><dd>${percent(same, of)}</dd></div><div><dt>releases</dt><dd>${run.releases.length}</dd></div><div><dt>rebuilt in this run</dt><dd>${rebuilt}</dd></div><div><dt>failed</dt><dd>${failed}</dd></div></dl>`;
}

/** How the newest release and all current ones of a recipe stand together. */
export function recipeCounts(recipe: RecipeHistory): StateCounts {
  return countStates(currentReleases(recipe).flatMap(({ points }) => points[0].standings));
}

function recipeTable(recipes: readonly RecipeHistory[], links: Links, room: Room): Markup {
  const row = (recipe: RecipeHistory) => ({ recipe, counts: recipeCounts(recipe), newest: recipe.releases[0] });
  const gone = ({ releases }: RecipeHistory): boolean => !releases.some(({ current }) => current);
  return stackTable(
    "How each recipe stands in the newest run",
    [
      {
        title: "Recipe",
        cell: ({ recipe }) => html`<a href="${links.recipe(recipe.recipe)}">${spelled(recipe.recipe, 100)}</a>`,
      },
      {
        title: "Newest release",
        cell: ({ newest, recipe }) =>
          html`<a href="${links.release(recipe.recipe, newest.version)}">${spelled(newest.version, 80)}</a>`,
      },
      {
        title: "Releases",
        cell: ({ recipe }) =>
          gone(recipe) ? html`<span class="soft">not in the newest run</span>` : currentReleases(recipe).length,
      },
      { title: "Reproduced", cell: ({ counts }) => share(counts) },
      { title: "Platforms", cell: ({ counts }) => countBadges(counts) },
    ],
    recipes.map(row),
    room,
    { noun: "recipe", compact: true },
  );
}

function share(counts: StateCounts): Markup {
  const { same, of } = reproduced(counts);
  return of === 0 ? html`<span class="soft">upstream has none</span>` : html`<span class="num">${same} of ${of}</span>`;
}

/** Runs as a table, the newest first. */
function runTable(runs: readonly RunSummary[], links: Links, room: Room): Markup {
  return stackTable<RunSummary>(
    "Runs, the newest first",
    [
      { title: "Run", cell: ({ run }) => html`<a href="${links.run(run.id)}">${forPeople(run.startedAt)}</a>` },
      {
        title: "Took",
        cell: ({ run }) => html`<span class="nowrap">${secondsOf(run.startedAt, run.finishedAt)}</span>`,
      },
      {
        title: "Rebuilt",
        cell: ({ run }) => run.releases.filter(({ status }) => status === "rebuilt" || status === "verified").length,
      },
      { title: "Failed", cell: ({ run }) => run.releases.filter(({ status }) => status === "failed").length },
      { title: "Changes", cell: ({ changes }) => changes.length },
      { title: "Platforms", cell: ({ counts }) => countBadges(counts) },
    ],
    runs,
    room,
    { noun: "run", compact: true },
  );
}

/** The time between two RFC 3339 times, for people. */
export function secondsOf(from: string, to: string): string {
  const seconds = (Date.parse(to) - Date.parse(from)) / 1000;
  if (!Number.isFinite(seconds) || seconds < 0) return "unknown";
  return seconds < 3600
    ? formatSeconds(seconds)
    : `${Math.floor(seconds / 3600)} h ${Math.floor((seconds % 3600) / 60)} min`;
}

/** The page of all runs. */
export function runsPage(model: SiteModel, links: Links, siteTitle: string): PageParts {
  const [newest] = model.runs;
  const oldest = model.runs.at(-1);
  return {
    title: "Runs",
    kicker: "refoundry nightly",
    lead: html`<p>${plural(model.runs.length, "run")}${newest && oldest && ` from ${dayOf(oldest.run.startedAt)} to ${dayOf(newest.run.startedAt)}; the newest: ${describeCounts(newest.counts)}`}.</p>`,
    trail: [{ title: "Overview", href: "../index.html" }],
    depth: 1,
    siteTitle,
    body: section(
      "all",
      "All runs",
      html`<div class="card">${runTable(model.runs, below(links, 1), { left: pageBytes })}</div>`,
    ),
  };
}

/** The same links, as a page that many folders below the root writes them. */
export function below(links: Links, depth: 1 | 2): Links {
  const up = "../".repeat(depth);
  return {
    recipe: (name) => `${up}${links.recipe(name)}`,
    release: (recipe, version) => `${up}${links.release(recipe, version)}`,
    run: (id) => `${up}${links.run(id)}`,
    badge: (recipe) => `${up}${links.badge(recipe)}`,
    report: (run, path) => {
      const href = links.report(run, path);
      return href === undefined || /^https?:/.test(href) ? href : `${up}${href}`;
    },
  };
}
