import { isUtf8 } from "node:buffer";
import { readdirSync, readFileSync } from "node:fs";
import { basename, dirname, join } from "node:path";
import type { z } from "zod";
import type { Problem } from "../errors.ts";
import {
  displayPath,
  hasVersions,
  inOrder,
  laterLocate,
  type LocatedDocument,
  maxFileBytes,
  readTextFile,
} from "./document.ts";
import { describeIssue, problemsOf } from "./issues.ts";
import type { Report, RuleId } from "./lint-rules.ts";
import { inheritedFile, type ReadTemplate, withTemplate } from "./inherit.ts";
import { quickYaml } from "./lint-quick-yaml.ts";
import { listFolder } from "./tree.ts";
import { compareVersions } from "./version.ts";
import { parseYaml, type YamlTree } from "./yaml-tree.ts";

/** A visible entry of a folder; a symbolic link is neither file nor folder. */
export interface Entry {
  readonly name: string;
  isFile(): boolean;
  isDirectory(): boolean;
}

/** What a file says, before any schema. */
export interface WrittenData {
  readonly file: string;
  readonly data: unknown;
}

/** Reads a factory's folder once: each folder is listed and each file read a single time. */
export interface TreeReader {
  readonly root: string;
  /** The visible entries of a folder below the root, by name; none when it is not there. */
  list(folder: string): Promise<ReadonlyMap<string, Entry>>;
  /** The names of the YAML files in a folder, without `.yaml`, in the order of versions. */
  names(folder: string): Promise<readonly string[]>;
  /** Reads a text file; tells of what keeps it from being read. */
  text(path: string): Promise<{ readonly text: string; readonly file: string } | undefined>;
  /**
   * Reads a YAML file and checks it against a schema; tells of all that is wrong with it.
   * `onText` sees the text and the data even when the schema does not allow what is there.
   */
  document<T>(
    path: string,
    schema: z.ZodType<T>,
    onText?: (text: string, written: WrittenData) => void,
  ): Promise<LocatedDocument<T> | undefined>;
}

const maxProblems = 50;

/** Makes a reader of a factory's folder that tells `report` of what it cannot read. */
export function createTreeReader(root: string, report: Report): TreeReader {
  const listings = new Map<string, ReadonlyMap<string, Entry>>();
  const plain = new Map<string, boolean>([["", true]]);
  const decoder = new TextDecoder();

  const listed = async (folder: string): Promise<ReadonlyMap<string, Entry>> => {
    const known = listings.get(folder);
    if (known) return known;
    const entries = quickList(join(root, folder)) ?? (await listFolder(join(root, folder)));
    const byName = new Map(entries.map((entry) => [entry.name, entry]));
    listings.set(folder, byName);
    return byName;
  };
  /** Whether a folder and all above it, up to the root, are no symbolic links. */
  const isPlain = async (folder: string): Promise<boolean> => {
    const known = plain.get(folder);
    if (known !== undefined) return known;
    const above = dirname(folder) === "." ? "" : dirname(folder);
    const found =
      (await isPlain(above)) &&
      (await listed(above)).get(folder.slice(folder.lastIndexOf("/") + 1))?.isDirectory() === true;
    plain.set(folder, found);
    return found;
  };
  /** What a listing shows to be a plain file is read in one go; all else is left to the reader that says what is wrong. */
  const quickText = async (path: string): Promise<string | undefined> => {
    const folder = dirname(path);
    if (!(await isPlain(folder)) || (await listed(folder)).get(basename(path))?.isFile() !== true) return undefined;
    try {
      const bytes = readFileSync(join(root, path));
      return bytes.length <= maxFileBytes && isUtf8(bytes) ? decoder.decode(bytes) : undefined;
    } catch {
      return undefined;
    }
  };
  const text: TreeReader["text"] = async (path) => {
    const quick = await quickText(path);
    if (quick !== undefined) return { text: quick, file: displayPath(join(root, path)) };
    const read = await readTextFile(root, path);
    if (read.text !== undefined) return { text: read.text, file: read.file };
    report("layout", read.problem);
    return undefined;
  };

  const readTemplate: ReadTemplate = async (path) => {
    const { text: written, problem, file } = await readTextFile(root, path);
    return problem ? { problems: [problem] } : parseYaml(written, file);
  };

  return {
    root,
    list: listed,
    text,
    async names(folder) {
      return [...(await listed(folder)).values()]
        .filter((entry) => entry.name.endsWith(".yaml") && !entry.isDirectory())
        .map((entry) => entry.name.slice(0, -".yaml".length))
        .toSorted(compareVersions);
    },
    async document(path, schema, onText) {
      const found = await text(path);
      if (!found) return undefined;
      const quick = quickYaml(found.text);
      const isPlain = quick !== undefined && inheritedFile(quick) === undefined && !hasVersions(quick);
      const read = isPlain ? schema.safeParse(quick) : undefined;
      if (read?.success) {
        onText?.(found.text, { file: found.file, data: quick });
        return { value: read.data, file: found.file, locate: laterLocate(found.text, found.file) };
      }
      const own = parseYaml(found.text, found.file);
      report("yaml", ...inOrder(own.problems));
      if (!own.tree) return undefined;
      const { tree, problems: inherited } = await withTemplate(own.tree, readTemplate);
      report("reference", ...inOrder(inherited));
      const problems = [...own.problems, ...inherited];
      const parsed = schema.safeParse(tree.data, { error: describeIssue, reportInput: false });
      if (problems.length === 0) onText?.(found.text, own.tree);
      if (parsed.success && problems.length === 0)
        return { value: parsed.data, file: found.file, locate: tree.locate, tree };
      if (!parsed.success) reportIssues(parsed.error.issues, schema, tree, report);
      return undefined;
    },
  };
}

function reportIssues(issues: readonly z.core.$ZodIssue[], schema: z.ZodType, tree: YamlTree, report: Report): void {
  const groups = Map.groupBy(issues, (issue) => ruleOf(issue, tree));
  let told = 0;
  for (const [rule, group] of groups) {
    // a repeated look at all of a file's mistakes would be as slow as there are many
    const problems: readonly Problem[] = inOrder(problemsOf(group, schema, tree));
    report(rule, ...problems.slice(0, maxProblems - told));
    if (problems.length > maxProblems - told) {
      report(rule, { message: "and more problems", location: { file: tree.file } });
      return;
    }
    told += problems.length;
  }
}

const pinKeys: ReadonlySet<PropertyKey> = new Set([
  "commit",
  "tree",
  "archive",
  "digest",
  "index",
  "manifest",
  "buildKey",
  "sha256",
]);

/** Which rule a schema's finding belongs to: by where it is; what is missing or unknown is the schema's. */
function ruleOf(issue: z.core.$ZodIssue, tree: YamlTree, base: readonly PropertyKey[] = []): RuleId {
  const path = [...base, ...issue.path];
  // what is said for some versions is as what is said for all
  const inside = path[0] === "versions" && typeof path[1] === "number" ? path.slice(2) : path;
  if (issue.code === "invalid_union") {
    const inner = issue.errors.flat().map((each) => ruleOf(each, tree, path));
    return inner.find((rule) => rule !== "schema") ?? "schema";
  }
  if (issue.code === "unrecognized_keys") return "schema";
  if (!tree.has(path.map((part) => (typeof part === "number" ? part : String(part))))) return "schema";
  if (inside[0] === "platforms") return "platforms";
  if (inside[0] === "build" && inside.length > 1 && inside[1] !== "dockerfile") return "hermeticity";
  const last = path.at(-1);
  const above = path.at(-2);
  if (last !== undefined && pinKeys.has(last)) return "pin";
  if (path.length === 1 && last === "image" && issue.code === "invalid_format" && /@sha256/.test(issue.message))
    return "pin";
  if (above === "manifests") return issue.code === "invalid_key" ? "platforms" : "pin";
  return above === "platforms" && path[0] === "expect" ? "platforms" : "schema";
}

/** A folder's visible entries in one go; undefined when it is not there or cannot be listed, which others explain. */
function quickList(path: string): readonly Entry[] | undefined {
  try {
    const entries = readdirSync(path, { withFileTypes: true });
    return entries
      .filter((entry) => !entry.name.startsWith("."))
      .sort((a, b) => (a.name < b.name ? -1 : a.name > b.name ? 1 : 0));
  } catch {
    return undefined;
  }
}
