import { readRuns } from "../history/history.ts";
import type { NightlyRun } from "../nightly-run.ts";
import { formatSeconds } from "../report/text.ts";
import { type CliContext, type CommonFlags, runCommand } from "./context.ts";
import { withFactory } from "./factory.ts";
import { openHistory } from "./nightly.ts";

/** Flags of `refoundry history`. */
export interface HistoryFlags extends CommonFlags {
  readonly history?: string;
  /** Runs, newest first; 30 by default. */
  readonly limit?: number;
}

const defaultLimit = 30;

/** `refoundry history`: the nightly runs that are kept, newest first. A damaged one is said on standard error and left out. */
export function history(this: CliContext, flags: HistoryFlags): Promise<void> {
  return runCommand(this, flags, () =>
    withFactory(this, async (factory) => {
      const { signal, emit } = factory;
      const runs = await readRuns(await openHistory(flags.history, factory), {
        limit: flags.limit ?? defaultLimit,
        onDamaged: (tag, message) =>
          emit({ type: "notice", severity: "warning", message: `${tag} is left out: ${message}` }),
        signal,
      });
      const listed = runs.map(summaryOf);
      return {
        text: listed.length === 0 ? "no run is kept yet" : listed.map(lineOf).join("\n"),
        document: { schema: "refoundry/history/v1", runs: listed },
        exitCode: 0,
      };
    }),
  );
}

function summaryOf({ id, startedAt, finishedAt, releases, notices }: NightlyRun) {
  const count = (status: NightlyRun["releases"][number]["status"]): number =>
    releases.filter((release) => release.status === status).length;
  return {
    id,
    startedAt,
    seconds: (Date.parse(finishedAt) - Date.parse(startedAt)) / 1000,
    rebuilt: count("rebuilt"),
    verified: count("verified"),
    kept: count("kept"),
    failed: count("failed"),
    notices: notices.length,
  };
}

function lineOf({ id, seconds, rebuilt, verified, kept, failed, notices }: ReturnType<typeof summaryOf>): string {
  const counts = `${rebuilt} rebuilt, ${verified} verified, ${kept} kept, ${failed} failed, ${notices} notices`;
  return `${id}  ${counts}  ${formatSeconds(seconds)}`;
}
