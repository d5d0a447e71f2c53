import { findRoot, loadRecipe, loadSource } from "../recipe/load.ts";
import { writeRelease } from "../recipe/write.ts";
import { pinRelease } from "../rebuild/pin-release.ts";
import { type CliContext, type CommonFlags, runCommand } from "./context.ts";
import { withFactory } from "./factory.ts";

/** Flags of `refoundry pin`. */
export interface PinFlags extends CommonFlags {
  readonly replace?: boolean;
}

/** `refoundry pin RECIPE VERSION` */
export function pin(this: CliContext, flags: PinFlags, name: string, version: string): Promise<void> {
  return runCommand(this, flags, async () => {
    const root = await findRoot(this.cwd);
    const recipe = await loadRecipe(root, name);
    const source = await loadSource(root, recipe.source);
    return withFactory(this, async (factory) => {
      const release = await pinRelease({ root, recipe, source, version }, factory);
      const path = await writeRelease(root, name, release, { replace: flags.replace ?? false });
      return {
        text: `${path}: commit ${release.source.commit}, upstream ${release.upstream.digest}\nbuild it with refoundry rebuild ${name}@${version}`,
        document: { schema: "refoundry/pin/v1", recipe: name, version, path, release },
        exitCode: 0,
      };
    });
  });
}
