import { mkdtemp, rm } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { usageError } from "../errors.ts";
import { restoreRecipe } from "../escrow/restore.ts";
import { createRegistryClient } from "../oci/registry/client.ts";
import { withoutLogs } from "../outcome.ts";
import { loadReleaseInputs, parseRecipeArgument } from "../recipe/load.ts";
import { isRangeArgument } from "../recipe/range.ts";
import type { Factory } from "../rebuild/types.ts";
import { renderOutcomeTable } from "../report/table.ts";
import { type CliContext, type CommandResult, runCommand } from "./context.ts";
import { openCapsule } from "./escrow.ts";
import { withFactory } from "./factory.ts";
import { rebuildMany } from "./rebuild-many.ts";
import { loadInputs, type RebuildAsked, type RebuildFlags, rebuildWith } from "./rebuild-one.ts";

/** `refoundry rebuild RECIPE[@VERSION]...`: one release, all in a range of versions, or all there are. */
export function rebuild(this: CliContext, flags: RebuildFlags, ...releases: readonly string[]): Promise<void> {
  return runCommand(this, flags, async () => {
    if (flags.fromCapsule !== undefined) return rebuildFromCapsule(this, flags, flags.fromCapsule, releases);
    const [only = "", ...more] = releases;
    if (!flags.all && only !== "" && more.length === 0 && !isRangeArgument(only))
      return rebuildOne(this, flags, only, "where due");
    return rebuildMany(this, flags, releases);
  });
}

/** Flags of `refoundry publish`. */
export type PublishFlags = Omit<
  RebuildFlags,
  "all" | "escrow" | "fromCapsule" | "offline" | "platform" | "force" | "record" | "extend" | "reason" | "progress"
>;

/** `refoundry publish RECIPE[@VERSION]`: a rebuild that is not allowed to build. */
export function publish(this: CliContext, flags: PublishFlags, argument: string): Promise<void> {
  return runCommand(this, flags, () => rebuildOne(this, flags, argument, "never"));
}

/** The recipe is the capsule's own: neither a checkout nor another registry is needed. */
async function rebuildFromCapsule(
  context: CliContext,
  flags: RebuildFlags,
  reference: string,
  releases: readonly string[],
): Promise<CommandResult> {
  if (releases.length > 0 || flags.all || flags.record || flags.extend)
    throw usageError(
      "a capsule is one release as it was: no recipe is named with it, and nothing is added or recorded",
    );
  const client = createRegistryClient({ env: context.process.env });
  const folder = await mkdtemp(join(tmpdir(), "refoundry-capsule-"));
  try {
    const { capsule, repository } = await openCapsule(reference, client, context);
    await restoreRecipe(capsule, repository, folder, context.signal);
    const { recipe, version } = parseRecipeArgument(`${capsule.recipe}@${capsule.version}`);
    const today = new Date().toISOString().slice(0, 10);
    const which = { ...(version !== undefined && { version }), today, asItWas: true };
    const loaded = await loadReleaseInputs(folder, recipe, which);
    return await rebuildLoaded(context, flags, { loaded, build: "where due", asItWas: true });
  } finally {
    await client.close();
    await rm(folder, { recursive: true, force: true });
  }
}

async function rebuildOne(
  context: CliContext,
  flags: RebuildFlags,
  argument: string,
  build: "where due" | "never",
): Promise<CommandResult> {
  return rebuildLoaded(context, flags, { loaded: await loadInputs(context, argument), build });
}

function rebuildLoaded(context: CliContext, flags: RebuildFlags, asked: RebuildAsked): Promise<CommandResult> {
  const work = async (factory: Factory): Promise<CommandResult> => {
    const { outcome, exitCode } = await rebuildWith(context, flags, asked, factory);
    const colour = context.process.stdout.isTTY && context.process.env["NO_COLOR"] === undefined;
    return { text: renderOutcomeTable(outcome, { colour }), document: withoutLogs(outcome), exitCode };
  };
  return withFactory(context, work, flags);
}
