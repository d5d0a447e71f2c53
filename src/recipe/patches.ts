import type { Problem } from "../errors.ts";
import { type Digest, digestOf } from "../oci/digest.ts";
import { type LocatedDocument, readTextFile } from "./document.ts";
import type { Recipe } from "./schema.ts";
import { recipeFolder } from "./tree.ts";
import { quoted } from "./words.ts";

/** A patch that a recipe applies to its source, with what its header (DEP-3) says of it. */
export interface Patch {
  /** From the recipe's folder. */
  readonly file: string;
  readonly digest: Digest;
  /** Why it is there, in a line. */
  readonly reason: string;
  /** Where it is from: an address, a commit, or who wrote it. */
  readonly origin: string;
  /** Whether upstream was given it: an address, `no`, `not-needed`, or what it was applied as. */
  readonly forwarded: string;
}

/** What a header has to say, each by the first of its fields that is there. */
const parts = {
  reason: { fields: ["Description", "Subject"], what: "why it is there" },
  origin: { fields: ["Origin", "Author", "From"], what: "where it is from" },
  forwarded: { fields: ["Forwarded", "Applied-Upstream", "Bug"], what: "whether upstream was given it" },
} as const;

/**
 * Reads the patches of a recipe, in the order in which they are applied, and what their
 * headers say (https://dep-team.pages.debian.net/deps/dep3/). A patch without provenance is
 * a problem, as is one that is not there.
 */
export async function readPatches(
  root: string,
  recipe: LocatedDocument<Recipe>,
): Promise<{ readonly patches: readonly Patch[]; readonly problems: readonly Problem[] }> {
  const patches: Patch[] = [];
  const problems: Problem[] = [];
  for (const [index, file] of recipe.value.build.patches.entries()) {
    const read = await readTextFile(root, `${recipeFolder(recipe.value.image)}/${file}`);
    if (read.text === undefined) {
      const { message } = read.problem;
      const hint = "patches lie in the recipe's folder";
      const location = recipe.locate(["build", "patches", index]);
      problems.push({ message: `the patch ${quoted(file)}: ${message}`, location, hint });
      continue;
    }
    const { missing, ...header } = readHeader(read.text);
    if (missing.length === 0) patches.push({ file, digest: digestOf(read.text), ...header });
    for (const { what, fields } of missing) {
      const message = `the patch does not say ${what}`;
      const hint = `a header of DEP-3 begins the file: ${fields.join(" or ")}: ...`;
      problems.push({ message, location: { file: read.file, line: 1 }, hint });
    }
    if (!/^(diff --git |--- )/m.test(read.text))
      problems.push({ message: "the patch changes nothing", location: { file: read.file, line: 1 } });
  }
  return { patches, problems };
}

type Part = (typeof parts)[keyof typeof parts];

function readHeader(text: string): Pick<Patch, "reason" | "origin" | "forwarded"> & { missing: Part[] } {
  const header = text.split(/^(?:diff --git |--- |Index: )/m)[0] ?? "";
  const fields = new Map<string, string>();
  for (const [, name = "", value = ""] of header.matchAll(/^([A-Z][A-Za-z]*(?:-[A-Za-z]+)*):[ \t]*(\S.*)$/gm))
    if (!fields.has(name)) fields.set(name, value.trim());
  const find = ({ fields: names }: Part): string => names.flatMap((name) => fields.get(name) ?? [])[0] ?? "";
  const origin = find(parts.origin);
  // what is upstream's need not be given to it
  const forwarded = find(parts.forwarded) || (/^(upstream|backport)\b/.test(origin) ? "not-needed" : "");
  const found = { reason: find(parts.reason), origin, forwarded };
  return {
    ...found,
    missing: (["reason", "origin", "forwarded"] as const).flatMap((name) => (found[name] === "" ? [parts[name]] : [])),
  };
}
