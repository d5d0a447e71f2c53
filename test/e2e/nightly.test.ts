import { existsSync } from "node:fs";
import { cp, mkdtemp, readFile, rm, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterAll, beforeAll, expect, test } from "vitest";
import type { NightlyRun } from "../../src/nightly-run.ts";
import { type CliResult, refoundry, startRefoundry } from "../support/cli.ts";
import { startRegistry, type TestRegistry } from "../support/registry.ts";
import { temporaryFolder } from "../support/temporary.ts";
import { createTinyFactory, type TinyFactory } from "../support/tiny-factory.ts";

let folder: string;
let registry: TestRegistry;
let factory: TinyFactory;
let env: Record<string, string>;
const kills = Number(process.env["REFOUNDRY_NIGHTLY_KILLS"] ?? 3);

beforeAll(async () => {
  folder = await mkdtemp(join(tmpdir(), "refoundry-e2e-"));
  registry = await startRegistry();
  factory = await createTinyFactory(folder, registry.host);
  env = { REFOUNDRY_STORE: join(folder, "store"), DOCKER_CONFIG: join(folder, "docker") };
  for (const name of ["second", "third"]) await copyRecipe(name);
  for (const name of ["hello", "second", "third"])
    expect(await call(["pin", name, "1.0"])).toMatchObject({ exitCode: 0 });
});

afterAll(async () => {
  await registry?.stop();
  await rm(folder, { recursive: true, force: true });
});

const call = (args: readonly string[], more: Record<string, string> = {}): Promise<CliResult> =>
  refoundry(args, { cwd: factory.root, env: { ...env, ...more } });

async function copyRecipe(name: string): Promise<string> {
  const to = join(factory.root, "recipes/images", name);
  await cp(factory.recipeFolder, to, { recursive: true });
  const path = join(to, "recipe.yaml");
  await writeFile(path, (await readFile(path, "utf8")).replace("image: hello\n", `image: ${name}\n`));
  // other bytes, so that it has build keys of its own
  const dockerfile = join(to, "Dockerfile");
  await writeFile(dockerfile, `# ${name}\n${await readFile(dockerfile, "utf8")}`);
  return to;
}

function nightly(args: readonly string[], more: Record<string, string> = {}): Promise<CliResult> {
  return call(["nightly", "--history", `${registry.host}/history`, "--json", ...args], more);
}

/** What a run came to, without when and how fast. */
function essence(run: NightlyRun): unknown {
  return run.releases.map(({ recipe, version, status, index, platforms }) => ({
    recipe,
    version,
    status,
    index,
    platforms: platforms.map(({ platform, verdict, rebuilt, manifest }) => ({ platform, verdict, rebuilt, manifest })),
  }));
}

let first: NightlyRun;
/** How long a night over nothing takes here. */
let nightMs = 0;

test("what is due is rebuilt, released and kept in the history; the next night only a sample is", async () => {
  const startedAt = performance.now();
  const result = await nightly(["--push", `${registry.host}/released`]);
  nightMs = performance.now() - startedAt;
  expect(result.exitCode, result.stderr).toBe(0);
  first = JSON.parse(result.stdout) as NightlyRun;
  expect(first.releases.map(({ recipe, status }) => `${recipe} ${status}`)).toEqual([
    "hello rebuilt",
    "second rebuilt",
    "third rebuilt",
  ]);
  for (const release of first.releases)
    expect(release.platforms.map(({ verdict }) => verdict)).toEqual(["equivalent", "extended"]);
  const second = await nightly(["--push", `${registry.host}/released`]);
  expect(second.exitCode, second.stderr).toBe(0);
  const statuses = (JSON.parse(second.stdout) as NightlyRun).releases.map(({ status }) => status);
  expect(statuses.toSorted()).toEqual(["kept", "kept", "verified"]);
  expect(second.stderr).toMatch(/1 of 1 releases done: (hello|second|third) 1\.0 verified/);
});

test("a site is drawn from the history, on any machine", async () => {
  const out = join(await temporaryFolder(), "site");
  const drawn = await call(["site", "--history", `${registry.host}/history`, "--out", out], {
    REFOUNDRY_STORE: join(folder, "another-store"),
  });
  expect(drawn, drawn.stderr).toMatchObject({ exitCode: 0 });
  const overview = await readFile(join(out, "index.html"), "utf8");
  for (const name of ["hello", "second", "third"]) expect(overview).toContain(name);
  expect(existsSync(join(out, "badges/hello.svg"))).toBe(true);
  const reported = await call(["report", "--history", `${registry.host}/history`, "--out", out]);
  expect(reported, reported.stderr).toMatchObject({ exitCode: 0, stdout: drawn.stdout });
});

test("the history lists its runs, newest first, and what became of a release is told from it", async () => {
  const kept = ["--history", `${registry.host}/history`];
  const { runs } = JSON.parse((await call(["history", ...kept, "--json"])).stdout);
  expect(runs).toMatchObject([
    { rebuilt: 0, verified: 1, kept: 2, failed: 0 },
    { id: first.id, rebuilt: 3, verified: 0, kept: 0, failed: 0 },
  ]);
  const newest = await call(["history", ...kept, "--limit", "1"]);
  expect(newest.stdout.trim()).toMatch(/^\S+ {2}0 rebuilt, 1 verified, 2 kept, 0 failed, \d+ notices/);
  const place = `${registry.host}/released`;
  const explained = JSON.parse((await call(["explain", "hello@1.0", ...kept, "--registry", place, "--json"])).stdout);
  expect(explained.history.at(-1)).toMatchObject({
    run: first.id,
    status: "rebuilt",
    platforms: [
      { platform: "linux/amd64", verdict: "equivalent" },
      { platform: "linux/386", verdict: "extended" },
    ],
  });
  const { index } = first.releases.find(({ recipe }) => recipe === "hello") ?? {};
  // nothing of the release was recorded in git
  expect(explained.released).toEqual({ name: `${place}/hello:1.0`, index, isRecorded: false });
  const none = await call(["history", "--history", `oci:${join(await temporaryFolder(), "new")}`, "--json"]);
  expect(JSON.parse(none.stdout)).toEqual({ schema: "refoundry/history/v1", runs: [] });
});

test("one that fails, and one that cannot be read, stop none of the others", async () => {
  const failing = await copyRecipe("failing");
  expect(await call(["pin", "failing", "1.0", "--replace"])).toMatchObject({ exitCode: 0 });
  const dockerfile = join(failing, "Dockerfile");
  await writeFile(dockerfile, (await readFile(dockerfile, "utf8")).replace("RUN mkdir", "RUN false && mkdir"));
  const unreadable = await copyRecipe("unreadable");
  await writeFile(join(unreadable, "recipe.yaml"), "image: [\n");
  try {
    const result = await nightly(["--push", `${registry.host}/others`]);
    expect(result.exitCode).toBe(1);
    const run = JSON.parse(result.stdout) as NightlyRun;
    expect(run.releases).toMatchObject([
      { recipe: "failing", status: "failed", attempts: 1, failure: { errorClass: "build" } },
      { recipe: "hello", status: "rebuilt" },
      { recipe: "second", status: "rebuilt" },
      { recipe: "third", status: "rebuilt" },
      { recipe: "unreadable", status: "failed", failure: { errorClass: "usage" } },
    ]);
    const summary = await readFile(join(factory.root, "out/nightly", run.id, "summary.md"), "utf8");
    expect(summary).toMatch(/2 failed[^]*### Failed[^]*failing 1\.0[^]*unreadable/);
  } finally {
    for (const path of [failing, unreadable]) await rm(path, { recursive: true, force: true });
  }
});

test("killed at any moment, it goes on, does nothing twice, and ends as one that was not", {
  timeout: 300_000 + kills * 120_000,
}, async () => {
  let killed = 0;
  let starts = 0;
  let resumed = 0;
  // nights over nothing, one after another, until all kills have hit one
  for (let night = 1; killed < kills; night++) {
    const own = { REFOUNDRY_STORE: join(folder, `killed-store-${night}`) };
    const place = `${registry.host}/killed-${night}`;
    const args = ["nightly", "--push", place, "--history", `oci:${join(folder, `killed-history-${night}`)}`, "--json"];
    const finished: string[] = [];
    let run: NightlyRun | undefined;
    while (run === undefined) {
      expect(starts).toBeLessThan(10 * (kills + 1));
      const running = startRefoundry(args, { cwd: factory.root, env: { ...env, ...own } });
      const stop = (): void => void running.kill("SIGKILL");
      // spread over the length of a night; seeded: the same parts of it each time
      const moment = 300 + ((starts++ * 0.618) % 1) * 0.7 * nightMs;
      const timer = killed < kills ? setTimeout(stop, moment) : undefined;
      const result = await running;
      clearTimeout(timer);
      for (const [, name = ""] of result.stderr.matchAll(/releases done[^:]*: (\w+) 1\.0 rebuilt/g))
        finished.push(name);
      if (result.stderr.includes("goes on with the run")) resumed++;
      if (result.signal === "SIGKILL") killed++;
      else {
        expect(result.exitCode, result.stderr).toBe(0);
        run = JSON.parse(result.stdout) as NightlyRun;
      }
    }
    expect(essence(run)).toEqual(essence(first));
    // one that was said to be done was not done again
    expect(finished.toSorted()).toEqual([...new Set(finished)].toSorted());
    for (const { recipe, index } of first.releases) {
      const verified = await call(["verify", `${place}/${recipe}:1.0`, "--json"]);
      expect(JSON.parse(verified.stdout), verified.stderr).toMatchObject({ verified: true, digest: index });
    }
    await rm(own.REFOUNDRY_STORE, { recursive: true });
  }
  expect(killed).toBe(kills);
  expect(resumed).toBeGreaterThan(0);
});

test("other inputs are a refresh, which a pull request records; a tag that is out does not move for it", async () => {
  expect(await call(["rebuild", "hello@1.0", "--record"])).toMatchObject({ exitCode: 0 });
  const lock = join(factory.recipeFolder, "releases/1.0.yaml");
  const before = await readFile(lock, "utf8");
  const dockerfile = join(factory.recipeFolder, "Dockerfile");
  const layers = "COPY --from=build /out/busybox /busybox\nCOPY --from=build /out/etc/ /etc/\n";
  await writeFile(dockerfile, (await readFile(dockerfile, "utf8")).replace("COPY --from=build /out/ /\n", layers));
  const held = await nightly(["hello", "--push", `${registry.host}/released`, "--record"]);
  expect(held.exitCode, held.stderr).toBe(1);
  expect(JSON.parse(held.stdout)).toMatchObject({
    releases: [{ status: "failed", attempts: 1, failure: { errorClass: "refresh" } }],
  });
  expect(await readFile(lock, "utf8")).toBe(before);
  // where no release is out yet, it goes out
  const result = await nightly(["hello", "--push", `${registry.host}/anew`, "--record"]);
  const run = JSON.parse(result.stdout) as NightlyRun;
  expect(run.releases, result.stderr).toMatchObject([
    { status: "rebuilt", recorded: "refreshed", reason: { code: "dockerfile-changed" } },
  ]);
  expect(await readFile(lock, "utf8")).not.toBe(before);
  const text = await readFile(join(factory.root, "out/nightly", run.id, "refresh.md"), "utf8");
  expect(text.split("\n")[0]).toBe(`Record what 1 release gave in the night of ${run.id.slice(0, 10)}`);
  expect(text).toMatch(/hello&#64;1\.0<\/code> \| <code>dockerfile-changed<\/code> \| .*changed since it was recorded/);
  expect(text).toMatch(/linux\/386 \| extended \| <code>[0-9a-f]{12}<\/code> \| <code>[0-9a-f]{12}<\/code> \|/);
  const planned = JSON.parse((await call(["plan", "hello", "--json"])).stdout);
  expect(planned.totals).toMatchObject({ due: 0, faults: 0 });
});

test.each([
  [["nobody"], /there is no recipe "nobody"/],
  [["--jobs", "0"], /0 is not a whole number from 1 on/],
  [["--push", "registry.example/a:1"], /--push takes HOST\/PREFIX/],
  [["--history", "docker-archive:x"], /--history takes HOST\/NAME or oci:PATH/],
])("%j is refused", async (args, said) => {
  const result = await call(["nightly", ...args]);
  expect(result.exitCode).toBe(2);
  expect(result.stderr).toMatch(said);
});
