import { homedir } from "node:os";
import { join } from "node:path";
import { readFile } from "node:fs/promises";
import { expect, test } from "vitest";
import { exitCodeOf, formatProblem, usageError } from "../../src/errors.ts";
import { readSettings } from "../../src/settings.ts";
import { version } from "../../src/version.ts";

test("without settings everything is under the user's cache folder", () => {
  const settings = readSettings({});
  const cache = join(homedir(), ".cache/refoundry");
  expect(settings).toMatchObject({
    cache,
    store: join(cache, "store"),
    engine: "auto",
    engineRoot: join(cache, "engine"),
  });
  expect(settings.jobs).toBeGreaterThan(0);
});

test("XDG_CACHE_HOME moves the cache, REFOUNDRY_STORE the store alone; a relative XDG path is ignored", () => {
  expect(readSettings({ XDG_CACHE_HOME: "/c", REFOUNDRY_STORE: "/s" })).toMatchObject({
    cache: "/c/refoundry",
    store: "/s",
  });
  expect(readSettings({ XDG_CACHE_HOME: "c" }).cache).toBe(join(homedir(), ".cache/refoundry"));
});

test.each([
  [{ REFOUNDRY_ENGINE: "podman" }, /REFOUNDRY_ENGINE is "podman"/],
  [{ REFOUNDRY_JOBS: "0" }, /REFOUNDRY_JOBS/],
  [{ REFOUNDRY_JOBS: "two" }, /REFOUNDRY_JOBS/],
  [{ REFOUNDRY_JOB_MEMORY: "2" }, /REFOUNDRY_JOB_MEMORY is "2"/],
  [{ REFOUNDRY_STAGE_TIMEOUT: "10m" }, /REFOUNDRY_STAGE_TIMEOUT is "10m"/],
  [{ REFOUNDRY_STAGE_TIMEOUT: "bake=10" }, /REFOUNDRY_STAGE_TIMEOUT[^]*stages are setup/],
  [{ REFOUNDRY_DEBIAN_MIRROR: "mirror" }, /REFOUNDRY_DEBIAN_MIRROR/],
])("%j is refused by name", (env, message) => {
  expect(() => readSettings(env)).toThrow(message);
});

test("time limits and memory are read in their units", () => {
  const { jobMemory, stageTimeouts } = readSettings({
    REFOUNDRY_JOB_MEMORY: "512M",
    REFOUNDRY_STAGE_TIMEOUT: "60, build=7200",
  });
  expect(jobMemory).toBe(512 * 1024 * 1024);
  expect(stageTimeouts).toMatchObject({ source: 60, publish: 60, build: 7200 });
});

test("exit codes are the documented ones", () => {
  expect([
    exitCodeOf("mismatch"),
    exitCodeOf("usage"),
    exitCodeOf("infrastructure"),
    exitCodeOf("interrupted"),
  ]).toEqual([1, 2, 3, 130]);
});

test("a problem is where, what, and what to do", () => {
  const [problem] = usageError("unknown key", {
    location: { file: "a.yaml", line: 3, column: 5 },
    hint: "remove it",
  }).problems;
  expect(problem && formatProblem(problem)).toBe("a.yaml:3:5: unknown key\n  remove it");
});

test("the version is the package's", async () => {
  expect(JSON.parse(await readFile("package.json", "utf8")).version).toBe(version);
});
