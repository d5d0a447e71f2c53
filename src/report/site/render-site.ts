import type { NightlyRun } from "../../nightly-run.ts";
import { byCodeUnit } from "../../recipe/words.ts";
import { renderBadge } from "./badge.ts";
import { renderData } from "./data.ts";
import { renderFeed } from "./feed.ts";
import { type PageParts, renderPage } from "./frame.ts";
import { buildModel, currentReleases, type SiteModel } from "./model.ts";
import { createSlugs, spelled } from "./names.ts";
import { below, overview, recipeCounts, runsPage } from "./overview.ts";
import type { Links } from "./parts.ts";
import { changesByRecipe, recipePage } from "./recipe-page.ts";
import { releasePage } from "./release-page.ts";
import { runPage } from "./run-page.ts";
import { countStates } from "./verdicts.ts";

/** What a site needs to know beside its runs. */
export interface SiteOptions {
  /** What the site is called; `refoundry` by default. */
  readonly title?: string;
  /** Where the site will be, as `https://host/path/`: makes the feed's links absolute. */
  readonly baseUrl?: string;
  /**
   * Where the runs' folders are, from the site's root (`reports/`) or absolute
   * (`https://host/path/`): a release's own report is linked as `<this><run id>/<its path>`.
   * Without it there is no link.
   */
  readonly reports?: string;
}

/**
 * All files of a static site about nightly runs (newest first), by their path: pages,
 * badges, an Atom feed, and the same for machines. Pure: the same runs and options give
 * the same bytes. Pages load nothing, run no script, work from a folder, and stay under
 * 1 MB each: what there is no room for is counted instead.
 */
export function renderSite(runs: readonly NightlyRun[], options: SiteOptions = {}): ReadonlyMap<string, string> {
  const title = spelled(options.title ?? "refoundry", 80);
  const model = buildModel(runs);
  const links = createLinks(model, options);
  const files = new Map<string, string>();
  const add = (path: string, page: PageParts): void => void files.set(path, renderPage(page));
  add("index.html", overview(model, links, title));
  add("runs/index.html", runsPage(model, links, title));
  const changes = changesByRecipe(model);
  const [one, two] = [below(links, 1), below(links, 2)];
  for (const recipe of model.recipes) {
    add(links.recipe(recipe.recipe), recipePage(recipe, changes.get(recipe.recipe) ?? [], one, title));
    for (const release of recipe.releases)
      add(links.release(release.recipe, release.version), releasePage(release, two, title));
    files.set(links.badge(recipe.recipe), renderBadge(recipeCounts(recipe)));
  }
  for (const [at, summary] of model.runs.entries())
    add(
      links.run(summary.run.id),
      runPage(summary, { newer: model.runs[at - 1], older: model.runs[at + 1] }, one, title),
    );
  const all = model.recipes.flatMap(currentReleases).filter(({ current }) => current);
  files.set("badges/all.svg", renderBadge(countStates(all.flatMap(({ points }) => points[0].standings))));
  files.set("feed.xml", renderFeed(model, links, title, options.baseUrl ?? ""));
  files.set("data.json", renderData(model, links, title));
  return files;
}

/** Every page's path: names are given theirs in one order, so that the same runs give the same paths. */
function createLinks(model: SiteModel, { reports }: SiteOptions): Links {
  const recipes = createSlugs(["all"]);
  const runs = createSlugs(["index"]);
  const versions = new Map<string, (version: string) => string>();
  for (const { recipe, releases } of model.recipes) {
    recipes(recipe);
    const slugs = createSlugs();
    versions.set(recipe, slugs);
    for (const version of releases.map((release) => release.version).sort(byCodeUnit)) slugs(version);
  }
  for (const id of model.runs.map(({ run }) => run.id).sort(byCodeUnit)) runs(id);
  return {
    // a notice may name a recipe that no run rebuilt, and such a one has no page
    recipe: (name) => (versions.has(name) ? `recipes/${recipes(name)}.html` : "index.html"),
    release: (recipe, version) => `recipes/${recipes(recipe)}/${versions.get(recipe)?.(version) ?? ""}.html`,
    run: (id) => `runs/${runs(id)}.html`,
    badge: (recipe) => `badges/${recipes(recipe)}.svg`,
    report: (run, path) => (reports === undefined || path === undefined ? undefined : reportHref(reports, run, path)),
  };
}

/** A link to a file below a run's folder; none to a path that leads out of it. */
function reportHref(reports: string, run: string, path: string): string | undefined {
  const parts = [run, ...path.split("/")];
  if (parts.some((part) => part === "" || part === "." || part === ".." || part.includes("\\") || !part.isWellFormed()))
    return undefined;
  return `${reports.replace(/\/?$/, "/")}${parts.map(encodeURIComponent).join("/")}`;
}
