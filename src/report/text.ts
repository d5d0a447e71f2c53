const escapeSequences = [
  /\u001b\[[0-?]{0,64}[ -/]{0,8}[@-~]/g,
  /\u001b[\]PX^_][^\u0007\u001b\u009c]{0,4096}(\u0007|\u001b\\|\u009c)?/g,
];
const invisible = /[\u00ad\u061c\u180e\u200b-\u200f\u2028-\u202e\u2060-\u206f\ufeff\u{e0000}-\u{e007f}]/gu;
const maxLineLength = 8192;

function withoutEscapeSequences(text: string): string {
  return escapeSequences.reduce((rest, sequence) => rest.replaceAll(sequence, ""), text);
}

/**
 * One line of text from a build or an image, made harmless for a terminal: escape
 * sequences go, control characters become spaces, and marks that hide or reorder text
 * become U+FFFD. At most 8192 characters are kept.
 */
export function plainText(text: string): string {
  return withoutEscapeSequences(text.slice(0, maxLineLength))
    .replaceAll(/\p{Cc}/gu, " ")
    .replaceAll(invisible, "\ufffd")
    .toWellFormed();
}

/** A log for a page: its lines and tabs stay, escape sequences go, and a progress bar's redraws become lines. */
export function plainLog(text: string): string {
  return withoutEscapeSequences(text)
    .replaceAll(/\r\n?/g, "\n")
    .replaceAll(/[^\P{Cc}\n\t]/gu, "\ufffd");
}

const twoColumns =
  /[\u1100-\u115f\u2e80-\u303e\u3041-\ua4cf\uac00-\ud7a3\uf900-\ufaff\ufe30-\ufe6f\uff00-\uff60\uffe0-\uffe6\u{1f300}-\u{1faff}\u{20000}-\u{3fffd}]|\p{Emoji_Presentation}/u;

function columnsOf(character: string): number {
  if (/[\p{Mn}\p{Me}]/u.test(character)) return 0;
  return twoColumns.test(character) ? 2 : 1;
}

/** How many terminal columns a line without control characters takes (East Asian wide characters take two). */
export function widthOf(text: string): number {
  let width = 0;
  for (const character of text) width += columnsOf(character);
  return width;
}

/** Cuts a line to a width in terminal columns, with an ellipsis where something went. */
export function cut(text: string, width: number): string {
  if (widthOf(text) <= width) return text;
  let kept = "";
  let used = 1;
  for (const character of text) {
    used += columnsOf(character);
    if (used > width) break;
    kept += character;
  }
  return width < 1 ? "" : `${kept.trimEnd()}…`;
}

/** Breaks a line between words so that no part is wider than `width` columns, except a word that is. */
export function wrap(text: string, width: number): string[] {
  const lines: string[] = [];
  let line = "";
  for (const word of text.split(" ")) {
    const longer = line === "" ? word : `${line} ${word}`;
    if (line !== "" && widthOf(longer) > width) {
      lines.push(line);
      line = word;
    } else line = longer;
  }
  return [...lines, line];
}

/** Seconds for people: `12 ms`, `0.4 s`, `12 s`, `3 min 5 s`. */
export function formatSeconds(seconds: number): string {
  if (seconds < 0.0995) return `${Math.round(seconds * 1000)} ms`;
  if (seconds < 9.95) return `${seconds.toFixed(1)} s`;
  const whole = Math.round(seconds);
  return whole < 60 ? `${whole} s` : `${Math.floor(whole / 60)} min ${whole % 60} s`;
}

/** The first digits of a digest, enough to tell two apart by eye. */
export function shortDigest(digest: string | null): string {
  return digest === null ? "-" : digest.replace("sha256:", "").slice(0, 12);
}

/** Sizes as people read them: powers of 1000. */
export function formatBytes(bytes: number): string {
  if (bytes < 1000) return `${bytes} B`;
  const [scaled, unit] = bytes < 1_000_000 ? [bytes / 1000, "kB"] : [bytes / 1_000_000, "MB"];
  return `${scaled < 10 ? scaled.toFixed(1) : Math.round(scaled)} ${unit}`;
}
