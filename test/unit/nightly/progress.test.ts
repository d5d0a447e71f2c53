import { afterEach, beforeEach, expect, test, vi } from "vitest";
import type { FactoryEvent } from "../../../src/events.ts";
import type { NightlyTask } from "../../../src/nightly/choose.ts";
import { createProgress } from "../../../src/nightly/progress.ts";
import { keptRelease } from "../../../src/nightly/to-release.ts";

beforeEach(() => void vi.useFakeTimers());
afterEach(() => void vi.useRealTimers());

const task = (recipe: string, estimatedSeconds: number, action: NightlyTask["action"] = "rebuild"): NightlyTask => ({
  id: `${recipe}@1`,
  recipe,
  version: "1",
  action,
  reason: { code: "never-built", sentence: "" },
  estimatedSeconds,
  dependsOn: [],
});

test("the time left is told by what is expected of what is left, an unknown one as the mean", () => {
  const events: FactoryEvent[] = [];
  const [long, short, unknown] = [task("long", 300), task("short", 100), task("unknown", 0)];
  const progress = createProgress([long, short, unknown], (event) => void events.push(event));
  expect(events).toEqual([{ type: "releases-planned", total: 3 }]);
  const finish = (done: NightlyTask): unknown => {
    progress.finished(done, { ...keptRelease(done), status: "rebuilt" }, false);
    return events.findLast(({ type }) => type === "release-finished");
  };
  vi.advanceTimersByTime(150_000);
  // 300 of 600 expected seconds took 150
  expect(finish(long)).toMatchObject({ release: "long@1", done: 1, total: 3, secondsLeft: 150 });
  vi.advanceTimersByTime(50_000);
  expect(finish(short)).toMatchObject({ done: 2, secondsLeft: 100 });
  expect(finish(task("kept", 0, "keep"))).toMatchObject({ done: 2 });
  expect(finish(unknown)).not.toHaveProperty("secondsLeft");
});

test("a night with nothing to do says nothing", () => {
  const events: FactoryEvent[] = [];
  createProgress([], (event) => void events.push(event));
  expect(events).toEqual([]);
});
