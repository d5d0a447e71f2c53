import { usageError } from "../errors.ts";
import { parseReference, type RegistryReference } from "../oci/reference.ts";
import type { Selection } from "../plan/catalogue.ts";
import type { Plan } from "../plan/types.ts";
import { planReleases } from "../rebuild/plan-release.ts";
import { findRoot, listRecipes, listReleases, parseRecipeArgument } from "../recipe/load.ts";
import { renderPlanMarkdown } from "../report/plan-markdown.ts";
import { matrixJobsAtMost, renderPlanMatrix } from "../report/plan-matrix.ts";
import { renderPlan } from "../report/plan-table.ts";
import { type CliContext, type CommonFlags, runCommand } from "./context.ts";
import { withFactory } from "./factory.ts";

/** How a plan can be printed. */
export const planFormats = ["table", "json", "markdown", "matrix"] as const;

/** Flags of `refoundry plan`. */
export interface PlanFlags extends CommonFlags {
  /** Every release, not only the newest of each recipe. */
  readonly all?: boolean;
  /** A git revision; says what was made due since then. */
  readonly since?: string;
  /** `HOST/PREFIX`, where releases are as `HOST/PREFIX/RECIPE:VERSION`. */
  readonly registry?: string;
  readonly attestations?: boolean;
  readonly upstream?: boolean;
  /** Seconds. */
  readonly maxAge?: number;
  readonly format?: (typeof planFormats)[number];
}

const defaultMaxAge = 600;

/** `refoundry plan [RECIPE[@VERSION]...]` */
export function plan(this: CliContext, flags: PlanFlags, ...names: string[]): Promise<void> {
  const { format = "table" } = flags;
  return runCommand(this, { json: flags.json === true || format === "json" }, async () => {
    if (flags.json && format !== "table" && format !== "json")
      throw usageError(`--json and --format ${format} do not go together`, { hint: "choose one" });
    const registry = readRegistry(flags);
    const root = await findRoot(this.cwd);
    const selections = await selectReleases(root, names, flags);
    return withFactory(this, async (factory) => {
      const made = await planReleases(
        {
          root,
          selections,
          today: new Date().toISOString().slice(0, 10),
          ...(flags.since !== undefined && { since: flags.since }),
          ...(registry && { registry }),
          attestations: flags.attestations ?? false,
          upstream: flags.upstream ?? false,
          maxAge: flags.maxAge ?? defaultMaxAge,
        },
        factory,
      );
      if (format === "matrix" && made.totals.due > matrixJobsAtMost) {
        const message = `${made.totals.due} builds are due, and GitHub runs ${matrixJobsAtMost} jobs of a matrix at most: name recipes, or run refoundry nightly`;
        factory.emit({ type: "notice", severity: "warning", message });
      }
      return { text: render(made, format), document: made, exitCode: made.totals.faults > 0 ? 1 : 0 };
    });
  });
}

function render(made: Plan, format: NonNullable<PlanFlags["format"]>): string {
  if (format === "markdown") return renderPlanMarkdown(made);
  return format === "matrix" ? renderPlanMatrix(made) : renderPlan(made.jobs, made);
}

/** A change can touch every release of a recipe, so `--since` looks at all of them. */
async function selectReleases(root: string, names: readonly string[], flags: PlanFlags): Promise<Selection[]> {
  const releases = flags.all || flags.since !== undefined ? "all" : "newest";
  if (names.length === 0) return (await listRecipes(root)).map((recipe) => ({ recipe, releases }));
  const selections: Selection[] = [];
  for (const name of new Set(names)) {
    const { recipe, version } = parseRecipeArgument(name);
    if (version === undefined && (await listRecipes(root)).includes(recipe)) await requireRelease(root, recipe);
    selections.push({ recipe, releases: version === undefined ? releases : { version } });
  }
  return selections;
}

async function requireRelease(root: string, recipe: string): Promise<void> {
  if ((await listReleases(root, recipe)).length > 0) return;
  throw usageError(`${recipe} has no release yet`, { hint: `write the first one: refoundry pin ${recipe} VERSION` });
}

function readRegistry({ registry, attestations }: PlanFlags): RegistryReference | undefined {
  if (registry === undefined) {
    if (attestations)
      throw usageError("--attestations asks a registry, and none is named", { hint: "--registry HOST/PREFIX" });
    return undefined;
  }
  const reference = parseReference(registry);
  if (
    reference.kind === "registry" &&
    reference.tag === undefined &&
    reference.digest === undefined &&
    registry.includes("/")
  )
    return reference;
  throw usageError(`--registry takes HOST/PREFIX, without a tag or digest, and got ${registry}`, {
    hint: "a release of a recipe is looked for as HOST/PREFIX/RECIPE:VERSION",
  });
}
