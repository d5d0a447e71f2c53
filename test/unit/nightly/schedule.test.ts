import fc from "fast-check";
import { expect, test } from "vitest";
import { decide, runSchedule, type Task, type TaskEnd } from "../../../src/nightly/schedule.ts";

const limits = { jobs: 2, diskPerTask: 10 };
const task = (id: string, dependsOn: readonly string[] = [], estimatedSeconds = 0): Task => ({
  id,
  dependsOn,
  estimatedSeconds,
});
const idle = { running: new Set<string>(), ended: new Map<string, TaskEnd>() };
const ids = (tasks: readonly Task[]): string[] => tasks.map(({ id }) => id);

test("the longest chain comes first, and what has to wait waits", () => {
  const waiting = [task("long", [], 30), task("base", [], 5), task("app", ["base"], 40), task("small", [], 1)];
  expect(ids(decide({ ...idle, waiting }, limits, 1000).start)).toEqual(["base", "long"]);
  const ended = new Map<string, TaskEnd>([["base", "done"]]);
  const rest = waiting.filter(({ id }) => id !== "base");
  expect(ids(decide({ ...idle, ended, waiting: rest }, limits, 1000).start)).toEqual(["app", "long"]);
});

test("what is not part of the schedule is there already", () => {
  expect(ids(decide({ ...idle, waiting: [task("app", ["elsewhere"])] }, limits, 1000).start)).toEqual(["app"]);
});

test("what stands on a failure is not tried, whatever lies between; the rest is", () => {
  const ended = new Map<string, TaskEnd>([["base", "failed"]]);
  const waiting = [task("top", ["app"]), task("app", ["base"]), task("other")];
  const { start, drop } = decide({ ...idle, ended, waiting }, limits, 1000);
  expect(ids(start)).toEqual(["other"]);
  expect(drop.map(({ task: { id }, why, because }) => [id, why, because])).toEqual([
    ["top", "blocked", "it was not tried: it stands on app, which was not tried"],
    ["app", "blocked", "it was not tried: it stands on base, which failed"],
  ]);
});

test("a disk that is too full for one more holds tasks while one runs, and drops them when none does", () => {
  const waiting = [task("a"), task("b")];
  expect(ids(decide({ ...idle, waiting }, limits, 19).start)).toEqual(["a"]);
  expect(decide({ ...idle, waiting, running: new Set(["x"]) }, limits, 9)).toEqual({ start: [], drop: [] });
  const full = decide({ ...idle, waiting }, limits, 9);
  expect(full.start).toEqual([]);
  expect(full.drop.map(({ why }) => why)).toEqual(["disk", "disk"]);
});

/** Tasks that depend on earlier ones only, so that there is no circle. */
const schedules = fc
  .array(fc.record({ needs: fc.array(fc.nat(30), { maxLength: 3 }), seconds: fc.nat(100), fails: fc.boolean() }), {
    minLength: 1,
    maxLength: 20,
  })
  .map((drafts) =>
    drafts.map(({ needs, seconds, fails }, at) => ({
      ...task(`t${at}`, at === 0 ? [] : needs.map((need) => `t${need % at}`), seconds),
      fails,
    })),
  );

test("every task runs once or is dropped, in order, and never more at once than there is room for", async () => {
  await fc.assert(
    fc.asyncProperty(
      schedules,
      fc.integer({ min: 1, max: 5 }),
      fc.array(fc.nat(60), { minLength: 1, maxLength: 10 }),
      async (tasks, jobs, disks) => {
        const ends = new Map<string, "done" | "failed" | "blocked" | "disk">();
        let running = 0;
        let looks = 0;
        let free = 0;
        await runSchedule(
          tasks,
          { jobs, diskPerTask: 10 },
          {
            freeDisk: async () => (free = disks[looks++ % disks.length] ?? 0),
            async run({ id, dependsOn, fails, estimatedSeconds }) {
              running++;
              expect(running).toBeLessThanOrEqual(Math.min(jobs, Math.max(1, Math.floor(free / 10))));
              for (const needed of dependsOn) expect(ends.get(needed)).toBe("done");
              expect(ends.has(id)).toBe(false);
              for (let turn = 0; turn < estimatedSeconds % 5; turn++) await Promise.resolve();
              running--;
              const end = fails ? "failed" : "done";
              ends.set(id, end);
              return end;
            },
            drop({ task: { id, dependsOn }, why }) {
              expect(ends.has(id)).toBe(false);
              // read from the bottom: what is above is dropped in the same moment
              if (why === "blocked") expect(dependsOn.length).toBeGreaterThan(0);
              if (why === "disk") expect([running, free < 10]).toEqual([0, true]);
              ends.set(id, why);
            },
          },
        );
        expect([...ends.keys()].toSorted()).toEqual(ids(tasks).toSorted());
        for (const { id, dependsOn } of tasks) {
          const stuck = dependsOn.some((needed) => ends.get(needed) !== "done");
          if (ends.get(id) === "blocked") expect(stuck).toBe(true);
        }
      },
    ),
    { numRuns: 300 },
  );
});

test("what a task throws is thrown when the others have ended", async () => {
  let ended = false;
  const running = runSchedule([task("a"), task("b"), task("c")], limits, {
    freeDisk: async () => 1000,
    async run({ id }) {
      if (id === "a") throw new Error("stop");
      await new Promise((resolve) => setTimeout(resolve, 20));
      ended = true;
      return "done";
    },
    drop: () => expect.unreachable(),
  });
  await expect(running).rejects.toThrow("stop");
  expect(ended).toBe(true);
});
