import { formatSeconds, plainText, widthOf } from "./text.ts";

/** A row of a plan. */
export interface PlanRow {
  readonly recipe: string;
  readonly version: string;
  readonly platform: string;
  readonly due: boolean;
  readonly needs?: string;
  readonly reason: { readonly code: string; readonly sentence: string };
}

/** What is said below the rows. */
export interface PlanFooter {
  readonly notices?: readonly { readonly recipe?: string; readonly version?: string; readonly sentence: string }[];
  readonly totals?: {
    readonly estimatedSeconds: number;
    readonly unestimated: number;
    readonly faults: number;
  };
}

/** More rows that need nothing than this are counted, not listed. */
const listedAtMost = 40;

/** A plan for a terminal: what is due and why, what a person has to look at, then what is not due. */
export function renderPlan(jobs: readonly PlanRow[], { notices = [], totals }: PlanFooter = {}): string {
  if (jobs.length === 0) return "there are no releases to plan for";
  const groups = [
    jobs.filter((job) => job.due),
    jobs.filter((job) => !job.due && needsLook(job)),
    jobs.filter((job) => !job.due && !needsLook(job)),
  ] as const;
  const quiet = groups[2].length > listedAtMost ? [] : groups[2];
  const shown = [...groups[0], ...groups[1], ...quiet];
  const cells = shown.map((job) => [nameOf(job), job.platform, job.reason.code].map(plainText));
  const widths = [0, 1, 2].map((column) => Math.max(0, ...cells.map((row) => widthOf(row[column] ?? ""))));
  const lines = shown.map((job, row) => {
    const padded = (cells[row] ?? []).map((cell, column) => cell + " ".repeat((widths[column] ?? 0) - widthOf(cell)));
    const mark = job.due ? "due " : needsLook(job) ? "  ! " : "  - ";
    return `${mark} ${padded.join("  ")}  ${plainText(job.reason.sentence)}`;
  });
  const counted =
    quiet.length < groups[2].length ? [`  -  ${groups[2].length} builds are not due: ${codes(groups[2])}`] : [];
  const noted = notices.map(
    ({ recipe, version, sentence }) =>
      `note: ${recipe === undefined ? "" : `${plainText(`${recipe}@${version ?? ""}`)}: `}${plainText(sentence)}`,
  );
  return [
    ...lines,
    ...counted,
    "",
    ...(noted.length > 0 ? [...noted, ""] : []),
    `${groups[0].length} of ${jobs.length} builds are due${totals ? costOf(totals) : ""}`,
    ...(totals && totals.faults > 0 ? [`${totals.faults} stand for a fault that a person has to look at`] : []),
  ].join("\n");
}

/** What the builds that are due will take, as the end of a sentence. */
export function costOf({ estimatedSeconds, unestimated }: NonNullable<PlanFooter["totals"]>): string {
  const some = estimatedSeconds > 0 ? `, about ${formatSeconds(estimatedSeconds)} of building by earlier times` : "";
  return unestimated > 0 && some !== "" ? `${some}, and ${unestimated} never built before` : some;
}

function needsLook({ needs }: PlanRow): boolean {
  return needs === "person";
}

function nameOf({ recipe, version }: PlanRow): string {
  return `${recipe}@${version}`;
}

function codes(jobs: readonly PlanRow[]): string {
  const counts = new Map<string, number>();
  for (const { reason } of jobs) counts.set(reason.code, (counts.get(reason.code) ?? 0) + 1);
  return [...counts].map(([code, count]) => `${count} ${code}`).join(", ");
}
