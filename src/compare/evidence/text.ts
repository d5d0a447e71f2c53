import { isUtf8 } from "node:buffer";
import { firstDifference } from "./first-difference.ts";
import { contextLines, showLines } from "./hunks.ts";
import { evidenceLimits, type Shown } from "./types.ts";

const lineFeed = 0x0a;
/** Control characters that programs' output and old manuals have are text; others are not. */
const notText = /[\u0000-\u0006\u000e-\u001a\u001c-\u001f]/;

/**
 * What differs between two texts, as lines side by side. Of long texts only
 * {@link evidenceLimits}.textBytes from shortly before the first difference are looked at.
 * Nothing when either content is not UTF-8 text. Takes time by length, whatever the texts.
 */
export function showText(left: Buffer, right: Buffer): Shown | undefined {
  if (!isText(left) || !isText(right)) return undefined;
  const at = firstDifference(left, right);
  if (at === undefined) return { kind: "text", hunks: [], truncated: false };
  const { start, before } = startOfWindow(left, at);
  const [a, b] = [windowOf(left, start), windowOf(right, start)];
  if (notText.test(a.text) || notText.test(b.text)) return undefined;
  const firstLine = countLines(left, start) + 1;
  return showLines(`${before}${a.text}`.split("\n"), `${before}${b.text}`.split("\n"), firstLine, a.cut || b.cut);
}

function isText(bytes: Buffer): boolean {
  return !bytes.includes(0) && isUtf8(bytes);
}

/** The line some lines before the one that differs; inside of it where that is too far away. */
function startOfWindow(bytes: Buffer, at: number): { readonly start: number; readonly before: string } {
  let newline = at;
  for (let lines = 0; lines <= contextLines && newline >= 0; lines += 1)
    newline = newline === 0 ? -1 : bytes.lastIndexOf(lineFeed, newline - 1);
  if (at - newline <= evidenceLimits.textBytes / 2) return { start: newline + 1, before: "" };
  return { start: wholeCharacter(bytes, at - evidenceLimits.lineCharacters), before: "…" };
}

function windowOf(bytes: Buffer, start: number): { readonly text: string; readonly cut: boolean } {
  const end = start + evidenceLimits.textBytes;
  return end >= bytes.length
    ? { text: bytes.toString("utf8", start), cut: false }
    : { text: bytes.toString("utf8", start, wholeCharacter(bytes, end)), cut: true };
}

/** The offset, or the one before it at which a character begins (RFC 3629, section 3). */
function wholeCharacter(bytes: Buffer, offset: number): number {
  let at = offset;
  while (at > 0 && ((bytes[at] ?? 0) & 0xc0) === 0x80) at -= 1;
  return at;
}

function countLines(bytes: Buffer, end: number): number {
  let lines = 0;
  for (let at = bytes.indexOf(lineFeed); at !== -1 && at < end; at = bytes.indexOf(lineFeed, at + 1)) lines += 1;
  return lines;
}
