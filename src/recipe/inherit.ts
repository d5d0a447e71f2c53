import type { Problem } from "../errors.ts";
import { isMapping, layered } from "./layers.ts";
import { nameSchema } from "./values.ts";
import { templateFile } from "./tree.ts";
import type { YamlTree } from "./yaml-tree.ts";

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
  return { problems: template.problems, tree: layered(below, tree) };
}
