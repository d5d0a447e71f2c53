import { mkdir, writeFile } from "node:fs/promises";
import { dirname, join, resolve } from "node:path";
import { exitCodeOf, formatProblem, messageOf, type RefoundryError, usageError } from "../errors.ts";
import { findRoot, listRecipes, loadRecipe } from "../recipe/load.ts";
import { renovateDocuments, updatesDocument, updatesText } from "../rebuild/pin-summary.ts";
import { failureProblems, findUpdates } from "../rebuild/pin-updates.ts";
import { pinVersions } from "../rebuild/pin-versions.ts";
import { type CliContext, type CommandResult, type CommonFlags, runCommand } from "./context.ts";
import { withFactory } from "./factory.ts";

/** Flags of `refoundry pin`. */
export interface PinFlags extends CommonFlags {
  readonly replace?: boolean;
  readonly update?: boolean;
  /** With `--update`: a folder for what Renovate's custom datasource reads. */
  readonly renovate?: string;
}

/** `refoundry pin RECIPE VERSION...`, and `refoundry pin --update [RECIPE...]` */
export function pin(this: CliContext, flags: PinFlags, ...names: readonly string[]): Promise<void> {
  return runCommand(this, flags, () => (flags.update ? update(this, flags, names) : pinAll(this, flags, names)));
}

async function pinAll(context: CliContext, flags: PinFlags, names: readonly string[]): Promise<CommandResult> {
  if (flags.renovate !== undefined) throw usageError("--renovate goes with --update");
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
    if (flags.renovate !== undefined)
      await writeDocuments(resolve(context.cwd, flags.renovate), renovateDocuments(updates));
    const problems = updates.failed.flatMap(failureProblems);
    for (const problem of problems) context.process.stderr.write(`refoundry: ${formatProblem(problem)}\n`);
    return {
      text: updatesText(updates),
      document: updatesDocument(updates, problems),
      exitCode: worstExitCode(updates.failed.map(({ error }) => error)),
    };
  });
}

async function writeDocuments(folder: string, documents: ReadonlyMap<string, unknown>): Promise<void> {
  for (const [path, document] of documents) {
    const file = join(folder, path);
    await mkdir(dirname(file), { recursive: true }).catch((cause: unknown) => {
      throw usageError(`${dirname(file)} cannot be made: ${messageOf(cause)}`, { cause });
    });
    await writeFile(file, `${JSON.stringify(document, null, 2)}\n`);
  }
}

/** What a second try may mend comes before what it cannot. */
function worstExitCode(errors: readonly RefoundryError[]): number {
  return Math.max(0, ...errors.map(({ kind }) => exitCodeOf(kind)));
}
