import { withoutLogs } from "../outcome.ts";
import { isRangeArgument } from "../recipe/range.ts";
import type { Factory } from "../rebuild/types.ts";
import { renderOutcomeTable } from "../report/table.ts";
import { type CliContext, type CommandResult, runCommand } from "./context.ts";
import { withFactory } from "./factory.ts";
import { rebuildMany } from "./rebuild-many.ts";
import { loadInputs, type RebuildFlags, rebuildWith } from "./rebuild-one.ts";

/** `refoundry rebuild RECIPE[@VERSION]...`: one release, all in a range of versions, or all there are. */
export function rebuild(this: CliContext, flags: RebuildFlags, ...releases: readonly string[]): Promise<void> {
  return runCommand(this, flags, async () => {
    const [only = "", ...more] = releases;
    if (!flags.all && only !== "" && more.length === 0 && !isRangeArgument(only))
      return rebuildOne(this, flags, only, "where due");
    return rebuildMany(this, flags, releases);
  });
}

/** Flags of `refoundry publish`. */
export type PublishFlags = Omit<
  RebuildFlags,
  "all" | "platform" | "force" | "record" | "extend" | "reason" | "progress"
>;

/** `refoundry publish RECIPE[@VERSION]`: a rebuild that is not allowed to build. */
export function publish(this: CliContext, flags: PublishFlags, argument: string): Promise<void> {
  return runCommand(this, flags, () => rebuildOne(this, flags, argument, "never"));
}

async function rebuildOne(
  context: CliContext,
  flags: RebuildFlags,
  argument: string,
  build: "where due" | "never",
): Promise<CommandResult> {
  const loaded = await loadInputs(context, argument);
  const work = async (factory: Factory): Promise<CommandResult> => {
    const { outcome, exitCode } = await rebuildWith(context, flags, { loaded, build }, factory);
    const colour = context.process.stdout.isTTY && context.process.env["NO_COLOR"] === undefined;
    return { text: renderOutcomeTable(outcome, { colour }), document: withoutLogs(outcome), exitCode };
  };
  return withFactory(context, work, flags);
}
