// Marks that change how text is shown without being seen: C0 and C1 controls, bidi and zero-width characters.
const unseen = /[\p{Cc}\u200b-\u200f\u2028-\u202e\u2060-\u2069\ufeff]/gu;

const shownCharacters = 80;

/** A text from a file in double quotes for a message: one line, shortened, nothing invisible left in it. */
export function quoted(text: string): string {
  const short = text.length > shownCharacters ? `${text.slice(0, shownCharacters)}...` : text;
  return `"${escapeUnseen(short)}"`;
}

/** Writes control, bidi and zero-width characters as `\u` escapes. */
export function escapeUnseen(text: string): string {
  return text.replace(unseen, (character) => `\\u${(character.codePointAt(0) ?? 0).toString(16).padStart(4, "0")}`);
}

/** The candidates that a mistyped name may have meant: best first, at most three. */
export function nearNames(name: string, candidates: readonly string[]): string[] {
  const limit = Math.max(1, Math.min(4, Math.floor(name.length / 3)));
  return candidates
    .map((candidate) => ({ candidate, distance: editDistance(name, candidate, limit) }))
    .filter(({ candidate, distance }) => distance <= limit && distance < Math.max(name.length, candidate.length))
    .toSorted((a, b) => a.distance - b.distance || byCodeUnit(a.candidate, b.candidate))
    .slice(0, 3)
    .map(({ candidate }) => candidate);
}

/** `did you mean a or b?`, or undefined when nothing is near. */
export function didYouMean(name: string, candidates: readonly string[]): string | undefined {
  const near = nearNames(name, candidates);
  return near.length === 0 ? undefined : `did you mean ${near.map(quoted).join(" or ")}?`;
}

/** `a`, `a or b`, `a, b or c`. */
export function orList(items: readonly string[]): string {
  return items.length < 2 ? items.join("") : `${items.slice(0, -1).join(", ")} or ${items.at(-1)}`;
}

/** Compares by UTF-16 code unit, the same on every machine. */
export function byCodeUnit(a: string, b: string): number {
  return a < b ? -1 : a > b ? 1 : 0;
}

/** Optimal string alignment distance, case ignored; more than `limit` is reported as `limit + 1`. */
function editDistance(left: string, right: string, limit: number): number {
  if (Math.abs(left.length - right.length) > limit) return limit + 1;
  const a = left.toLowerCase();
  const b = right.toLowerCase();
  let before: number[] = [];
  let previous = Array.from({ length: b.length + 1 }, (_, column) => column);
  for (let row = 1; row <= a.length; row += 1) {
    const current = [row];
    for (let column = 1; column <= b.length; column += 1) {
      const cost = a[row - 1] === b[column - 1] ? 0 : 1;
      let best = Math.min(
        (previous[column] ?? 0) + 1,
        (current[column - 1] ?? 0) + 1,
        (previous[column - 1] ?? 0) + cost,
      );
      if (row > 1 && column > 1 && a[row - 1] === b[column - 2] && a[row - 2] === b[column - 1]) {
        best = Math.min(best, (before[column - 2] ?? 0) + 1);
      }
      current.push(best);
    }
    if (Math.min(...current) > limit) return limit + 1;
    before = previous;
    previous = current;
  }
  return previous[b.length] ?? limit + 1;
}

/** A key that holds one thing or a list of them, as a list. */
export function listOf<T extends string>(value: T | readonly T[]): readonly T[] {
  return typeof value === "string" ? [value] : value;
}
