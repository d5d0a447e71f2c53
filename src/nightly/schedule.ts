import { byCodeUnit } from "../recipe/words.ts";

/** A piece of work that is started as a whole: one release. */
export interface Task {
  /** `recipe@version` */
  readonly id: string;
  /** Tasks that have to be done before. Those that are not part of the schedule count as done. */
  readonly dependsOn: readonly string[];
  /** What it is expected to take; 0 where nothing is known. */
  readonly estimatedSeconds: number;
}

/** How a task ended. */
export type TaskEnd = "done" | "failed";

/** What is known at the moment of a decision. */
export interface ScheduleState<T extends Task> {
  readonly waiting: readonly T[];
  /** Ids. */
  readonly running: ReadonlySet<string>;
  readonly ended: ReadonlyMap<string, TaskEnd>;
}

/** What may be used; memory is shared out build by build (`src/rebuild/build-places.ts`). */
export interface ScheduleLimits {
  /** Tasks at once. */
  readonly jobs: number;
  /** Bytes that have to be free on the disk for each task that runs. */
  readonly diskPerTask: number;
}

/** What to do now. */
export interface Decision<T extends Task> {
  readonly start: readonly T[];
  /** Tasks that are not tried, and why. */
  readonly drop: readonly { readonly task: T; readonly why: "blocked" | "disk"; readonly because: string }[];
}

/**
 * Decides which tasks to start with `freeDisk` bytes free. Those come first that the
 * longest chain of work waits for, then by name. Each sets disk aside; where that is
 * short fewer run, and where it is too short for one, and none runs that could free
 * some, what waits is dropped: nothing waits for ever. What depends on a task that
 * failed is dropped too. Tasks that depend on each other in a circle are refused before
 * (`inDependencyOrder`).
 */
export function decide<T extends Task>(
  { waiting, running, ended }: ScheduleState<T>,
  { jobs, diskPerTask }: ScheduleLimits,
  freeDisk: number,
): Decision<T> {
  const drop = blockedTasks(waiting, ended);
  const blocked = new Set(drop.map(({ task }) => task));
  const rest = waiting.filter((task) => !blocked.has(task));
  const pending = new Set([...rest.map(({ id }) => id), ...running]);
  const ready = rest.filter((task) => task.dependsOn.every((id) => !pending.has(id)));
  const room = Math.min(jobs, Math.floor(freeDisk / diskPerTask)) - running.size;
  if (running.size === 0 && freeDisk < diskPerTask) {
    const because = `only ${gibibytes(freeDisk)} GiB are free on the disk that holds the store, and ${gibibytes(diskPerTask)} GiB are needed; free some space, or move the store with REFOUNDRY_STORE=/another/folder`;
    return { start: [], drop: [...drop, ...rest.map((task) => ({ task, why: "disk" as const, because }))] };
  }
  const chains = chainSeconds(rest);
  const start = ready
    .toSorted((a, b) => (chains.get(b.id) ?? 0) - (chains.get(a.id) ?? 0) || byCodeUnit(a.id, b.id))
    .slice(0, Math.max(0, room));
  return { start, drop };
}

/** What waits for something that failed, through others too. */
function blockedTasks<T extends Task>(
  waiting: readonly T[],
  ended: ReadonlyMap<string, TaskEnd>,
): { readonly task: T; readonly why: "blocked"; readonly because: string }[] {
  const reasons = new Map<string, string>();
  for (let before = -1; before !== reasons.size; ) {
    before = reasons.size;
    for (const { id, dependsOn } of waiting) {
      const failed = dependsOn.find((needed) => ended.get(needed) === "failed");
      const stuck = dependsOn.find((needed) => reasons.has(needed));
      if (failed !== undefined) reasons.set(id, `it was not tried: it stands on ${failed}, which failed`);
      else if (stuck !== undefined) reasons.set(id, `it was not tried: it stands on ${stuck}, which was not tried`);
    }
  }
  return waiting.flatMap((task) => {
    const because = reasons.get(task.id);
    return because === undefined ? [] : [{ task, why: "blocked" as const, because }];
  });
}

/** Seconds from a task's start to the end of the last that waits for it. What has no estimate counts as the mean. */
function chainSeconds(tasks: readonly Task[]): ReadonlyMap<string, number> {
  const known = tasks.flatMap(({ estimatedSeconds }) => (estimatedSeconds > 0 ? [estimatedSeconds] : []));
  const mean = known.length === 0 ? 1 : known.reduce((sum, seconds) => sum + seconds, 0) / known.length;
  const dependents = new Map<string, Task[]>();
  for (const task of tasks)
    for (const needed of task.dependsOn) dependents.set(needed, [...(dependents.get(needed) ?? []), task]);
  const chains = new Map<string, number>();
  const chainOf = (task: Task): number => {
    const found = chains.get(task.id);
    if (found !== undefined) return found;
    const after = (dependents.get(task.id) ?? []).map(chainOf);
    const chain = (task.estimatedSeconds || mean) + Math.max(0, ...after);
    chains.set(task.id, chain);
    return chain;
  };
  for (const task of tasks) chainOf(task);
  return chains;
}

/** What a schedule works with. */
export interface ScheduleMeans<T extends Task> {
  /** Bytes that are free on the disk now. */
  readonly freeDisk: () => Promise<number>;
  /** Throws for an interrupt only. */
  readonly run: (task: T) => Promise<TaskEnd>;
  readonly drop: (dropped: Decision<T>["drop"][number]) => void;
}

/** Runs tasks as `decide` says until none is left. Throws what a task throws, after all that ran has ended. */
export async function runSchedule<T extends Task>(
  tasks: readonly T[],
  limits: ScheduleLimits,
  means: ScheduleMeans<T>,
): Promise<void> {
  let waiting = [...tasks];
  const ended = new Map<string, TaskEnd>();
  const running = new Map<string, Promise<void>>();
  const failures: unknown[] = [];
  const begin = async (task: T): Promise<void> => {
    try {
      ended.set(task.id, await means.run(task));
    } catch (error) {
      failures.push(error);
    } finally {
      running.delete(task.id);
    }
  };
  while (waiting.length > 0 && failures.length === 0) {
    // asked first: what runs may end while it is
    const freeDisk = await means.freeDisk();
    const { start, drop } = decide({ waiting, running: new Set(running.keys()), ended }, limits, freeDisk);
    const gone = new Set([...start, ...drop.map(({ task }) => task)]);
    waiting = waiting.filter((task) => !gone.has(task));
    for (const dropped of drop) {
      ended.set(dropped.task.id, "failed");
      means.drop(dropped);
    }
    for (const task of start) running.set(task.id, begin(task));
    if (running.size > 0) await Promise.race(running.values());
    else if (gone.size === 0) throw new Error(`nothing runs, and ${waiting.map(({ id }) => id).join(", ")} wait`);
  }
  await Promise.all(running.values());
  if (failures.length > 0) throw failures[0];
}

function gibibytes(bytes: number): string {
  return (bytes / 1024 ** 3).toFixed(1);
}
