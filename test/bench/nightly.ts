// A nightly over small releases, all due, against the same buildx commands by hand: as many at
// once, without cache, with nothing around them. Pairs in one run; their median ratio; where
// the time of the nightly goes. Run with npm run bench:nightly [PAIRS] [RELEASES] [SECONDS],
// the seconds that each build works besides starting and exporting.
import { chmod, cp, mkdtemp, readFile, rm, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { delimiter, join } from "node:path";
import { execa } from "execa";
import pLimit from "p-limit";
import type { CliContext } from "../../src/commands/context.ts";
import { withFactory } from "../../src/commands/factory.ts";
import type { Engine } from "../../src/engine/types.ts";
import type { FactoryEvent } from "../../src/events.ts";
import { openJournal } from "../../src/nightly/journal.ts";
import { runNightly } from "../../src/nightly/run-nightly.ts";
import { parseReference } from "../../src/oci/reference.ts";
import type { Factory } from "../../src/rebuild/types.ts";
import { openStore } from "../../src/store/store.ts";
import { refoundry } from "../support/cli.ts";
import { startRegistry } from "../support/registry.ts";
import { prepareTestTools } from "../support/test-tools.ts";
import { createTinyFactory, type TinyFactory } from "../support/tiny-factory.ts";

const pairs = Number(process.argv[2] ?? 3);
const releases = Number(process.argv[3] ?? 6);
const seconds = Number(process.argv[4] ?? 5);
const say = (line: string): void => void process.stdout.write(`${line}\n`);
const median = (values: readonly number[]): number =>
  values.toSorted((a, b) => a - b)[Math.floor(values.length / 2)] ?? 0;

process.env["PATH"] = [await prepareTestTools(), process.env["PATH"]].join(delimiter);
const folder = await mkdtemp(join(tmpdir(), "refoundry-bench-"));
const registry = await startRegistry();
const log = join(folder, "calls");
try {
  const names = Array.from({ length: releases }, (_, at) => `small-${at}`);
  const tiny = await createTinyFactory(folder, registry.host);
  const env = { ...process.env, REFOUNDRY_STORE: join(folder, "store-0"), DOCKER_CONFIG: join(folder, "docker") };
  for (const name of names) await writeRecipe(tiny, name);
  for (const name of names) {
    const pinned = await refoundry(["pin", name, "1.0"], { cwd: tiny.root, env });
    if (pinned.exitCode !== 0) throw new Error(pinned.stderr);
  }
  const ratios: number[] = [];
  for (let pair = 1; pair <= pairs; pair++) {
    // other commands each time, so that nothing of them is in the engine's cache
    for (const name of names) await writeDockerfile(tiny, name, `pair-${pair}-${Date.now()}`);
    const context: CliContext = {
      process: {
        stdout: process.stdout,
        stderr: process.stderr,
        env: { ...env, REFOUNDRY_STORE: join(folder, `store-${pair}`) },
      },
      cwd: tiny.root,
      signal: new AbortController().signal,
    };
    await withFactory(context, async (factory) => {
      const handle = await factory.engine();
      const engine = await handle.acquire();
      try {
        const wrapper = await writeWrapper(engine);
        const acquire = async (): Promise<Engine> => ({
          ...engine,
          buildx: { file: wrapper, args: [] },
          release: async () => {},
        });
        await rm(log, { force: true });
        const watch = watchStages();
        const ours = await timed(() =>
          nightly(tiny, names, pair, { ...factory, emit: watch.emit, engine: async () => ({ ...handle, acquire }) }),
        );
        const calls = await readCalls();
        const byHand = await timed(() => replay(calls, engine, factory.settings.jobs, pair));
        ratios.push(ours / byHand);
        say(
          `nightly over ${releases} releases ${ours.toFixed(2)} s, the same ${calls.length} buildx commands by hand, ${factory.settings.jobs} at once, ${byHand.toFixed(2)} s, ratio ${(ours / byHand).toFixed(3)}`,
        );
        say(`  ${watch.summary()}`);
      } finally {
        await engine.release();
      }
    });
  }
  say(`overhead of a nightly: median ratio ${median(ratios).toFixed(3)} of ${pairs}`);
} finally {
  await registry.stop();
  await rm(folder, { recursive: true, force: true });
}

async function writeRecipe({ root, recipeFolder }: TinyFactory, name: string): Promise<void> {
  const to = join(root, "recipes/images", name);
  await cp(recipeFolder, to, { recursive: true });
  const path = join(to, "recipe.yaml");
  await writeFile(path, (await readFile(path, "utf8")).replace("image: hello\n", `image: ${name}\n`));
}

async function writeDockerfile({ root, recipeFolder }: TinyFactory, name: string, mark: string): Promise<void> {
  const text = await readFile(join(recipeFolder, "Dockerfile"), "utf8");
  // each platform's own step: BuildKit would join equal ones where they happen to run at once
  const own = `ARG TARGETARCH\nRUN echo ${name} ${mark} $TARGETARCH && sleep ${seconds} && mkdir`;
  const slower = text.replace("RUN mkdir", own);
  await writeFile(join(root, "recipes/images", name, "Dockerfile"), slower);
}

async function nightly(tiny: TinyFactory, names: readonly string[], pair: number, factory: Factory): Promise<void> {
  const { jobs, store: storePath, stageTimeouts } = factory.settings;
  const place = parseReference(`${registry.host}/night-${pair}`);
  if (place.kind !== "registry") throw new Error("no registry");
  const retry = { retries: 0, firstDelaySeconds: 1 };
  const store = await openStore(storePath);
  const journal = await openJournal(store, `pair ${pair}`, new Date(), { fresh: true });
  const run = await runNightly(
    {
      root: tiny.root,
      recipes: names,
      all: false,
      sample: 0,
      jobs: jobs + 1,
      budget: { infra: retry, fetch: retry, timeoutSeconds: 3600, stageTimeouts, graceSeconds: 60 },
      registry: place,
      destinationOf(recipe, version) {
        const reference = { ...place, repository: `${place.repository}/${recipe}` };
        return { kind: "registry", reference, name: `${reference.host}/${reference.repository}:${version}` };
      },
      outFolder: join(folder, `out-${pair}`),
      today: new Date().toISOString().slice(0, 10),
    },
    journal,
    factory,
  );
  await store.close();
  const failed = run.releases.filter(({ status }) => status !== "rebuilt");
  if (failed.length > 0) throw new Error(JSON.stringify(failed, null, 2));
}

async function timed(work: () => Promise<void>): Promise<number> {
  const startedAt = performance.now();
  await work();
  return (performance.now() - startedAt) / 1000;
}

/** When the first build began and the last ended, and the seconds of each kind of stage. */
function watchStages() {
  const startedAt = performance.now();
  const now = (): number => (performance.now() - startedAt) / 1000;
  const sums = new Map<string, number>();
  let first: number | undefined;
  let last = 0;
  return {
    emit(event: FactoryEvent): void {
      if (event.type === "stage-started" && event.stage === "build") first ??= now();
      if (event.type !== "stage-finished") return;
      if (event.stage === "build") last = now();
      sums.set(event.stage, (sums.get(event.stage) ?? 0) + event.seconds);
    },
    summary(): string {
      const stages = [...sums].map(([stage, sum]) => `${stage} ${sum.toFixed(1)}`).join(", ");
      return `first build after ${(first ?? 0).toFixed(2)} s, last ended at ${last.toFixed(2)} s; seconds of stages, many at once: ${stages}`;
    },
  };
}

interface Call {
  readonly args: readonly string[];
  readonly policy: string;
}

/** Writes down each call of buildx on its way. */
async function writeWrapper(engine: Engine): Promise<string> {
  const path = join(folder, "buildx");
  await writeFile(
    path,
    `#!/bin/sh\n{ printf '%s\\037' "$EXPERIMENTAL_BUILDKIT_SOURCE_POLICY" "$@"; echo; } >> '${log}'\nexec '${engine.buildx.file}' "$@"\n`,
  );
  await chmod(path, 0o755);
  return path;
}

/** Smoke tests are builds without an output: they count as well, and are as they were. */
async function readCalls(): Promise<Call[]> {
  const lines = (await readFile(log, "utf8")).split("\n").filter(Boolean);
  return lines
    .map((line) => line.split("\u001f").slice(0, -1))
    .filter(([, command]) => command === "build")
    .map(([policy = "", ...args]) => ({ policy, args }));
}

/** The same commands, as many at once; those that need no earlier one's result first, as a night could at best. */
async function replay(calls: readonly Call[], engine: Engine, jobs: number, pair: number): Promise<void> {
  const limit = pLimit(jobs);
  await Promise.all(
    calls.map(({ args, policy }, position) =>
      limit(async () => {
        const moved = args.map((argument) =>
          argument.replace(/dest=[^,]+/, `dest=${join(folder, `by-hand-${pair}-${position}`)}`),
        );
        const [command = "", ...rest] = moved;
        const uncached = rest.includes("--no-cache") ? rest : ["--no-cache", ...rest];
        const env = {
          ...engine.env,
          EXPERIMENTAL_BUILDKIT_SOURCE_POLICY: policy,
          BUILDX_NO_DEFAULT_ATTESTATIONS: "1",
          BUILDX_METADATA_PROVENANCE: "disabled",
        };
        await execa(engine.buildx.file, [command, ...uncached], { env, stdio: "ignore" });
      }),
    ),
  );
}
