import { createHash } from "node:crypto";
import { splitInvisible } from "../comparison/visible.ts";

/**
 * Text from a run on one line, for a page: what a browser would act on or show nowhere is
 * spelled out (`U+202E`, `␛`). At most `length` characters of it are kept.
 */
export function spelled(text: string, length = 400): string {
  const cut = text.length > length ? `${text.slice(0, length - 1).replace(/[\ud800-\udbff]$/, "")}…` : text;
  return splitInvisible(cut)
    .join("")
    .replaceAll("\t", " ")
    .replaceAll(/[\ufffe\uffff]/g, "\ufffd");
}

/** As {@link spelled}, line by line; at most `lines` of them. */
export function spelledLines(text: string, lines = 60): string {
  const all = text.split(/\r\n?|\n/);
  const shown = all.slice(0, lines).map((line) => spelled(line, 2000));
  return all.length > lines ? `${shown.join("\n")}\n… and ${all.length - lines} more lines` : shown.join("\n");
}

const plain = /^[A-Za-z0-9](?:[A-Za-z0-9._+~-]{0,98}[A-Za-z0-9+~_-])?$/;

/**
 * Gives each name a path component of its own: the name itself where it can be one on
 * every file system, in every URL, and no other differs from it by case only; else what
 * is left of it, with the start of its sha256. `taken` are components not to be given.
 */
export function createSlugs(taken: readonly string[] = []): (name: string) => string {
  const owners = new Map<string, string>(taken.map((slug) => [slug, "\0"]));
  const known = new Map<string, string>();
  return (name) => {
    const before = known.get(name);
    if (before !== undefined) return before;
    const hash = createHash("sha256").update(name).digest("hex");
    const safe = plain.test(name) && !/\.html$/i.test(name) && !owners.has(name.toLowerCase());
    const rest = name
      .replaceAll(/[^A-Za-z0-9_+~]+/g, "-")
      .replaceAll(/^-+|-+$/g, "")
      .slice(0, 60);
    const slug = safe ? name : `${rest === "" ? "x" : rest}-${hash.slice(0, 12)}`;
    known.set(name, slug);
    owners.set(slug.toLowerCase(), name);
    return slug;
  };
}

/** `2026-11-23 02:00 UTC`; a time in another form is spelled as it is. */
export function forPeople(time: string): string {
  return spelled(time.replace(/^(\d{4}-\d\d-\d\d)T(\d\d:\d\d)(?::\d\d(?:\.\d+)?)?Z$/, "$1 $2 UTC"), 60);
}

/** The day of a time, `2026-11-23`. */
export function dayOf(time: string): string {
  return spelled(/^\d{4}-\d\d-\d\d/.exec(time)?.[0] ?? time, 40);
}

/** `1 platform`, `2 platforms`. */
export function plural(count: number, noun: string): string {
  return `${count} ${noun}${count === 1 ? "" : "s"}`;
}
