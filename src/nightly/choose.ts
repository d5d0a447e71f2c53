import type { PlanJob } from "../plan/types.ts";
import { digestOf } from "../oci/digest.ts";

/** What a nightly does about one release, and why. */
export interface NightlyTask {
  readonly recipe: string;
  readonly version: string;
  readonly action: "rebuild" | "verify" | "keep";
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
  const kept = tasks.filter(({ action }) => action === "keep");
  const sampled = new Set(sampleOf(kept, options.sample, options.today));
  const chosen = tasks.map((task): NightlyTask => (sampled.has(task) ? { ...task, action: "verify" } : task));
  const rank = { rebuild: 0, verify: 1, keep: 2 } as const;
  return chosen.toSorted(
    (a, b) => rank[a.action] - rank[b.action] || b.estimatedSeconds - a.estimatedSeconds || byName(a, b),
  );
}

function taskOf(jobs: readonly PlanJob[]): NightlyTask[] {
  const [first] = jobs;
  if (!first) return [];
  const due = jobs.find((job) => job.due);
  return [
    {
      recipe: first.recipe,
      version: first.version,
      action: due ? "rebuild" : "keep",
      reason: (due ?? first).reason,
      estimatedSeconds: jobs.reduce((sum, job) => sum + (job.estimatedSeconds ?? 0), 0),
    },
  ];
}

/** A window that moves by its own size each day, over an order that only names decide. */
function sampleOf(tasks: readonly NightlyTask[], size: number, today: string): NightlyTask[] {
  const count = Math.min(size, tasks.length);
  const place = (task: NightlyTask): string => digestOf(nameOf(task));
  const ordered = tasks.toSorted((a, b) => (place(a) < place(b) ? -1 : 1));
  const start = (Math.floor(Date.parse(today) / dayMs) * count) % Math.max(1, ordered.length);
  return [...ordered, ...ordered].slice(start, start + count);
}

function nameOf({ recipe, version }: NightlyTask): string {
  return `${recipe}@${version}`;
}

function byName(a: NightlyTask, b: NightlyTask): number {
  return nameOf(a) < nameOf(b) ? -1 : 1;
}
