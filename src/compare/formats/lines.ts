const maxBytes = 64 * 1024 * 1024;

/** The lines of a text whose bytes stay as they are, without what follows the last newline when that is empty. */
export function linesOf(bytes: Buffer): readonly string[] | undefined {
  if (bytes.length > maxBytes) return undefined;
  const lines = bytes.toString("latin1").split("\n");
  if (lines.at(-1) === "") lines.pop();
  return lines;
}

/** Lines as a text again. */
export function joinLines(lines: readonly string[]): Buffer {
  return Buffer.from(lines.map((line) => `${line}\n`).join(""), "latin1");
}

/** Replaces what a pattern matches at the beginning of every line; nothing when a line does not match. */
export function replaceInLines(bytes: Buffer, pattern: RegExp, by: string): Buffer | undefined {
  const lines = linesOf(bytes);
  if (!lines?.every((line) => pattern.test(line))) return undefined;
  return joinLines(lines.map((line) => line.replace(pattern, by)));
}
