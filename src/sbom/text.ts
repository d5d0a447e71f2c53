/**
 * Text of a file that names bytes, for people and programs to read: what is no UTF-8, and
 * what moves a terminal's cursor or turns the direction of a line, becomes U+FFFD.
 */
export function cleanText(text: string): string {
  return text.toWellFormed().replace(/[\p{Cc}\u2028-\u202e\u2066-\u2069]/gu, "\ufffd");
}

/** {@link cleanText} of bytes that were read one character each. */
export function cleanLatin(latin: string): string {
  return cleanText(Buffer.from(latin, "latin1").toString("utf8"));
}

/** Code-unit order, which no locale changes. */
export function compareText(a: string, b: string): number {
  return a < b ? -1 : a > b ? 1 : 0;
}
