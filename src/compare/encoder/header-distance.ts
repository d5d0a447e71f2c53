import type { GzipHeader } from "./gzip-header.ts";
import type { EncoderIdentity } from "./types.ts";

/**
 * How unlikely the header makes an encoder: candidates are tried in rising order, and
 * nothing else follows from it, as any program may write any header.
 */
export function headerDistance(header: GzipHeader, encoder: EncoderIdentity): number {
  return familyDistance(header, encoder) + levelDistance(header, encoder.level);
}

function familyDistance({ os, name, mtime }: GzipHeader, { family }: EncoderIdentity): number {
  // Go's library says that it does not know the system; the others say what it is
  if (os === 255) return family === "go" ? 0 : 20;
  if (family === "go") return 30;
  // both programs store name and time of a file; what a library compresses seldom has them
  const isFromFile = name !== undefined || mtime !== 0;
  return isFromFile === (family === "gnu-gzip" || family === "pigz") ? 0 : 10;
}

function levelDistance({ xfl }: GzipHeader, level: number): number {
  const said = level >= 9 ? 2 : level === 1 ? 4 : 0;
  // the default comes first among those that look alike
  return (xfl === said ? 0 : 40) + (level === 6 ? 0 : 1);
}
