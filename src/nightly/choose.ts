import { isFault } from "../plan/reason.ts";
import type { PlanJob } from "../plan/types.ts";
import { digestOf } from "../oci/digest.ts";

/** What a nightly does about one release, and why. */
export interface NightlyTask {
  /** `recipe@version` */
  readonly id: string;
  readonly recipe: string;
  readonly version: string;
  /** `fault`: the plan found what no rebuild mends, a tag that moved or a digest that is another. */
  readonly action: "rebuild" | "verify" | "keep" | "fault";
  readonly reason: { readonly code: string; readonly sentence: string };
  /** What its builds are expected to take; 0 where nothing is known. */
  readonly estimatedSeconds: number;
  /** Releases that it stands on, by their ids. */
  readonly dependsOn: readonly string[];
}

const dayMs = 24 * 3600 * 1000;

/**
 * What is to be done about each release of a plan: rebuilt where a build or its release
 * is due, and of the rest a sample is built again from nothing, another one each day, so
 * that all come round. What is longest comes first, the sample after what is due.
 * `today` is `YYYY-MM-DD`.
 */
export function chooseTasks(
  jobs: readonly PlanJob[],
  options: { readonly sample: number; readonly today: string },
): NightlyTask[] {
  const releases = new Map<string, PlanJob[]>();
  for (const job of jobs) {
    const key = `${job.recipe}@${job.version}`;
    releases.set(key, [...(releases.get(key) ?? []), job]);
  }
  const tasks = [...releases.values()].flatMap(taskOf);
  const sampled = new Set(sampleOf(tasks, options.sample, options.today));
  const chosen = tasks.map((task): NightlyTask => (sampled.has(task) ? { ...task, action: "verify" } : task));
  const rank = { fault: 0, rebuild: 1, verify: 2, keep: 3 } as const;
  return chosen.toSorted(
    (a, b) => rank[a.action] - rank[b.action] || b.estimatedSeconds - a.estimatedSeconds || byName(a, b),
  );
}

function taskOf(jobs: readonly PlanJob[]): NightlyTask[] {
  const [first] = jobs;
  if (!first) return [];
  const fault = jobs.find(({ reason }) => isFault(reason.code));
  const due = jobs.find((job) => job.due);
  return [
    {
      id: `${first.recipe}@${first.version}`,
      recipe: first.recipe,
      version: first.version,
      action: fault ? "fault" : due ? "rebuild" : "keep",
      reason: (fault ?? due ?? first).reason,
      estimatedSeconds: jobs.reduce((sum, job) => sum + (job.estimatedSeconds ?? 0), 0),
      // a job names `recipe@version platform`
      dependsOn: [...new Set(jobs.flatMap((job) => job.dependsOn.map((name) => name.split(" ")[0] ?? "")))],
    },
  ];
}

/**
 * Those not due from a place on that moves by the sample's size each day, over an order of
 * all releases that only names decide: whatever is due meanwhile, each comes round.
 */
function sampleOf(tasks: readonly NightlyTask[], size: number, today: string): NightlyTask[] {
  const place = (task: NightlyTask): string => digestOf(task.id);
  const ordered = tasks.toSorted((a, b) => (place(a) < place(b) ? -1 : 1));
  const start = (Math.floor(Date.parse(today) / dayMs) * size) % Math.max(1, ordered.length);
  const around = [...ordered.slice(start), ...ordered.slice(0, start)];
  return around.filter(({ action }) => action === "keep").slice(0, size);
}

function byName(a: NightlyTask, b: NightlyTask): number {
  return a.id < b.id ? -1 : 1;
}
