import { expect, test } from "vitest";
import { chooseTasks } from "../../../src/nightly/choose.ts";
import type { PlanJob } from "../../../src/plan/types.ts";

function job(
  recipe: string,
  reason: PlanJob["reason"]["code"],
  due: boolean,
  estimatedSeconds: number | null,
): PlanJob {
  return {
    recipe,
    version: "1.0",
    platform: "linux/amd64",
    due,
    needs: due ? "build" : "nothing",
    buildKey: `sha256:${"0".repeat(64)}`,
    reason: { code: reason, sentence: reason },
    changes: [],
    estimatedSeconds,
    dependsOn: [],
  };
}

const names = ["a", "b", "c", "d", "e", "f", "g"];
const calm = names.map((name) => job(name, "up-to-date", false, 0));
const day = (number: number): string => new Date(Date.UTC(2026, 10, number)).toISOString().slice(0, 10);

test("what is due comes first, the longest before the others; a fault is for a person", () => {
  const jobs = [
    job("short", "new-release", true, 5),
    job("long", "source-changed", true, 50),
    job("calm", "up-to-date", false, 0),
    job("moved", "tag-moved", false, 0),
  ];
  const tasks = chooseTasks(jobs, { sample: 0, today: day(1) });
  expect(tasks.map(({ recipe, action }) => `${recipe} ${action}`)).toEqual([
    "moved fault",
    "long rebuild",
    "short rebuild",
    "calm keep",
  ]);
});

test("one platform that is due makes its release due, with that platform's reason", () => {
  const jobs = [
    job("a", "up-to-date", false, 1),
    { ...job("a", "not-varied", true, 7), platform: "linux/arm64" as const },
  ];
  expect(chooseTasks(jobs, { sample: 3, today: day(1) })).toMatchObject([
    { recipe: "a", action: "rebuild", reason: { code: "not-varied" }, estimatedSeconds: 8 },
  ]);
});

test("the sample is as large as asked for, the same on one day, and comes round to all", () => {
  const sampled = (today: string, size = 2): string[] =>
    chooseTasks(calm, { sample: size, today }).flatMap(({ recipe, action }) => (action === "verify" ? [recipe] : []));
  expect(sampled(day(3))).toEqual(sampled(day(3)));
  const week = Array.from({ length: 7 }, (_, number) => sampled(day(number + 1)));
  for (const one of week) expect(one).toHaveLength(2);
  expect([...new Set(week.flat())].toSorted()).toEqual(names);
  expect(sampled(day(1), 100).toSorted()).toEqual(names);
  expect(sampled(day(1), 0)).toEqual([]);
});

test("a release stands on the releases that any of its platforms stands on, each once", () => {
  const app = job("app", "never-built", true, 5);
  const jobs = [
    { ...app, dependsOn: ["base@2.0 linux/amd64", "go@1.0 linux/amd64"] },
    { ...app, platform: "linux/386" as const, dependsOn: ["base@2.0 linux/386", "go@1.0 linux/amd64"] },
    job("base", "never-built", true, 5),
  ];
  const tasks = chooseTasks(jobs, { sample: 0, today: day(1) });
  expect(tasks.map(({ id, dependsOn }) => [id, dependsOn])).toEqual([
    ["app@1.0", ["base@2.0", "go@1.0"]],
    ["base@1.0", []],
  ]);
});
