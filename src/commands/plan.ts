import { findRoot, listRecipes, loadReleaseInputs, parseRecipeArgument } from "../recipe/load.ts";
import { planRelease } from "../rebuild/plan-release.ts";
import { renderPlan } from "../report/plan-table.ts";
import { type CliContext, type CommonFlags, runCommand } from "./context.ts";
import { withFactory } from "./factory.ts";

/** `refoundry plan [RECIPE[@VERSION]...]` */
export function plan(this: CliContext, flags: CommonFlags, ...names: string[]): Promise<void> {
  return runCommand(this, flags, async () => {
    const root = await findRoot(this.cwd);
    const today = new Date().toISOString().slice(0, 10);
    const wanted = names.length > 0 ? names : await listRecipes(root);
    return withFactory(this, async (factory) => {
      const jobs = [];
      for (const name of wanted) {
        const { recipe, version } = parseRecipeArgument(name);
        const inputs = await loadReleaseInputs(root, recipe, { ...(version !== undefined && { version }), today });
        jobs.push(...(await planRelease(inputs, factory)));
      }
      return { text: renderPlan(jobs), document: { schema: "refoundry/plan/v1", jobs }, exitCode: 0 };
    });
  });
}
