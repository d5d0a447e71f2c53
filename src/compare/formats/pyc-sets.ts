import { type MarshalObject, refFlag } from "./pyc-marshal.ts";

interface Element {
  readonly object: MarshalObject;
  /** The element written out, no references in it. */
  readonly key: Buffer;
}

interface Expansion {
  readonly pieces: Buffer[];
  /** Whether the value's hash is another in every process. */
  isSeeded: boolean;
  /** Bytes that may still be written. */
  left: number;
}

const maxElementDepth = 8;
const maxElementBytes = 64 * 1024;
/** Strings and bytes by the hash seed; None and the ellipsis by their address. */
const seeded = "sutaAzZN.";
const unseeded = "TFilgy";

/** How many bytes the elements of all sets of a file may still be written out to. */
export interface ExpansionBudget {
  left: number;
}

/**
 * The elements of a frozen set sorted by what they are. Nothing unless one of them at
 * least has a hash that differs from process to process: without one the order follows from the
 * source alone. Nothing either for elements that no compiler puts into a set, for huge ones,
 * and when the budget is spent.
 */
export function sortedElements(
  bytes: Buffer,
  set: MarshalObject,
  budget: ExpansionBudget,
): MarshalObject[] | undefined {
  const elements: Element[] = [];
  let isSeeded = false;
  for (const object of set.children) {
    const expansion: Expansion = { pieces: [], isSeeded: false, left: Math.min(budget.left, maxElementBytes) };
    if (!expand(bytes, object, expansion, 0)) return undefined;
    const key = Buffer.concat(expansion.pieces);
    budget.left -= key.length;
    isSeeded ||= expansion.isSeeded;
    elements.push({ object, key });
  }
  elements.sort((one, other) => one.key.compare(other.key));
  const isDistinct = elements.every(({ key }, index) => !elements[index + 1]?.key.equals(key));
  return isSeeded && isDistinct ? elements.map(({ object }) => object) : undefined;
}

function expand(bytes: Buffer, reference: MarshalObject, expansion: Expansion, depth: number): boolean {
  const object = reference.target ?? reference;
  const isTuple = object.type === "(" || object.type === ")";
  if (depth > maxElementDepth || (!isTuple && !seeded.includes(object.type) && !unseeded.includes(object.type)))
    return false;
  if (seeded.includes(object.type)) expansion.isSeeded = true;
  const [first] = object.children;
  const own = bytes.subarray(object.start + 1, first ? first.start : object.end);
  expansion.left -= own.length + 1;
  if (expansion.left < 0) return false;
  expansion.pieces.push(Buffer.from([(bytes[object.start] ?? 0) & ~refFlag]), own);
  return object.children.every((child) => expand(bytes, child, expansion, depth + 1));
}
