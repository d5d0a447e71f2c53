import { runInNewContext } from "node:vm";
import { usageError } from "../errors.ts";
import { compareVersions } from "../recipe/version.ts";

/** Which of an image's tags are wanted beside those that are named. */
export interface TagMatch {
  /** Conditions on versions with spaces between them, of which all hold: `>=1.36 <2`. */
  readonly range?: string | undefined;
  /** A regular expression for the whole tag. */
  readonly pattern?: string | undefined;
  /** How many are taken at most, the newest. */
  readonly newest: number;
}

interface Condition {
  readonly operator: string;
  readonly version: readonly number[];
}

const matchMilliseconds = 1000;
const conditionPattern = /^(>=|<=|>|<|=)v?([0-9]{1,9}(?:\.[0-9]{1,9}){0,5})$/;
const versionPattern = /^v?([0-9]{1,9}(?:\.[0-9]{1,9}){0,5})(?=$|[^0-9.])/;
const plainVersion = /^v?[0-9]+(?:\.[0-9]+)*$/;

/** Why a text is no range of versions, or undefined where it is one. */
export function problemOfRange(text: string): string | undefined {
  const wrong = text.split(" ").find((condition) => !conditionPattern.test(condition));
  return wrong === undefined ? undefined : `has "${wrong}", which is no condition such as >=1.36 or <2`;
}

/** Why a text is no pattern for tags, or undefined where it is one. */
export function problemOfPattern(text: string): string | undefined {
  try {
    void new RegExp(`^(?:${text})$`, "u");
  } catch {
    return "is not a regular expression";
  }
  return undefined;
}

/**
 * The tags that a match takes, the newest first and at most `newest` of them. A range
 * looks at the numbers at a tag's beginning, where missing ones are 0; without a pattern
 * it takes tags that are nothing but a version, so no `1.36-musl` and no `2.0-rc1`.
 * Throws a usage error when the pattern takes too long, as nested repetitions can.
 */
export function chooseTags(match: TagMatch, tags: readonly string[]): string[] {
  const pattern = match.pattern === undefined ? plainVersion : new RegExp(`^(?:${match.pattern})$`, "u");
  const conditions = match.range === undefined ? [] : match.range.split(" ").flatMap(parseCondition);
  return (
    matching(pattern, tags)
      // such a tag cannot be a key of the lock
      .filter((tag) => tag !== "__proto__" && holds(conditions, tag))
      .toSorted((a, b) => compareVersions(b, a))
      .slice(0, match.newest)
  );
}

/** With a time limit: what a pattern is tried on is named by others. */
function matching(pattern: RegExp, tags: readonly string[]): string[] {
  try {
    const found: unknown = runInNewContext(
      "tags.map((tag) => pattern.test(tag))",
      { tags, pattern },
      { timeout: matchMilliseconds },
    );
    return tags.filter((_, index) => Array.isArray(found) && found[index] === true);
  } catch (cause) {
    // an error of that other context is no Error of this one
    const isTimeout = (cause as { readonly code?: unknown } | undefined)?.code === "ERR_SCRIPT_EXECUTION_TIMEOUT";
    if (!isTimeout) throw cause;
    throw usageError(`the pattern ${pattern.source} takes too long for these tags`, {
      cause,
      hint: "write it without a repetition in a repetition",
    });
  }
}

function holds(conditions: readonly Condition[], tag: string): boolean {
  if (conditions.length === 0) return true;
  const numbers = versionPattern.exec(tag)?.[1];
  if (numbers === undefined) return false;
  const version = numbersOf(numbers);
  return conditions.every(({ operator, version: bound }) => {
    const order = compareNumbers(version, bound);
    if (order === 0) return operator.includes("=");
    return order < 0 ? operator.startsWith("<") : operator.startsWith(">");
  });
}

function parseCondition(text: string): Condition[] {
  const [, operator, version] = conditionPattern.exec(text) ?? [];
  return operator === undefined || version === undefined ? [] : [{ operator, version: numbersOf(version) }];
}

function numbersOf(text: string): number[] {
  return text.split(".").map(Number);
}

function compareNumbers(a: readonly number[], b: readonly number[]): number {
  for (let index = 0; index < Math.max(a.length, b.length); index++) {
    const order = (a[index] ?? 0) - (b[index] ?? 0);
    if (order !== 0) return order;
  }
  return 0;
}
