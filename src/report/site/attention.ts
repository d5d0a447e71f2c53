import type { NightlyNotice } from "../../nightly-run.ts";
import { drawWhatFits, type Room } from "../comparison/html/room.ts";
import { html, type Markup } from "../html/markup.ts";
import { currentReleases, type RecipeHistory, type ReleaseHistory, sinceOf } from "./model.ts";
import { dayOf, plural, spelled } from "./names.ts";
import { type Links, more, stateBadge } from "./parts.ts";
import { type State, states, wordsOf } from "./verdicts.ts";

/** Something of the newest run that asks for a person. */
interface Concern {
  readonly release: ReleaseHistory;
  readonly state: State;
  /** In that state, in the release's own order. */
  readonly platforms: readonly string[];
  /** How many runs it has been so; 1 is new. */
  readonly runs: number;
  readonly since: string;
}

const most = 60;

/** What asks for a person in the newest run: the gravest first, and of those the newest. */
function concernsOf(recipes: readonly RecipeHistory[]): Concern[] {
  const concerns: Concern[] = [];
  for (const release of recipes.flatMap(currentReleases)) {
    const [newest] = release.points;
    if (!release.current) continue;
    for (const state of states.filter((state) => wordsOf(state).urgency > 0)) {
      const platforms = [...newest.states].filter(([, own]) => own === state).map(([name]) => name);
      const [first] = platforms;
      if (first === undefined) continue;
      const { run, runs } = sinceOf(release, first);
      concerns.push({ release, state, platforms, runs, since: run.startedAt });
    }
  }
  return concerns.sort((a, b) => wordsOf(b.state).urgency - wordsOf(a.state).urgency || a.runs - b.runs);
}

/** The list of concerns of the newest run; one calm sentence where there is none. */
export function attention(recipes: readonly RecipeHistory[], links: Links, room: Room): Markup {
  const concerns = concernsOf(recipes);
  if (concerns.length === 0)
    return html`<p class="calm">✓ Nothing: every platform came out the same, or is an addition that its sibling vouches for.</p>`;
  const drawn = drawWhatFits(room, concerns, (concern) => item(concern, links), most);
  return html`<ul class="todo">${drawn}</ul>${more(concerns.length - drawn.length, "thing")}`;
}

function item({ release, state, platforms, runs, since }: Concern, links: Links): Markup {
  const { recipe, version, points } = release;
  const shown = platforms.slice(0, 8).map((name) => spelled(name, 80));
  const rest = platforms.length > shown.length ? ` and ${platforms.length - shown.length} more` : "";
  const age = runs === 1 ? "new in this run" : `since ${dayOf(since)}, ${plural(runs, "run")}`;
  return html`<li>${stateBadge(state)} <a class="what" href="${links.release(recipe, version)}">${spelled(recipe, 100)} ${spelled(version, 100)}</a> ${shown.join(", ")}${rest} <span class="note">${age}</span>${why(points[0].release, state)}</li>
`;
}

/** The first thing to know: the message of what failed, or what differs and counts. */
function why({ failure, platforms }: ReleaseHistory["points"][0]["release"], state: State): Markup {
  if (state === "failed" || state === "build-failed") {
    const own = platforms.find(({ verdict }) => verdict === "build-failed");
    const message = failure?.message ?? own?.explanation;
    const [first = ""] = (message ?? "").split("\n");
    return first === ""
      ? html``
      : html`<p class="soft">${failure && `${spelled(failure.errorClass, 40)}: `}${spelled(first, 240)}</p>`;
  }
  const differing = platforms.filter(({ verdict }) => verdict === state);
  const counts = new Map<string, number>();
  for (const { class: name, count, weight } of differing.flatMap(({ differences }) => differences))
    if (weight === "unexplained" || weight === "drift") counts.set(name, (counts.get(name) ?? 0) + count);
  if (counts.size === 0) return html``;
  const said = [...counts].slice(0, 6).map(([name, count]) => `${spelled(name, 80)} (${count})`);
  return html`<p class="soft">${said.join(", ")}${counts.size > said.length && ` and ${counts.size - said.length} more classes`}</p>`;
}

const titles: Readonly<Record<NightlyNotice["code"], string>> = {
  "upstream-moved": "upstream moved",
  "upstream-gone": "upstream gone",
  "upstream-added-platform": "platform added upstream",
  "fork-gone": "fork gone",
  "fork-renamed": "fork renamed",
  "package-gone": "package gone",
  "tag-moved": "tag moved",
  "waiver-expires": "waiver expires",
};

/** What a run noticed that needs a person. */
export function noticeList(notices: readonly NightlyNotice[], links: Links, room: Room): Markup {
  if (notices.length === 0) return html`<p class="soft">None.</p>`;
  const draw = ({ code, recipe, version, sentence }: NightlyNotice): Markup =>
    html`<li><span class="badge drift"><span aria-hidden="true">!</span> ${titles[code] ?? spelled(code, 60)}</span> <a class="what" href="${links.recipe(recipe)}">${spelled(recipe, 100)}${version !== undefined && ` ${spelled(version, 100)}`}</a> ${spelled(sentence)}</li>
`;
  const drawn = drawWhatFits(room, notices, draw, 200);
  return html`<ul class="todo">${drawn}</ul>${more(notices.length - drawn.length, "notice")}`;
}
