/** A row of a plan. */
interface PlanRow {
  readonly recipe: string;
  readonly version: string;
  readonly platform: string;
  readonly due: boolean;
  readonly reason: { readonly code: string; readonly sentence: string };
}

/** A plan for a terminal: what is due and why, then what is not. */
export function renderPlan(jobs: readonly PlanRow[]): string {
  if (jobs.length === 0) return "there are no recipes";
  const name = (job: PlanRow): string => `${job.recipe}@${job.version}`;
  const widths = [
    Math.max(...jobs.map((job) => name(job).length)),
    Math.max(...jobs.map((job) => job.platform.length)),
    Math.max(...jobs.map((job) => job.reason.code.length)),
  ] as const;
  const lines = jobs
    .toSorted((a, b) => Number(b.due) - Number(a.due))
    .map(
      (job) =>
        `${job.due ? "due " : "  - "} ${name(job).padEnd(widths[0])}  ${job.platform.padEnd(widths[1])}  ${job.reason.code.padEnd(widths[2])}  ${job.reason.sentence}`,
    );
  const due = jobs.filter((job) => job.due).length;
  return [...lines, "", `${due} of ${jobs.length} builds are due`].join("\n");
}
