import { Lexer } from "yaml";
import type { z } from "zod";
import { canonicalJson } from "../json.ts";
import { recipeSchema, releaseSchema, sourceSchema, toolchainLockSchema, toolchainSchema } from "./schema.ts";
import { type DocumentPath, parseYaml, type YamlTree } from "./yaml-tree.ts";

/** The kinds of files whose form is looked at. */
export type StyledKind = "recipe" | "release" | "source" | "toolchain" | "lock";

/** The schema of each kind. */
export const styledSchemas: Readonly<Record<StyledKind, z.ZodType>> = {
  recipe: recipeSchema,
  release: releaseSchema,
  source: sourceSchema,
  toolchain: toolchainSchema,
  lock: toolchainLockSchema,
};

/** Where a recipe may have lists whose order says nothing: platforms, its own and those of its waivers and dependences, and those of some versions. */
export function platformLists(recipe: unknown): DocumentPath[] {
  const itemsOf = (path: DocumentPath): DocumentPath[] => {
    const list = valueAt(recipe, path);
    return Array.isArray(list) ? [...list.keys()].map((index) => [...path, index]) : [];
  };
  return [[], ...itemsOf(["versions"])].flatMap((place) => [
    [...place, "platforms", "reproduce"],
    [...place, "platforms", "extend"],
    ...["waivers", "varies"].flatMap((key) => itemsOf([...place, key]).map((entry) => [...entry, "platforms"])),
  ]);
}

/**
 * What a file says, as a text that is equal for files that say the same; undefined when it
 * cannot be read. The order of keys and of platforms does not count, and where the schema
 * wants text, a number or truth value stands for the characters that are written.
 */
export function meaningOf(text: string, kind: StyledKind): string | undefined {
  const { tree, problems } = parseYaml(text, "");
  if (!tree || problems.length > 0) return undefined;
  const data = structuredClone(tree.data);
  for (const path of unquotedTexts(tree, kind)) put(data, path, tree.scalar(path)?.text);
  if (kind === "recipe") {
    for (const path of platformLists(data)) {
      const list = valueAt(data, path);
      if (Array.isArray(list) && list.every((item) => typeof item === "string")) put(data, path, list.toSorted());
    }
  }
  return canonicalJson(data);
}

/** The places where the schema wants text and a number, or true or false, is written without quotes. */
export function unquotedTexts(tree: YamlTree, kind: StyledKind): DocumentPath[] {
  const parsed = styledSchemas[kind].safeParse(tree.data);
  if (parsed.success) return [];
  return parsed.error.issues.flatMap((issue) => {
    if (issue.code !== "invalid_type" || issue.expected !== "string") return [];
    const path = issue.path.map((part) => (typeof part === "number" ? part : String(part)));
    const scalar = tree.scalar(path);
    const quotable = scalar?.plain === true && (typeof scalar.value === "number" || typeof scalar.value === "boolean");
    return quotable ? [path] : [];
  });
}

/** All comments of a YAML text, whatever their order, without white space at their ends. */
export function commentsOf(text: string): string {
  const comments = [...new Lexer().lex(text)].filter((token) => token.startsWith("#"));
  return comments
    .map((comment) => comment.trimEnd())
    .toSorted()
    .join("\n");
}

function valueAt(data: unknown, path: DocumentPath): unknown {
  return path.reduce<unknown>(
    (value, part) => (isContainer(value) && Object.hasOwn(value, part) ? value[part] : undefined),
    data,
  );
}

function put(data: unknown, path: DocumentPath, value: unknown): void {
  const parent = valueAt(data, path.slice(0, -1));
  const last = path.at(-1);
  if (isContainer(parent) && last !== undefined) parent[last] = value;
}

function isContainer(value: unknown): value is Record<string | number, unknown> {
  return typeof value === "object" && value !== null;
}
