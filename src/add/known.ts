import { RefoundryError, usageError } from "../errors.ts";
import { loadRecipe, loadSource } from "../recipe/load.ts";
import type { Source } from "../recipe/schema.ts";
import { fileOf, listNamed, listRecipes } from "../recipe/tree.ts";
import { shown } from "./text.ts";

/**
 * The source that the factory has already under an address. Throws a usage error when the
 * recipe's name is taken by another source.
 */
export async function knownSource(root: string, name: string, url: string): Promise<Source | undefined> {
  const names = await listNamed(root, "source");
  for (const each of names) {
    const source = await loadSource(root, each);
    if (source.import.kind !== "git") continue;
    if ([source.upstream, ...source.forks].some((address) => sameAddress(address, url))) return source;
  }
  if (!names.includes(name)) return undefined;
  const { upstream } = await loadSource(root, name);
  throw usageError(`there is a source ${name} already, and it is another: ${shown(upstream)}`, {
    location: { file: fileOf("source", name) },
    hint: "nothing is overwritten: choose another name with --name",
  });
}

function sameAddress(a: string, b: string): boolean {
  const plain = (url: string): string => url.replace(/\/+$/, "").replace(/\.git$/, "");
  return plain(a) === plain(b);
}

/** The owners of the factory's recipes, where all have the same; undefined where they have not, or there are none. */
export async function commonOwners(root: string): Promise<readonly string[] | undefined> {
  const all: (readonly string[])[] = [];
  for (const name of await listRecipes(root)) {
    const recipe = await loadRecipe(root, name).catch((error: unknown) => {
      // another recipe that is wrong is for lint to tell of
      if (error instanceof RefoundryError && error.kind === "usage") return undefined;
      throw error;
    });
    if (recipe) all.push(recipe.owners);
  }
  const [first] = all;
  return first && all.every((owners) => owners.join("\n") === first.join("\n")) ? first : undefined;
}
