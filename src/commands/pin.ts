import { exitCodeOf, formatProblem, type RefoundryError, usageError } from "../errors.ts";
import { findRoot, listRecipes, loadRecipe } from "../recipe/load.ts";
import { updatesDocument, updatesText } from "../rebuild/pin-summary.ts";
import { failureProblems, findUpdates } from "../rebuild/pin-updates.ts";
import { pinVersions } from "../rebuild/pin-versions.ts";
import { type CliContext, type CommandResult, type CommonFlags, runCommand } from "./context.ts";
import { withFactory } from "./factory.ts";

/** Flags of `refoundry pin`. */
export interface PinFlags extends CommonFlags {
  readonly replace?: boolean;
  readonly update?: boolean;
}

/** `refoundry pin RECIPE VERSION...`, and `refoundry pin --update [RECIPE...]` */
export function pin(this: CliContext, flags: PinFlags, ...names: readonly string[]): Promise<void> {
  return runCommand(this, flags, () => (flags.update ? update(this, flags, names) : pinAll(this, flags, names)));
}

async function pinAll(context: CliContext, flags: PinFlags, names: readonly string[]): Promise<CommandResult> {
  const [name, ...versions] = names;
  if (name === undefined || versions.length === 0)
    throw usageError("pin takes a recipe and one version or more", {
      hint: "refoundry pin RECIPE VERSION...; refoundry pin --update [RECIPE...] says which versions there are",
    });
  const root = await findRoot(context.cwd);
  // what is wrong with it is said before anything is fetched
  await loadRecipe(root, name);
  return withFactory(context, async (factory) => {
    const request = { root, recipe: name, versions, replace: flags.replace ?? false };
    const { pinned, failed } = await pinVersions(request, factory);
    const [only] = pinned;
    const [first] = failed;
    if (versions.length === 1 && first) throw first.error;
    const lines = pinned.map(
      ({ version, path, release }) =>
        `${path}: commit ${release.source.commit}, upstream ${release.upstream.digest}\nbuild it with refoundry rebuild ${name}@${version}`,
    );
    const failures = failed.map(({ version, error }) => ({ name: version, error }));
    for (const problem of failures.flatMap(failureProblems))
      context.process.stderr.write(`refoundry: ${formatProblem(problem)}\n`);
    if (failed.length > 0)
      lines.push(`${failed.length} of ${pinned.length + failed.length} versions could not be pinned`);
    return {
      text: lines.join("\n"),
      document: {
        schema: "refoundry/pin/v1",
        recipe: name,
        ...(only && versions.length === 1 && only),
        releases: pinned,
        failed: failed.map(({ version, error }) => ({ version, kind: error.kind, problems: error.problems })),
      },
      exitCode: worstExitCode(failed.map(({ error }) => error)),
    };
  });
}

async function update(context: CliContext, flags: PinFlags, names: readonly string[]): Promise<CommandResult> {
  if (flags.replace)
    throw usageError("--replace is for versions that are pinned, and --update writes nothing", {
      hint: "leave one of them out",
    });
  const root = await findRoot(context.cwd);
  const chosen = names.length > 0 ? [...new Set(names)] : await listRecipes(root);
  return withFactory(context, async (factory) => {
    const updates = await findUpdates(root, chosen, factory);
    const problems = updates.failed.flatMap(failureProblems);
    for (const problem of problems) context.process.stderr.write(`refoundry: ${formatProblem(problem)}\n`);
    return {
      text: updatesText(updates),
      document: updatesDocument(updates, problems),
      exitCode: worstExitCode(updates.failed.map(({ error }) => error)),
    };
  });
}

/** What a second try may mend comes before what it cannot. */
function worstExitCode(errors: readonly RefoundryError[]): number {
  return Math.max(0, ...errors.map(({ kind }) => exitCodeOf(kind)));
}
