import { RefoundryError, usageError } from "../errors.ts";
import { versionSchema } from "./values.ts";
import { compareVersions, isPreRelease } from "./version.ts";
import { quoted } from "./words.ts";

/** One condition on a version; `prefix` is what `3.4.*` asks for. */
interface Condition {
  readonly operator: ">=" | ">" | "<=" | "<" | "=" | "prefix" | "any";
  readonly version: string;
}

/** A range of versions: one of the alternatives has to hold, with all its conditions. */
export type VersionRange = readonly (readonly Condition[])[];

/** How releases of a recipe are asked for. */
export const selectorForms =
  "write RECIPE, RECIPE@1.2.3, RECIPE@all, RECIPE@1.2.* or RECIPE@'>=1.2 <2' (|| between alternatives)";
const conditionPattern = /^(>=|<=|>|<|=)?(.+)$/;

/** Parses a range alone: `all`, `3.4.*`, `>=3.4 <3.6 || 4.0.1`. Throws a usage error that names the part that is none. */
export function parseRange(text: string): VersionRange {
  return text.split("||").map((alternative) => {
    // an operator may stand apart from its version
    const parts = alternative
      .replaceAll(/([<>=])\s+/g, "$1")
      .split(/[\s,]+/)
      .filter((part) => part !== "");
    if (parts.length === 0)
      throw usageError(`${quoted(text)} is not a range of versions: a part is empty`, { hint: selectorForms });
    return parts.map((part) => parseCondition(part, text));
  });
}

function parseCondition(part: string, text: string): Condition {
  if (part === "all" || part === "*") return { operator: "any", version: "" };
  const [, operator, version = ""] = conditionPattern.exec(part) ?? [];
  const isPrefix = version.endsWith(".*");
  const named = isPrefix ? version.slice(0, -2) : version;
  if (!versionSchema.safeParse(named).success || (isPrefix && operator !== undefined)) {
    throw usageError(`${quoted(part)} in ${quoted(text)} is not a condition on a version`, { hint: selectorForms });
  }
  if (isPrefix) return { operator: "prefix", version: named };
  return { operator: (operator ?? "=") as Condition["operator"], version: named };
}

/**
 * Whether a version is in a range. What comes before a release (`3.6-rc1`) is not below
 * it for `<3.6`, although it sorts before: who asks for less than 3.6 does not mean it.
 */
export function isInRange(version: string, range: VersionRange): boolean {
  return range.some((conditions) => conditions.every((condition) => holds(version, condition)));
}

function holds(version: string, condition: Condition): boolean {
  const order = compareVersions(version, condition.version);
  switch (condition.operator) {
    case "any":
      return true;
    case "=":
      return order === 0;
    case ">=":
      return order >= 0;
    case ">":
      return order > 0;
    case "<=":
      return order <= 0;
    case "<":
      if (isPreRelease(condition.version)) return order < 0;
      // 3.6-rc1 is of 3.6.0 as well as of 3.6
      return isPreRelease(version)
        ? compareVersions(releasePart(version), condition.version.replace(/(\.0+)+$/, "")) < 0
        : order < 0;
    case "prefix":
      return hasPrefix(plain(version), plain(condition.version));
  }
}

/** `3.6` of `3.6-rc1`, `3.6~1`. */
function releasePart(version: string): string {
  const cut = version.search(/~|[-._]?(alpha|beta|rc|preview|pre|dev|snapshot)/i);
  return cut > 0 ? version.slice(0, cut) : version;
}

function hasPrefix(version: string, prefix: string): boolean {
  return version.startsWith(prefix) && !/^[0-9A-Za-z]/.test(version.slice(prefix.length));
}

/** As {@link compareVersions} has it, a leading `v` does not count. */
function plain(version: string): string {
  return version.replace(/^v(?=\d)/i, "");
}

/** Whether a text is a range, by {@link parseRange}. */
export function isRange(text: string): boolean {
  try {
    parseRange(text);
    return true;
  } catch (error) {
    if (error instanceof RefoundryError) return false;
    throw error;
  }
}
