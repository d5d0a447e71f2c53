import type { ContentClass } from "../class.ts";
import { rewriteLines } from "./text-lines.ts";

const name = String.raw`[A-Za-z_][A-Za-z0-9_.-]{0,63}\$?`;
const form = new RegExp(
  String.raw`^(${name}:[\x21-\x39\x3b-\x7e]*):(\d{0,6}):((-?\d*):(-?\d*):[-\d]*:[-\d]*:[-\d]*:[-\d]*)$`,
);
/** Days; shadow(5) writes 99999 for never. */
const never = 99_999;

/** On which day passwords were last changed. */
export const shadowLastchg: ContentClass = {
  name: "shadow-lastchg",
  version: 1,
  meaning: "another day of the last change of a password",
  normalises:
    "the third field of a line of /etc/shadow becomes empty when it is a number of days above zero and the line " +
    "sets no shortest and no longest age; all other fields and the order are kept",
  safety:
    "the day is only used to tell a password's age, which such a line does not limit; zero, which asks for a new " +
    "password at the next login, is kept",
  applies: ({ path }) => path === "etc/shadow",
  normalise: ({ path, bytes }) => (path === "etc/shadow" ? rewriteLines(bytes, withoutDay) : undefined),
};

function withoutDay(line: string): string | undefined {
  const [, head, day, tail, shortest = "", longest = ""] = form.exec(line) ?? [];
  if (head === undefined) return undefined;
  const isLimited = !["", "0", "-1"].includes(shortest) || !["", "-1", String(never)].includes(longest);
  return isLimited || Number(day) === 0 ? line : `${head}::${tail}`;
}
