import { isUtf8 } from "node:buffer";
import { closeSync, constants, fstatSync, openSync, readSync, realpathSync } from "node:fs";
import { join, relative, resolve } from "node:path";
import type { z } from "zod";
import { errorCode, type Location, messageOf, type Problem, RefoundryError } from "../errors.ts";
import { describeIssue, problemsOf } from "./issues.ts";
import { inheritedFile, type ReadTemplate, withTemplate } from "./inherit.ts";
import { quickYaml } from "./lint-quick-yaml.ts";
import { type Recipe, recipeSchema } from "./schema.ts";
import { escapeUnseen } from "./words.ts";
import { type DocumentPath, parseYaml, type YamlTree } from "./yaml-tree.ts";

/** A file that was read and is as its schema says, with the place of everything in it. */
export interface LocatedDocument<T> {
  readonly value: T;
  /** The file's path for messages: from the current folder when it is below that. */
  readonly file: string;
  /** The place of a key or of its value (the default). */
  locate(path: DocumentPath, part?: "key" | "value"): Location;
  /** What it was read from, where that was kept. */
  readonly tree?: YamlTree;
}

/** A document, or all that is wrong with it. */
export type DocumentResult<T> =
  | { readonly document: LocatedDocument<T>; readonly problems: readonly [] }
  | { readonly document?: undefined; readonly problems: readonly Problem[] };

/** Largest file of recipes and locks that is read: a lock of 4000 packages; the YAML parser takes 1 KB of memory for each mistake. */
export const maxFileBytes = 1024 * 1024;
const maxProblems = 50;

/** Reads and checks one YAML file below `root`; `path` is relative to that. */
export async function readDocument<T>(root: string, path: string, schema: z.ZodType<T>): Promise<DocumentResult<T>> {
  const { text, problem, file } = await readTextFile(root, path);
  if (problem) return { problems: [problem] };
  return quickDocument(text, file, schema) ?? parseDocument(text, file, schema);
}

/** Most files are right, and written so plainly that reading them takes a tenth of the time. */
function quickDocument<T>(text: string, file: string, schema: z.ZodType<T>): DocumentResult<T> | undefined {
  const data = quickYaml(text);
  // what is laid over something else needs the places of both
  if (data === undefined || inheritedFile(data) !== undefined || hasVersions(data)) return undefined;
  const read = schema.safeParse(data);
  if (!read.success) return undefined;
  return { document: { value: read.data, file, locate: laterLocate(text, file) }, problems: [] };
}

/** Whether a recipe says what some of its versions need otherwise. */
export function hasVersions(data: unknown): boolean {
  return typeof data === "object" && data !== null && "versions" in data;
}

/** Places cost ten times what reading does, and most files are never pointed into: they are looked for when first asked for. */
export function laterLocate(text: string, file: string): LocatedDocument<unknown>["locate"] {
  let tree: YamlTree | undefined;
  return (path, part) => {
    tree ??= parseYaml(text, file).tree;
    return tree?.locate(path, part) ?? { file };
  };
}

/** Reads and checks a recipe below `root`, with what it inherits. */
export async function readRecipeDocument(root: string, path: string): Promise<DocumentResult<Recipe>> {
  const { text, problem, file } = await readTextFile(root, path);
  if (problem) return { problems: [problem] };
  const quick = quickDocument(text, file, recipeSchema);
  if (quick) return quick;
  const read = parseYaml(text, file);
  if (!read.tree) return { problems: inOrder(read.problems) };
  const { tree, problems } = await withTemplate(read.tree, (template) => readYaml(root, template));
  return checkTree(tree, [...read.problems, ...problems], recipeSchema);
}

/** Reads one YAML file below `root`, as what it says. */
async function readYaml(root: string, path: string): ReturnType<ReadTemplate> {
  const { text, problem, file } = await readTextFile(root, path);
  return problem ? { problems: [problem] } : parseYaml(text, file);
}

/** Checks the text of one YAML file against a schema; `file` is its name in messages. */
export function parseDocument<T>(text: string, file: string, schema: z.ZodType<T>): DocumentResult<T> {
  const { tree, problems } = parseYaml(text, file);
  if (!tree) return { problems: inOrder(problems) };
  return checkTree(tree, problems, schema);
}

/** Checks what was read from a YAML file against a schema; `problems` is what is wrong with it already. */
export function checkTree<T>(tree: YamlTree, problems: readonly Problem[], schema: z.ZodType<T>): DocumentResult<T> {
  const { file } = tree;
  const parsed = schema.safeParse(tree.data, { error: describeIssue, reportInput: false });
  const all = [...problems, ...(parsed.success ? [] : problemsOf(parsed.error.issues, schema, tree))];
  if (!parsed.success || all.length > 0) return { problems: shortened(inOrder(all), file) };
  return { document: { value: parsed.data, file, locate: tree.locate, tree }, problems: [] };
}

/** The document of a result. Throws one usage error with all the problems when there is none. */
export function documentOf<T>(result: DocumentResult<T>): LocatedDocument<T> {
  if (!result.document) throw new RefoundryError("usage", result.problems);
  return result.document;
}

/**
 * The text of a UTF-8 file below `root`, or what keeps it from being read: it is not a
 * regular file, lies behind a symbolic link, or is larger than {@link maxFileBytes}.
 */
export async function readTextFile(
  root: string,
  path: string,
): Promise<
  { readonly file: string } & (
    | { readonly text: string; readonly problem?: undefined }
    | { readonly text?: undefined; readonly problem: Problem }
  )
> {
  const full = join(root, path);
  const file = displayPath(full);
  const refuse = (message: string, hint?: string): { file: string; problem: Problem } => ({
    file,
    problem: { message, location: { file }, ...(hint !== undefined && { hint }) },
  });
  try {
    // files are small, and there are thousands: each of these calls costs more to hand to a thread than to wait for
    if (realpathSync.native(full) !== join(realpathSync.native(root), path)) {
      return refuse("lies behind a symbolic link", "put the file itself there: what is reviewed is what is used");
    }
    // a pipe in place of the file must not make us wait
    const handle = openSync(full, constants.O_RDONLY | constants.O_NOFOLLOW | constants.O_NONBLOCK);
    try {
      const found = fstatSync(handle);
      if (!found.isFile()) return refuse("is not a regular file");
      const bytes = Buffer.alloc(Math.min(found.size, maxFileBytes) + 1);
      let size = 0;
      while (size < bytes.length) {
        const bytesRead = readSync(handle, bytes, size, bytes.length - size, null);
        if (bytesRead === 0) break;
        size += bytesRead;
      }
      if (size > found.size) return refuse("is being written to", "try again");
      if (size > maxFileBytes) return refuse(`is larger than the ${maxFileBytes / 1024 / 1024} MiB that are read`);
      return decode(bytes.subarray(0, size), file);
    } finally {
      closeSync(handle);
    }
  } catch (error) {
    if (errorCode(error) === "ENOENT") return refuse("there is no such file");
    return refuse(`cannot be read: ${messageOf(error)}`);
  }
}

function decode(bytes: Uint8Array, file: string): { file: string; text: string } | { file: string; problem: Problem } {
  if (isUtf8(bytes)) return { file, text: new TextDecoder().decode(bytes) };
  let line = 1;
  let start = 0;
  for (;;) {
    const end = bytes.indexOf(0x0a, start);
    if (end === -1 || !isUtf8(bytes.subarray(start, end))) break;
    line += 1;
    start = end + 1;
  }
  return { file, problem: { message: "is not UTF-8 text", location: { file, line }, hint: "save it as UTF-8" } };
}

/** A path for messages: from the current folder when it is below that, else absolute. */
export function displayPath(path: string): string {
  const inside = relative(process.cwd(), resolve(path));
  return escapeUnseen(inside === "" || inside.startsWith("..") ? resolve(path) : inside);
}

/** Problems by file, line and column. */
export function inOrder<P extends Problem>(problems: readonly P[]): P[] {
  return problems.toSorted((a, b) => {
    const [left, right] = [a.location, b.location];
    const files = (left?.file ?? "") < (right?.file ?? "") ? -1 : (left?.file ?? "") > (right?.file ?? "") ? 1 : 0;
    return files || (left?.line ?? 0) - (right?.line ?? 0) || (left?.column ?? 0) - (right?.column ?? 0);
  });
}

function shortened(problems: readonly Problem[], file: string): readonly Problem[] {
  if (problems.length <= maxProblems) return problems;
  const rest: Problem = { message: "and more problems", location: { file } };
  return [...problems.slice(0, maxProblems), rest];
}
