import { diffArrays } from "diff";

/** Lines of both sides that stand for one another, or lines that one or both have in their stead. */
export interface Run {
  readonly same: boolean;
  /** How many lines of each side; the same number where they are the same. */
  readonly left: number;
  readonly right: number;
}

/** How two lists of lines go together. */
export interface Alignment {
  readonly runs: readonly Run[];
  /** Whether the runs cover both lists, or their beginnings only. */
  readonly whole: boolean;
}

/** Myers' algorithm takes time by the edits, and by the lines for each edit: both are bounded, never the clock. */
const maxEdits = 1000;
const maxSteps = 8_000_000;
/** Lines of each side that are aligned, however different, where the whole is too much. */
const windowLines = 200;

/**
 * Aligns two lists of lines with the fewest insertions and deletions. Where these are too
 * many, only the first region that differs is aligned. `isPart` says that both lists go on.
 * The same lists always give the same alignment.
 */
export function alignLines(left: readonly string[], right: readonly string[], isPart: boolean): Alignment {
  const shorter = Math.min(left.length, right.length);
  let start = 0;
  while (start < shorter && left[start] === right[start]) start += 1;
  let end = 0;
  while (end < shorter - start && left.at(-1 - end) === right.at(-1 - end)) end += 1;
  const [a, b] = number(left.slice(start, left.length - end), right.slice(start, right.length - end));
  const before: Run = { same: true, left: start, right: start };
  const after: Run = { same: true, left: end, right: end };
  const middle = alignMiddle(a, b, Math.min(maxEdits, Math.ceil(maxSteps / (a.length + b.length + 1))));
  if (middle) {
    const runs = joined([before, ...middle, after]);
    return { runs: isPart ? withoutTail(runs) : runs, whole: !isPart };
  }
  const window = alignMiddle(a.slice(0, windowLines), b.slice(0, windowLines), 2 * windowLines) ?? [];
  return { runs: withoutTail(joined([before, ...window])), whole: false };
}

/** Where lists go on, their last lines may have a counterpart beyond the end: only a first difference is told for sure. */
function withoutTail(runs: readonly Run[]): Run[] {
  const changes = runs.filter(({ same }) => !same).length;
  return runs.slice(0, changes > 1 && runs.at(-1)?.same === false ? -1 : runs.length);
}

/** Lines as numbers, so that comparing two takes the same time whatever their length. */
function number(...sides: readonly [readonly string[], readonly string[]]): [number[], number[]] {
  const numbers = new Map<string, number>();
  const numberOf = (line: string): number => {
    const known = numbers.get(line) ?? numbers.size;
    numbers.set(line, known);
    return known;
  };
  return [sides[0].map(numberOf), sides[1].map(numberOf)];
}

function alignMiddle(left: number[], right: number[], edits: number): Run[] | undefined {
  if (left.length === 0 || right.length === 0) return [{ same: false, left: left.length, right: right.length }];
  return diffArrays(left, right, { maxEditLength: edits })?.map(({ added, removed, count }) => ({
    same: !added && !removed,
    left: added ? 0 : count,
    right: removed ? 0 : count,
  }));
}

/** Without empty runs, and neighbours of one kind as one. */
function joined(runs: readonly Run[]): Run[] {
  const result: Run[] = [];
  for (const run of runs) {
    if (run.left + run.right === 0) continue;
    const last = result.at(-1);
    if (last?.same === run.same)
      result[result.length - 1] = { ...run, left: last.left + run.left, right: last.right + run.right };
    else result.push(run);
  }
  return result;
}
