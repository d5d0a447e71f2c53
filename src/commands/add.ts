import { addRecipe } from "../add/add-recipe.ts";
import { addedDocument, addedText } from "../add/summary.ts";
import { findRoot } from "../recipe/load.ts";
import { pinRelease } from "../rebuild/pin-release.ts";
import { type CliContext, type CommonFlags, runCommand } from "./context.ts";
import { withFactory } from "./factory.ts";

/** Flags of `refoundry add`. */
export interface AddFlags extends CommonFlags {
  readonly source?: string;
  readonly name?: string;
  readonly toolchain?: string;
  readonly version?: string;
  readonly platformExtend?: readonly string[];
  readonly dryRun?: boolean;
}

/** `refoundry add IMAGE`: a recipe from a live image, with what is left to answer. */
export function add(this: CliContext, flags: AddFlags, image: string): Promise<void> {
  return runCommand(this, flags, async () => {
    const root = await findRoot(this.cwd);
    const { json: _, ...options } = flags;
    return withFactory(this, async (factory) => {
      const today = new Date().toISOString().slice(0, 10);
      const added = await addRecipe(
        { root, image, today, ...options },
        { ...factory, pin: (request) => pinRelease({ root, ...request }, factory) },
      );
      return { text: addedText(added), document: addedDocument(added), exitCode: 0 };
    });
  });
}
