import { readFile } from "node:fs/promises";
import { relative } from "node:path";
import { RefoundryError } from "../errors.ts";
import type { Recipe, Release, Source } from "../recipe/schema.ts";
import { fileOf } from "../recipe/tree.ts";
import { writeRelease } from "../recipe/write.ts";
import type { Store } from "../store/store.ts";
import type { Proposal } from "./propose.ts";
import { shown } from "./text.ts";
import type { Question, Revision } from "./types.ts";

/** Gives the release of a recipe that is not there yet, at a commit that was chosen; writes no file. */
export type PinFirst = (request: {
  readonly recipe: Recipe;
  readonly source: Source;
  readonly version: string;
  readonly commit: string;
}) => Promise<Release>;

/** The first release of a proposal, or what keeps it from being pinned. */
export interface FirstRelease {
  readonly release?: Release;
  readonly files: ReadonlyMap<string, string>;
  readonly question?: Question;
}

/**
 * Pins the first release. What a person has to answer first (a usage error of pinning, no
 * commit) becomes a question; throws an infrastructure error as pinning does.
 */
export async function pinFirstRelease(
  proposal: Proposal,
  version: string,
  revision: Revision | undefined,
  { pin, store }: { readonly pin: PinFirst; readonly store: Store },
): Promise<FirstRelease> {
  const { recipe, source } = proposal;
  const name = recipe.image;
  const open = (why: string): FirstRelease => ({
    files: new Map(),
    question: {
      about: "release",
      text: `the first release is not pinned: ${why}. When that is answered: refoundry pin ${name} ${version}`,
      file: fileOf("recipe", name),
      at: ["image"],
    },
  });
  if (!revision) return open("its commit is not known");
  try {
    const release = await pin({ recipe, source, version, commit: revision.commit });
    const scratch = await store.temporaryFolder("add");
    const written = await writeRelease(scratch, name, release);
    return { release, files: new Map([[relative(scratch, written), await readFile(written, "utf8")]]) };
  } catch (error) {
    if (error instanceof RefoundryError && error.kind === "usage") return open(shown(error.problems[0]?.message ?? ""));
    throw error;
  }
}
