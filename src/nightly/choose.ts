import { isFault } from "../plan/reason.ts";
import type { PlanJob } from "../plan/types.ts";
import { digestOf } from "../oci/digest.ts";

/** What a nightly does about one release, and why. */
export interface NightlyTask {
  readonly recipe: string;
  readonly version: string;
  /** `fault`: the plan found what no rebuild mends, a tag that moved or a digest that is another. */
  readonly action: "rebuild" | "verify" | "keep" | "fault";
  readonly reason: { readonly code: string; readonly sentence: string };
  /** What its builds are expected to take; 0 where nothing is known. */
  readonly estimatedSeconds: number;
}

const dayMs = 24 * 3600 * 1000;

/**
 * What is to be done about each release of a plan: rebuilt where a build or its release
 * is due, and of the rest a sample is built again from nothing, another one each day, so
 * that all come round. In the order in which it is best begun: the longest first, then
 * the sample. `today` is `YYYY-MM-DD`.
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
      recipe: first.recipe,
      version: first.version,
      action: fault ? "fault" : due ? "rebuild" : "keep",
      reason: (fault ?? due ?? first).reason,
      estimatedSeconds: jobs.reduce((sum, job) => sum + (job.estimatedSeconds ?? 0), 0),
    },
  ];
}

/**
 * Those not due from a place on that moves by the sample's size each day, over an order of
 * all releases that only names decide: whatever is due meanwhile, each comes round.
 */
function sampleOf(tasks: readonly NightlyTask[], size: number, today: string): NightlyTask[] {
  const place = (task: NightlyTask): string => digestOf(nameOf(task));
  const ordered = tasks.toSorted((a, b) => (place(a) < place(b) ? -1 : 1));
  const start = (Math.floor(Date.parse(today) / dayMs) * size) % Math.max(1, ordered.length);
  const around = [...ordered.slice(start), ...ordered.slice(0, start)];
  return around.filter(({ action }) => action === "keep").slice(0, size);
}

function nameOf({ recipe, version }: NightlyTask): string {
  return `${recipe}@${version}`;
}

function byName(a: NightlyTask, b: NightlyTask): number {
  return nameOf(a) < nameOf(b) ? -1 : 1;
}
