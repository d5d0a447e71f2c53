import { statfs } from "node:fs/promises";
import { join } from "node:path";
import { ofRelease } from "../events.ts";
import type { NightlyRelease, NightlyRun } from "../nightly-run.ts";
import type { Outcome } from "../outcome.ts";
import { inDependencyOrder } from "../plan/dependency-order.ts";
import { loadReleaseInputs } from "../recipe/load.ts";
import type { Destination } from "../rebuild/destination.ts";
import { rebuildRelease } from "../rebuild/rebuild-release.ts";
import type { Factory } from "../rebuild/types.ts";
import { writeResults } from "../rebuild/write-results.ts";
import { version as factoryVersion } from "../version.ts";
import { attemptRelease, type AttemptBudget } from "./attempts.ts";
import { chooseTasks, type NightlyTask } from "./choose.ts";
import type { Journal } from "./journal.ts";
import { type CatalogueRequest, planCatalogue } from "./plan-catalogue.ts";
import { createProgress } from "./progress.ts";
import { runSchedule, type TaskEnd } from "./schedule.ts";
import { faultyRelease, keptRelease, releaseOf, untriedRelease } from "./to-release.ts";

/** What a nightly is asked for. */
export interface NightlyRequest extends CatalogueRequest {
  /** How many releases that are not due are built again from nothing. */
  readonly sample: number;
  /** Releases side by side. */
  readonly jobs: number;
  readonly budget: AttemptBudget;
  readonly destinationOf: (recipe: string, version: string) => Destination;
  /** Results of a release go to `RECIPE/VERSION` in it. */
  readonly outFolder: string;
}

/** What a release may leave on the disk while it is built. */
const diskPerRelease = 2 * 1024 ** 3;

/**
 * Rebuilds what is due of a catalogue and a sample of the rest, several releases side by
 * side, each after those that it stands on. One that fails never stops the others but
 * those that stand on it, and what the journal has is not done again. Throws for an
 * interrupt, after all that ran has stopped, and for releases that need each other in a
 * circle.
 */
export async function runNightly(request: NightlyRequest, journal: Journal, factory: Factory): Promise<NightlyRun> {
  const { signal, emit } = factory;
  const planned = await journal.planned(() => planCatalogue(request, factory));
  const tasks = inDependencyOrder(chooseTasks(planned.jobs, request));
  const todo = tasks.filter(({ action }) => action === "rebuild" || action === "verify");
  // held for the whole run: an engine that starts and stops for each release costs seconds each time
  const engine = todo.length > 0 ? await (await factory.engine()).acquire(signal) : undefined;
  const progress = createProgress(todo, emit);
  try {
    const releases: NightlyRelease[] = [];
    const end = (task: NightlyTask, release: NightlyRelease, before = false): TaskEnd => {
      releases.push(release);
      progress.finished(task, release, before);
      return release.status === "failed" ? "failed" : "done";
    };
    const limits = { jobs: request.jobs, diskPerTask: diskPerRelease };
    await runSchedule(tasks, limits, {
      freeDisk: () => freeBytes(factory.store.path),
      async run(task) {
        const before = journal.find(task.id);
        return end(task, before ?? (await doTask(task, request, journal, factory)), before !== undefined);
      },
      drop: ({ task, why, because }) =>
        void end(task, untriedRelease(task, why === "blocked" ? "blocked" : "infra", because)),
    });
    return {
      schema: "refoundry/nightly/v1",
      id: journal.id,
      startedAt: journal.startedAt,
      finishedAt: new Date().toISOString(),
      factory: factoryVersion,
      releases: [...releases, ...planned.unreadable].toSorted(byName),
      notices: planned.notices,
    };
  } finally {
    await engine?.release();
  }
}

async function doTask(
  task: NightlyTask,
  request: NightlyRequest,
  journal: Journal,
  factory: Factory,
): Promise<NightlyRelease> {
  if (task.action === "keep") return keptRelease(task);
  if (task.action === "fault") return faultyRelease(task);
  const { recipe, version } = task;
  const startedAt = performance.now();
  const path = join(recipe, version);
  const folder = join(request.outFolder, path);
  const emit = ofRelease(factory.emit, task.id);
  const attempted = await attemptRelease(
    (signal, watched) => rebuildTask(task, request, folder, { ...factory, signal, emit: watched }),
    request.budget,
    { signal: factory.signal, emit },
    (message, seconds) =>
      emit({ type: "notice", severity: "warning", message: `${message}; tried again in ${seconds} s` }),
  );
  const seconds = (performance.now() - startedAt) / 1000;
  const release = releaseOf(task, attempted, seconds, join(path, "report.html"));
  await journal.keep(release);
  return release;
}

async function rebuildTask(
  { recipe, version, action }: NightlyTask,
  request: NightlyRequest,
  folder: string,
  factory: Factory,
): Promise<Outcome> {
  const inputs = await loadReleaseInputs(request.root, recipe, { version, today: request.today });
  const outcome = await rebuildRelease(
    {
      inputs,
      force: action === "verify",
      build: "where due",
      destination: request.destinationOf(recipe, version),
      report: join(folder, "report.html"),
      startedAt: new Date().toISOString(),
      today: request.today,
    },
    factory,
  );
  await writeResults(outcome, folder, folder, factory.emit);
  return outcome;
}

async function freeBytes(path: string): Promise<number> {
  const { bavail, bsize } = await statfs(path);
  return bavail * bsize;
}

function byName(a: NightlyRelease, b: NightlyRelease): number {
  const [left, right] = [`${a.recipe}@${a.version}`, `${b.recipe}@${b.version}`];
  return left < right ? -1 : left > right ? 1 : 0;
}
