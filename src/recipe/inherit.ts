import type { Problem } from "../errors.ts";
import { nameSchema } from "./schema.ts";
import { templateFile } from "./tree.ts";
import type { DocumentPath, YamlTree } from "./yaml-tree.ts";

/** Reads a template as YAML, by its path from the root; without a tree, the problems say why. */
export type ReadTemplate = (
  path: string,
) => Promise<{ readonly tree?: YamlTree; readonly problems: readonly Problem[] }>;

/** The template that a recipe inherits, from the root; undefined when it names none, or what is no name. */
export function inheritedFile(data: unknown): string | undefined {
  if (!isMapping(data)) return undefined;
  const name = data["inherits"];
  return nameSchema.safeParse(name).success ? templateFile(String(name)) : undefined;
}

/**
 * A recipe with what its template says where it says nothing: mappings are merged key by
 * key, lists and scalars are the recipe's where it has them. Places are those of the file
 * that says it. Without a template, the recipe as it is.
 */
export async function withTemplate(
  tree: YamlTree,
  read: ReadTemplate,
): Promise<{ readonly tree: YamlTree; readonly problems: readonly Problem[] }> {
  const path = inheritedFile(tree.data);
  if (path === undefined) return { tree, problems: [] };
  const template = await read(path);
  const from = tree.locate(["inherits"]);
  if (!template.tree) {
    const problems = template.problems.map((problem) => ({ ...problem, location: problem.location ?? from }));
    return { tree, problems };
  }
  const { tree: below } = template;
  if (!isMapping(below.data) || "inherits" in below.data || "image" in below.data) {
    const message = "a template is a part of a recipe, without image and inherits";
    return { tree, problems: [{ message, location: below.locate(["inherits"]), hint: "only recipes inherit" }] };
  }
  const own = (at: DocumentPath): boolean => tree.has(at) || !below.has(at) || insideOwnList(tree, at);
  return {
    problems: template.problems,
    tree: {
      file: tree.file,
      data: merged(below.data, tree.data),
      has: (at) => tree.has(at) || (!insideOwnList(tree, at) && below.has(at)),
      locate: (at, part) => (own(at) ? tree : below).locate(at, part),
      scalar: (at) => (own(at) ? tree : below).scalar(at),
    },
  };
}

function merged(below: unknown, above: unknown): unknown {
  if (!isMapping(below) || !isMapping(above)) return above;
  const all: Record<string, unknown> = { ...below };
  for (const [key, value] of Object.entries(above))
    all[key] = Object.hasOwn(below, key) ? merged(below[key], value) : value;
  return all;
}

/** What the recipe has as a list or scalar hides all that the template has below. */
function insideOwnList(tree: YamlTree, at: DocumentPath): boolean {
  let value: unknown = tree.data;
  for (const part of at) {
    if (!isMapping(value)) return true;
    if (!Object.hasOwn(value, String(part))) return false;
    value = value[String(part)];
  }
  return false;
}

function isMapping(value: unknown): value is Record<string, unknown> {
  return typeof value === "object" && value !== null && !Array.isArray(value);
}
