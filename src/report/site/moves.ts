import { html, type Markup } from "../html/markup.ts";
import type { Change } from "./model.ts";
import { spelled } from "./names.ts";
import { type Links, more, stateBadge } from "./parts.ts";

/** Changes with the same release and the same two states, as one line. */
export interface Move {
  readonly recipe: string;
  readonly version: string;
  readonly from: Change["from"];
  readonly to: Change["to"];
  readonly platforms: readonly string[];
}

const mostPlatforms = 12;

/** Gathers the changes of a run: one move for each release and pair of states. */
export function movesOf(changes: readonly Change[]): Move[] {
  const grouped = Map.groupBy(changes, ({ recipe, version, from, to }) => [recipe, version, from, to].join("\0"));
  return [...grouped.values()].flatMap((own) => {
    const [first] = own;
    return first ? [{ ...first, platforms: own.map(({ platform }) => platform) }] : [];
  });
}

/** `linux/amd64, linux/arm64 and 3 more`. */
export function platformList(platforms: readonly string[]): string {
  const shown = platforms.slice(0, mostPlatforms).map((name) => spelled(name, 80));
  const rest = platforms.length - shown.length;
  return `${shown.join(", ")}${rest > 0 ? ` and ${rest} more` : ""}`;
}

/** What changed in a run, as a list. */
export function moves(changes: readonly Change[], links: Links, most = 100): Markup {
  const all = movesOf(changes);
  const items = all.slice(0, most).map(
    ({
      recipe,
      version,
      from,
      to,
      platforms,
    }) => html`<li><a href="${links.release(recipe, version)}">${spelled(recipe, 100)} ${spelled(version, 100)}</a> ${platformList(platforms)}: ${stateBadge(from)}<span class="arrow" aria-hidden="true">→</span><span class="unseen"> became </span>${stateBadge(to)}</li>
`,
  );
  return html`<ul class="moves">${items}</ul>${more(all.length - items.length, "change")}`;
}
