const invisible = /[\p{Cc}\p{Cf}\p{Zl}\p{Zp}\p{Cs}]/gu;
const invisibleOrTab = /((?!\t)[\p{Cc}\p{Cf}\p{Zl}\p{Zp}\p{Cs}])/u;

/**
 * A path, name or detail from an image on one line: every character that a terminal or a
 * browser would act on, or show nowhere, is U+FFFD. At most `length` characters are kept,
 * the last of them an ellipsis where something went.
 */
export function visible(text: string, length: number): string {
  const cut = text.length > length ? `${text.slice(0, length - 1).replace(/[\ud800-\udbff]$/, "")}…` : text;
  return cut.replaceAll(invisible, "\ufffd");
}

/** As {@link visible}, and the end of a long path is kept: it says more than its beginning. */
export function visiblePath(path: string, length: number): string {
  if (path.length <= length) return visible(path, length);
  const start = Math.floor(length / 3);
  const end = path.slice(path.length - (length - start - 1)).replace(/^[\udc00-\udfff]/, "");
  return visible(`${path.slice(0, start).replace(/[\ud800-\udbff]$/, "")}…${end}`, length);
}

/**
 * A line of a file, divided: every second part is a single invisible character, written
 * as what it is: `␛` for what has a picture of its own, `U+202E` for the rest.
 */
export function splitInvisible(line: string): string[] {
  return line.split(invisibleOrTab).map((part, position) => (position % 2 === 0 ? part : nameOf(part)));
}

function nameOf(character: string): string {
  const point = character.codePointAt(0) ?? 0;
  if (point < 0x20) return String.fromCodePoint(0x2400 + point);
  if (point === 0x7f) return "␡";
  return `U+${point.toString(16).toUpperCase().padStart(4, "0")}`;
}
