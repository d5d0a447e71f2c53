const blockBytes = 4096;

/**
 * The offset of the first byte at or after `from` that two contents do not share; where
 * one ends and the other does not, that is a difference. Nothing when the rest is equal.
 */
export function firstDifference(left: Buffer, right: Buffer, from = 0): number | undefined {
  const common = Math.min(left.length, right.length);
  let at = from;
  while (at + blockBytes <= common && left.compare(right, at, at + blockBytes, at, at + blockBytes) === 0)
    at += blockBytes;
  while (at < common && left[at] === right[at]) at += 1;
  return at < Math.max(left.length, right.length) ? at : undefined;
}
