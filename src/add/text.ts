import { cleanText } from "../sbom/text.ts";

const shownCharacters = 200;

/** A text that somebody else wrote, for a terminal: one line, shortened, nothing in it that a terminal acts on. */
export function shown(text: string, length: number = shownCharacters): string {
  // cut first: the text may be megabytes
  const clean = cleanText(text.slice(0, length + 1)).replace(/[\u200b-\u200f\u2060-\u2064\ufeff]/g, "\ufffd");
  return clean.length > length ? `${clean.slice(0, length)}...` : clean;
}

/** The first `count` of a list as one text, and how many more there are. */
export function shortList(items: readonly string[], count: number): string {
  const first = items.slice(0, count).join(", ");
  return items.length > count ? `${first} and ${items.length - count} more` : first;
}

/** `1 platform`, `2 platforms`. */
export function counted(count: number, what: string): string {
  return `${count} ${what}${count === 1 ? "" : "s"}`;
}
