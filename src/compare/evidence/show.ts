import { showBinary } from "./binary.ts";
import { showLines } from "./hunks.ts";
import { showText } from "./text.ts";
import type { Shown } from "./types.ts";

/** What differs between two contents: lines where both are UTF-8 text, bytes otherwise. */
export function showContent(left: Buffer, right: Buffer): Shown {
  return showText(left, right) ?? showBinary(left, right);
}

/** What differs between two manifests or configs, written as JSON with a value on each line. */
export function showDocument(left: string, right: string): Shown {
  return showLines(left.split("\n"), right.split("\n"), 1, false);
}
