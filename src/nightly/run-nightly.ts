import { statfs } from "node:fs/promises";
import { join } from "node:path";
import { messageOf, RefoundryError } from "../errors.ts";
import type { Emit } from "../events.ts";
import type { NightlyNotice, NightlyRelease, NightlyRun } from "../nightly-run.ts";
import type { RegistryReference } from "../oci/reference.ts";
import type { Outcome } from "../outcome.ts";
import { inDependencyOrder } from "../plan/dependency-order.ts";
import type { Plan } from "../plan/types.ts";
import { loadRecipe, loadReleaseInputs } from "../recipe/load.ts";
import type { Destination } from "../rebuild/destination.ts";
import { planReleases } from "../rebuild/plan-release.ts";
import { rebuildRelease } from "../rebuild/rebuild-release.ts";
import type { Factory } from "../rebuild/types.ts";
import { writeResults } from "../rebuild/write-results.ts";
import { version as factoryVersion } from "../version.ts";
import { attemptRelease, type AttemptBudget } from "./attempts.ts";
import { chooseTasks, type NightlyTask } from "./choose.ts";
import type { Journal } from "./journal.ts";
import { expiringWaivers, platformsUpstreamAdded } from "./notices.ts";
import { runSchedule, type TaskEnd } from "./schedule.ts";
import { faultyRelease, keptRelease, releaseOf, untriedRelease } from "./to-release.ts";

/** What a nightly is asked for. */
export interface NightlyRequest {
  readonly root: string;
  readonly recipes: readonly string[];
  /** Every release, not only the newest of each recipe. */
  readonly all: boolean;
  /** How many releases that are not due are built again from nothing. */
  readonly sample: number;
  /** Releases side by side. */
  readonly jobs: number;
  readonly budget: AttemptBudget;
  /** Where releases are and go, as `HOST/PREFIX/RECIPE`; layouts in `outFolder` where absent. */
  readonly registry?: RegistryReference;
  readonly destinationOf: (recipe: string, version: string) => Destination;
  /** Results of a release go to `RECIPE/VERSION` in it. */
  readonly outFolder: string;
  /** `YYYY-MM-DD`. */
  readonly today: string;
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

interface PlannedCatalogue {
  readonly jobs: Plan["jobs"];
  readonly notices: readonly NightlyNotice[];
  /** Recipes that cannot be read: each is a failure of its own. */
  readonly unreadable: readonly NightlyRelease[];
}

async function planCatalogue(request: NightlyRequest, factory: Factory): Promise<PlannedCatalogue> {
  const plans: Plan[] = [];
  const unreadable: NightlyRelease[] = [];
  const plan = (recipes: readonly string[]): Promise<Plan> =>
    planReleases(
      {
        root: request.root,
        selections: recipes.map((recipe) => ({ recipe, releases: request.all ? "all" : "newest" })),
        today: request.today,
        ...(request.registry && { registry: request.registry }),
        attestations: request.registry !== undefined,
        upstream: true,
        maxAge: 0,
      },
      factory,
    );
  try {
    plans.push(await plan(request.recipes));
  } catch (error) {
    if (!(error instanceof RefoundryError) || error.kind !== "usage") throw error;
    // one recipe that cannot be read is no reason to leave the others
    for (const recipe of request.recipes)
      await plan([recipe]).then(
        (one) => plans.push(one),
        (failure: unknown) => unreadable.push(unreadableRelease(recipe, failure)),
      );
  }
  const notices = plans.flatMap((one) => one.notices).flatMap(noticeOf);
  for (const recipe of request.recipes) notices.push(...(await noticesOf(recipe, plans, request, factory)));
  return { jobs: plans.flatMap(({ jobs }) => jobs), notices, unreadable };
}

function noticeOf({ code, recipe, version, sentence }: Plan["notices"][number]): NightlyNotice[] {
  if (recipe === undefined || (code !== "upstream-moved" && code !== "upstream-gone")) return [];
  return [{ code, recipe, ...(version !== undefined && { version }), sentence }];
}

async function noticesOf(
  name: string,
  plans: readonly Plan[],
  request: NightlyRequest,
  { registry, signal }: Factory,
): Promise<NightlyNotice[]> {
  const newest = plans.flatMap(({ jobs }) => jobs).findLast(({ recipe }) => recipe === name)?.version;
  if (newest === undefined) return [];
  const recipe = await loadRecipe(request.root, name);
  return [
    ...expiringWaivers(recipe, request.today),
    ...(await platformsUpstreamAdded(recipe, newest, registry, signal)),
  ];
}

function unreadableRelease(recipe: string, error: unknown): NightlyRelease {
  const failure = { errorClass: "usage" as const, message: messageOf(error) };
  const reason = { code: "unreadable", sentence: "the recipe or one of its releases cannot be read" };
  return {
    recipe,
    version: "",
    status: "failed",
    reason,
    index: null,
    seconds: 0,
    attempts: 0,
    failure,
    platforms: [],
  };
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
  const emit = labelled(factory.emit, `${recipe}@${version}`);
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

/** Says of each event which release it is about. */
function labelled(emit: Emit, label: string): Emit {
  return (event) =>
    emit("stage" in event ? { ...event, platform: [label, event.platform].filter(Boolean).join(" ") } : event);
}

function createProgress(todo: readonly NightlyTask[], emit: Emit) {
  let done = 0;
  const startedAt = performance.now();
  return {
    finished({ recipe, version, action }: NightlyTask, release: NightlyRelease, wasDone: boolean): void {
      if (action === "keep" || action === "fault") return;
      done++;
      const left = ((performance.now() - startedAt) / 1000 / done) * (todo.length - done);
      const rest = done < todo.length ? `, about ${Math.ceil(left / 60)} min left` : "";
      const status = wasDone ? "was done before the run was cut off" : release.status;
      const said = release.failure ? `failed: ${release.failure.message.split("\n")[0] ?? ""}` : status;
      emit({
        type: "notice",
        severity: release.failure ? "warning" : "info",
        message: `${done} of ${todo.length} releases done${rest}: ${recipe} ${version} ${said}`,
      });
    },
  };
}

function byName(a: NightlyRelease, b: NightlyRelease): number {
  const [left, right] = [`${a.recipe}@${a.version}`, `${b.recipe}@${b.version}`];
  return left < right ? -1 : left > right ? 1 : 0;
}
