import type { z } from "zod";
import type { Problem } from "../errors.ts";
import { didYouMean, escapeUnseen, nearNames, orList, quoted } from "./words.ts";
import type { DocumentPath, YamlTree } from "./yaml-tree.ts";

type Schema = z.core.$ZodType;
type Issue = z.core.$ZodIssue;

/** Finding a key's place takes a walk along its mapping, so a file of nothing but mistakes must not have all of them placed. */
const maxFindings = 200;

/** One thing that the schema does not allow, before it is put into words. */
type Finding =
  | { readonly kind: "unknown"; readonly path: DocumentPath; readonly known: readonly string[] }
  | { readonly kind: "missing"; readonly path: DocumentPath }
  | { readonly kind: "bad-key"; readonly path: DocumentPath; readonly message: string }
  | { readonly kind: "value"; readonly path: DocumentPath; readonly message: string; readonly textWanted: boolean };

/**
 * Puts zod's issues on a document into words, each at its place in the file. Of a union
 * only the branch that fits best speaks. At most a few hundred are looked at.
 */
export function problemsOf(issues: readonly Issue[], schema: Schema, tree: YamlTree): Problem[] {
  const findings = issues.slice(0, maxFindings).flatMap((issue) => findingsOf(issue, [], schema, tree));
  const misspelt = findings.flatMap((finding) =>
    finding.kind === "unknown"
      ? nearNames(lastKey(finding.path), finding.known).map((name) => pathText([...finding.path.slice(0, -1), name]))
      : [],
  );
  return findings
    .filter((finding) => finding.kind !== "missing" || !misspelt.includes(pathText(finding.path)))
    .map((finding) => problemOf(finding, tree));
}

/** What zod says where the schema has no words of its own; for `error` of `safeParse`. */
export function describeIssue(issue: z.core.$ZodRawIssue): string {
  switch (issue.code) {
    case "invalid_type":
      return `must be ${kindNames[String(issue.expected)] ?? `of type ${issue.expected}`}`;
    case "invalid_value":
      return `must be ${orList((issue.values ?? []).map((value) => quoted(String(value))))}`;
    case "too_small":
      if (issue.origin === "string") return "must not be empty";
      if (issue.origin === "array") return `needs at least ${issue.minimum} ${issue.minimum === 1 ? "item" : "items"}`;
      return issue.inclusive === false ? `must be more than ${issue.minimum}` : `must be at least ${issue.minimum}`;
    case "too_big":
      if (issue.origin === "string") return `is longer than ${issue.maximum} characters`;
      return issue.inclusive === false ? `must be less than ${issue.maximum}` : `must be at most ${issue.maximum}`;
    case "invalid_format":
      return issue.format === "date" ? "must be a date, as in 2027-06-30" : `does not have the form ${issue.format}`;
    case "invalid_union":
      return `must be ${orList((Array.isArray(issue.options) ? issue.options : []).map((option) => quoted(String(option))))}`;
    default:
      return "is not allowed";
  }
}

/** A path as people write it: `platforms.reproduce[1]`. */
export function pathText(path: DocumentPath): string {
  return path
    .map((segment, index) => {
      if (typeof segment === "number") return `[${segment}]`;
      if (!/^[\w-]+$/.test(segment)) return `[${quoted(segment)}]`;
      return index === 0 ? segment : `.${segment}`;
    })
    .join("");
}

const kindNames: Readonly<Record<string, string>> = {
  string: "text",
  number: "a number",
  int: "a whole number",
  boolean: "true or false",
  array: "a list",
  object: "a mapping of keys to values",
  record: "a mapping of keys to values",
};

function findingsOf(issue: Issue, base: DocumentPath, schema: Schema, tree: YamlTree): Finding[] {
  const path = [...base, ...documentPath(issue.path)];
  const here = (): Schema[] => schemasAt(schema, documentPath(issue.path));
  if (issue.code === "unrecognized_keys") {
    const known = [...new Set(here().flatMap(keysOf))];
    return issue.keys.slice(0, maxFindings).map((key) => ({ kind: "unknown", path: [...path, key], known }));
  }
  if (issue.code === "invalid_key") {
    return [{ kind: "bad-key", path, message: issue.issues[0]?.message ?? "is not allowed" }];
  }
  if (!tree.has(path)) return [{ kind: "missing", path }];
  if (issue.code === "invalid_union" && issue.errors.length > 0) {
    const best = issue.errors
      .map((branch, index) => ({ branch, index, misfit: misfit(branch, path, tree) }))
      .reduce((a, b) => (b.misfit < a.misfit ? b : a));
    const options = here().flatMap(optionsOf);
    const branchSchema = options[best.index] ?? schema;
    return best.branch.flatMap((nested) => findingsOf(nested, path, branchSchema, tree));
  }
  const textWanted = issue.code === "custom" || (issue.code === "invalid_type" && issue.expected === "string");
  return [{ kind: "value", path, message: issue.message, textWanted }];
}

/** How badly a branch of a union fits what is written; the shape weighs more than the values. */
function misfit(branch: readonly Issue[], base: DocumentPath, tree: YamlTree): number {
  const isMissing = (issue: Issue): boolean =>
    issue.code !== "unrecognized_keys" && !tree.has([...base, ...documentPath(issue.path)]);
  const missing = branch.filter(isMissing).map((issue) => String(issue.path.at(-1)));
  return branch.reduce((sum, issue) => {
    if (issue.code === "unrecognized_keys") {
      return sum + issue.keys.reduce((keys, key) => keys + (nearNames(key, missing).length > 0 ? 1 : 10), 0);
    }
    if (isMissing(issue)) return sum + 5;
    return sum + (issue.path.length === 0 && issue.code === "invalid_type" ? 100 : 1);
  }, 0);
}

function problemOf(finding: Finding, tree: YamlTree): Problem {
  const { path } = finding;
  const key = lastKey(path);
  const label = path.length === 0 ? "" : `${pathText(path)}: `;
  switch (finding.kind) {
    case "unknown": {
      const hint = didYouMean(key, finding.known) ?? `known here: ${finding.known.join(", ")}`;
      return { message: `${parentLabel(path)}unknown key ${quoted(key)}`, location: tree.locate(path, "key"), hint };
    }
    case "missing":
      return {
        message: `${parentLabel(path)}the key ${quoted(key)} is missing`,
        location: tree.locate(path.slice(0, -1), "key"),
      };
    case "bad-key":
      return {
        message: `${parentLabel(path)}the key ${quoted(key)} ${finding.message}`,
        location: tree.locate(path, "key"),
      };
    case "value":
      break;
  }
  const location = tree.locate(path);
  const scalar = tree.scalar(path);
  if (!scalar) return { message: `${label}${finding.message}`, location };
  if (scalar.value === null) return { message: `${label}is empty, and ${finding.message}`, location };
  if (typeof scalar.value === "string")
    return { message: `${label}${quoted(scalar.value)} ${finding.message}`, location };
  const written = escapeUnseen(scalar.text);
  if (!finding.textWanted || !scalar.plain) return { message: `${label}${written} ${finding.message}`, location };
  const kind = typeof scalar.value === "number" ? "a number" : "true or false";
  const line = typeof path.at(-1) === "number" ? `- "${written}"` : `${key}: "${written}"`;
  return {
    message: `${label}must be text, and ${written} without quotes is ${kind}`,
    location,
    hint: `quote it: ${line}`,
  };
}

function parentLabel(path: DocumentPath): string {
  return path.length > 1 ? `${pathText(path.slice(0, -1))}: ` : "";
}

function lastKey(path: DocumentPath): string {
  return String(path.at(-1) ?? "");
}

function documentPath(path: readonly PropertyKey[]): (string | number)[] {
  return path.map((segment) => (typeof segment === "number" ? segment : String(segment)));
}

/** The schemas that may apply at a path: more than one below a union. */
function schemasAt(schema: Schema, path: DocumentPath): Schema[] {
  let current = [schema];
  for (const segment of path) current = current.flatMap(alternatives).flatMap((each) => childOf(each, segment));
  return current;
}

function definitionOf(schema: Schema): z.core.$ZodTypes["_zod"]["def"] {
  const { _zod: internals } = schema as z.core.$ZodTypes;
  return internals.def;
}

function childOf(schema: Schema, segment: string | number): Schema[] {
  const def = definitionOf(schema);
  if (def.type === "object")
    return typeof segment === "string" && Object.hasOwn(def.shape, segment) ? [def.shape[segment] as Schema] : [];
  if (def.type === "array") return [def.element];
  return def.type === "record" ? [def.valueType] : [];
}

/** A schema without its wrappers, a union as its branches. */
function alternatives(schema: Schema): Schema[] {
  const def = definitionOf(schema);
  if (def.type === "optional" || def.type === "default") return alternatives(def.innerType);
  return def.type === "union" ? def.options.flatMap(alternatives) : [schema];
}

function optionsOf(schema: Schema): readonly Schema[] {
  const def = definitionOf(schema);
  if (def.type === "optional" || def.type === "default") return optionsOf(def.innerType);
  return def.type === "union" ? def.options : [];
}

function keysOf(schema: Schema): string[] {
  return alternatives(schema).flatMap((each) => {
    const def = definitionOf(each);
    return def.type === "object" ? Object.keys(def.shape) : [];
  });
}
