import type { Plan, PlanJob } from "../plan/types.ts";
import { markdownCode as code, markdownText as text } from "./markdown-text.ts";
import { costOf } from "./plan-table.ts";

/** Rows beyond these are counted: a comment of GitHub has room for 65536 characters. */
const rowsAtMost = 100;

/** A plan as a comment for a pull request: what it makes due and why, platforms of one reason together. */
export function renderPlanMarkdown({ jobs, notices, totals }: Plan): string {
  const due = grouped(jobs.filter((job) => job.due));
  const look = grouped(jobs.filter((job) => !job.due && job.needs === "person"));
  const headline =
    totals.due === 0
      ? `**No build is due** of ${totals.jobs}.`
      : `**${totals.due} of ${totals.jobs} builds are due**, of ${totals.dueReleases} ${totals.dueReleases === 1 ? "release" : "releases"}${costOf(totals)}.`;
  const quiet = jobs.length - totals.due - jobs.filter((job) => !job.due && job.needs === "person").length;
  return [
    "### Build plan",
    "",
    headline,
    ...table("due", due),
    ...table("to look at", look),
    ...(notices.length > 0
      ? [
          "",
          ...notices.map(
            ({ recipe, version, sentence }) =>
              `- ${recipe === undefined ? "" : `${code(`${recipe}@${version ?? ""}`)}: `}${text(sentence)}`,
          ),
        ]
      : []),
    ...(quiet > 0 && totals.due > 0
      ? ["", `${quiet} ${quiet === 1 ? "build is" : "builds are"} as recorded or built.`]
      : []),
    "",
  ].join("\n");
}

interface Group {
  readonly release: string;
  readonly platforms: readonly string[];
  readonly reason: PlanJob["reason"];
}

function grouped(jobs: readonly PlanJob[]): Group[] {
  const groups = new Map<string, PlanJob[]>();
  for (const job of jobs) {
    const key = JSON.stringify([job.recipe, job.version, job.reason.code, job.reason.sentence]);
    const group = groups.get(key);
    if (group) group.push(job);
    else groups.set(key, [job]);
  }
  return [...groups.values()].flatMap((group) => {
    const [first] = group;
    if (!first) return [];
    const platforms = group.map(({ platform }) => platform);
    return [{ release: `${first.recipe}@${first.version}`, platforms, reason: first.reason }];
  });
}

function table(title: string, groups: readonly Group[]): string[] {
  if (groups.length === 0) return [];
  const rows = groups
    .slice(0, rowsAtMost)
    .map(
      ({ release, platforms, reason }) =>
        `| ${code(release)} | ${platforms.map(text).join("<br>")} | ${code(reason.code)} | ${text(reason.sentence)} |`,
    );
  const rest = groups.length - rows.length;
  return [
    "",
    `| ${title} | platforms | reason | |`,
    "| --- | --- | --- | --- |",
    ...rows,
    ...(rest > 0 ? ["", `and ${rest} more, in \`refoundry plan --json\``] : []),
  ];
}
