import { existsSync } from "node:fs";
import { mkdir } from "node:fs/promises";
import { join } from "node:path";
import type { Revision } from "../git/revision.ts";
import { canonicalJson } from "../json.ts";
import { type Digest, digestOf } from "../oci/digest.ts";
import { type LocatedDocument, readDocument, readRecipeDocument } from "../recipe/document.ts";
import { type Context, type ContextPin, type Recipe, type Release, releaseSchema } from "../recipe/schema.ts";
import { fileOf, folders, recipeFolder, releaseFile, templateFile, templateFolder } from "../recipe/tree.ts";
import { filesOfOtherVersions, recipeForVersion } from "../recipe/versions.ts";
import type { CatalogueRelease } from "./catalogue.ts";
import { contextDigestOf, listContext } from "./context-digest.ts";
import type { Earlier } from "./types.ts";

/** What is checked of a release, as opposed to built. */
export function checksOf({ smoke, waivers, upstream }: Recipe): Digest {
  return digestOf(canonicalJson({ smoke, waivers, upstream }));
}

/** The inputs of a release's build that the files of a factory decide. */
export function fileInputsOf(
  recipe: Recipe,
  { source, toolchain, contexts }: Release,
  context: Digest,
): Extract<Earlier, { state: "there" }>["inputs"] {
  const { build } = recipe;
  const built = Object.entries(contexts ?? {}).flatMap(([name, pin]) =>
    isOfBuild(recipe.contexts[name]) ? [[name, digestOfPin(pin)] as const] : [],
  );
  return {
    source: source.archive,
    epoch: source.epoch,
    context,
    dockerfile: build.dockerfile,
    toolchain: toolchain.digest,
    ...(built.length > 0 && { contexts: Object.fromEntries(built) }),
    args: build.args,
    ...(Object.keys(build.platformArgs).length > 0 && { platformArgs: build.platformArgs }),
    ...(build.patches.length > 0 && { patches: build.patches }),
  };
}

/** Whether builds use a context; what only smoke tests use is not in the build key. */
function isOfBuild(context: Context | undefined): boolean {
  return context !== undefined && !("toolchain" in context && context.use === "smoke");
}

function digestOfPin(pin: ContextPin): Digest {
  if ("source" in pin) return pin.source.archive;
  return "recipe" in pin ? pin.recipe.index : pin.toolchain.digest;
}

/**
 * How releases were at a revision. Only recipes of which a file changed are read as they
 * were; the others are as they are now. `temporary` is an empty folder.
 */
export async function readEarlier(
  revision: Revision,
  releases: readonly CatalogueRelease[],
  temporary: string,
): Promise<(release: CatalogueRelease) => Promise<Earlier>> {
  const changed = new Map<string, string[]>();
  for (const path of await revision.changedFiles([folders.recipe])) {
    const [name = "", ...rest] = path.slice(folders.recipe.length + 1).split("/");
    changed.set(name, [...(changed.get(name) ?? []), rest.join("/")]);
  }
  const templates = await revision.changedFiles([folders.template]);
  for (const { recipe } of releases) {
    const isTouched = recipe.inherits !== undefined && templates.some(isOfTemplate(recipe.inherits));
    if (isTouched && !changed.has(recipe.image)) changed.set(recipe.image, []);
  }
  const names = [...new Set(releases.map(({ recipe }) => recipe.image))].filter((name) => changed.has(name));
  const root = join(temporary, "root");
  const scratch = join(temporary, "git");
  for (const folder of [root, scratch]) await mkdir(folder, { recursive: true });
  const used = names.length > 0 ? [folders.template] : [];
  await revision.checkOut([...names.map(recipeFolder), ...used], root, scratch);
  const recipes = new Map<string, Promise<EarlierRecipe>>();
  return async (release) => {
    const { image } = release.recipe;
    const paths = changed.get(image);
    if (!paths) return earlierOf(release.recipe, release.release, release.contextDigest, []);
    const known = recipes.get(image) ?? readRecipeAt(root, image, paths);
    recipes.set(image, known);
    return releaseAt(root, await known, image, release.release.version);
  };
}

/** Whether a path, from the root, is of a template: what it says, or a file for builds. */
function isOfTemplate(name: string): (path: string) => boolean {
  return (path) => path === templateFile(name) || path.startsWith(`${templateFolder(name)}/`);
}

type EarlierRecipe =
  | Exclude<Earlier, { readonly state: "there" }>
  | {
      readonly state: "there";
      readonly recipe: LocatedDocument<Recipe>;
      readonly contextFor: (own: Recipe) => Digest;
      readonly files: readonly string[];
    };

async function readRecipeAt(root: string, name: string, changed: readonly string[]): Promise<EarlierRecipe> {
  const folder = join(root, recipeFolder(name));
  const { document } = await readRecipeDocument(root, fileOf("recipe", name));
  if (!document) return { state: stateAt(root, fileOf("recipe", name)) };
  const files = changed.filter((path) => path !== "recipe.yaml" && !path.startsWith("releases/"));
  const { inherits } = document.value;
  const entries = listContext(folder, inherits === undefined ? undefined : join(root, templateFolder(inherits)));
  const contextFor = (own: Recipe): Digest => contextDigestOf(entries, filesOfOtherVersions(document.value, own));
  return { state: "there", recipe: document, contextFor, files };
}

async function releaseAt(root: string, recipe: EarlierRecipe, name: string, version: string): Promise<Earlier> {
  if (recipe.state !== "there") return recipe;
  const { document } = await readDocument(root, releaseFile(name, version), releaseSchema);
  if (!document) return { state: stateAt(root, releaseFile(name, version)) };
  const own = recipeForVersion(recipe.recipe, version).document?.value;
  if (!own) return { state: "unreadable" };
  return earlierOf(own, document.value, recipe.contextFor(own), recipe.files);
}

/** What cannot be read was not there, or is not as today's schemas ask for. */
function stateAt(root: string, path: string): "absent" | "unreadable" {
  return existsSync(join(root, path)) ? "unreadable" : "absent";
}

function earlierOf(recipe: Recipe, release: Release, context: Digest, files: readonly string[]): Earlier {
  return {
    state: "there",
    inputs: fileInputsOf(recipe, release, context),
    platforms: [...recipe.platforms.reproduce, ...recipe.platforms.extend],
    upstream: release.upstream.digest,
    checks: checksOf(recipe),
    files,
  };
}
