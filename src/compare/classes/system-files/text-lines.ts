const maxBytes = 128 * 1024 * 1024;
const maxLineLength = 1024 * 1024;

/**
 * Lines of a text file without their line feeds, as latin1, so that every byte is one
 * character. Nothing when the last line has no end, when a line is longer than 1 MiB, or when
 * the file has a NUL or more than 128 MiB. An empty file has no lines.
 */
export function linesOf(bytes: Buffer): Iterable<string> | undefined {
  if (bytes.length > maxBytes || bytes.includes(0)) return undefined;
  if (bytes.length > 0 && bytes.at(-1) !== 0x0a) return undefined;
  let start = 0;
  for (let end = bytes.indexOf(0x0a); end !== -1; end = bytes.indexOf(0x0a, start)) {
    if (end - start > maxLineLength) return undefined;
    start = end + 1;
  }
  return pieces(bytes);
}

function* pieces(bytes: Buffer): Generator<string> {
  for (let start = 0; start < bytes.length; ) {
    const end = bytes.indexOf(0x0a, start);
    yield bytes.toString("latin1", start, end);
    start = end + 1;
  }
}

/** The file with every line rewritten; nothing when `rewrite` knows one of the lines not. */
export function rewriteLines(bytes: Buffer, rewrite: (line: string) => string | undefined): Buffer | undefined {
  const rewritten: string[] = [];
  for (const line of linesOf(bytes) ?? [undefined]) {
    const changed = line === undefined ? undefined : rewrite(line);
    if (changed === undefined) return undefined;
    rewritten.push(`${changed}\n`);
  }
  return Buffer.from(rewritten.join(""), "latin1");
}

/** Whether the file is text in which every line is as `isKnown` wants it. An empty file is. */
export function hasOnlyLines(bytes: Buffer, isKnown: (line: string) => boolean): boolean {
  const lines = linesOf(bytes);
  if (!lines) return false;
  for (const line of lines) if (!isKnown(line)) return false;
  return true;
}
