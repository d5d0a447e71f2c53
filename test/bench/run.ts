// Ratios measured in one run: the factory against the same buildx commands by hand,
// start-up against Node's own, and the factory's peak memory. Run with npm run bench.
import { chmod, mkdtemp, readFile, rm, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { execa } from "execa";
import pLimit from "p-limit";
import type { CliContext } from "../../src/commands/context.ts";
import { withFactory } from "../../src/commands/factory.ts";
import { loadInputs } from "../../src/commands/rebuild-one.ts";
import type { Engine } from "../../src/engine/types.ts";
import { rebuildRelease } from "../../src/rebuild/rebuild-release.ts";

const runs = Number(process.argv[2] ?? 3);
const root = new URL("../..", import.meta.url).pathname;
const folder = await mkdtemp(join(tmpdir(), "refoundry-bench-"));
const say = (line: string): void => void process.stdout.write(`${line}\n`);
const median = (values: readonly number[]): number =>
  values.toSorted((a, b) => a - b)[Math.floor(values.length / 2)] ?? 0;

try {
  await benchOverhead();
  await benchStartUp();
  await benchMemory();
} finally {
  await rm(folder, { recursive: true, force: true });
}

interface Call {
  readonly args: string[];
  readonly policy: string;
}

async function benchOverhead(): Promise<void> {
  const context: CliContext = {
    process: { stdout: process.stdout, stderr: process.stderr, env: process.env },
    cwd: root,
    signal: new AbortController().signal,
  };
  const inputs = await loadInputs(context, "tini");
  const ratios: number[] = [];
  await withFactory(context, async (factory) => {
    const handle = await factory.engine();
    const engine = await handle.acquire();
    const log = join(folder, "calls");
    const wrapper = await writeWrapper(engine, log);
    const wrapped = {
      ...handle,
      acquire: async (): Promise<Engine> => ({
        ...engine,
        buildx: { file: wrapper, args: [] },
        release: async () => {},
      }),
    };
    const rebuild = async (): Promise<number> => {
      const startedAt = performance.now();
      const destination = { kind: "layout", path: join(folder, "out"), name: "bench" } as const;
      await rebuildRelease(
        { inputs, force: true, build: "where due", destination, report: "", startedAt: "", today: "2026-01-01" },
        { ...factory, engine: async () => wrapped },
      );
      return (performance.now() - startedAt) / 1000;
    };
    try {
      await rebuild();
      for (let run = 0; run < runs; run += 1) {
        await rm(log, { force: true });
        const ours = await rebuild();
        const calls = await readCalls(log);
        const byHand = await replay(calls, engine, factory.settings.jobs, run);
        ratios.push(ours / byHand);
        say(
          `rebuild ${ours.toFixed(2)} s, the same ${calls.length} buildx commands by hand ${byHand.toFixed(2)} s, ratio ${(ours / byHand).toFixed(3)}`,
        );
      }
    } finally {
      await engine.release();
    }
  });
  say(`overhead of a rebuild: median ratio ${median(ratios).toFixed(3)} of ${runs}`);
}

/** Writes down each call of buildx on its way. */
async function writeWrapper(engine: Engine, log: string): Promise<string> {
  const path = join(folder, "buildx");
  await writeFile(
    path,
    `#!/bin/sh\n{ printf '%s\\037' "$EXPERIMENTAL_BUILDKIT_SOURCE_POLICY" "$@"; echo; } >> '${log}'\nexec '${engine.buildx.file}' "$@"\n`,
  );
  await chmod(path, 0o755);
  return path;
}

async function readCalls(log: string): Promise<Call[]> {
  const lines = (await readFile(log, "utf8")).split("\n").filter(Boolean);
  return lines
    .map((line) => line.split("\u001f").slice(0, -1))
    .filter(([, command]) => command === "build")
    .map(([policy = "", ...args]) => ({ policy, args }));
}

/** The same commands, as many at once, with nothing around them. */
async function replay(calls: readonly Call[], engine: Engine, jobs: number, run: number): Promise<number> {
  const limit = pLimit(jobs);
  const startedAt = performance.now();
  await Promise.all(
    calls.map(({ args, policy }, position) =>
      limit(async () => {
        const moved = args.map((argument) =>
          argument.replace(/dest=[^,]+/, `dest=${join(folder, `by-hand-${run}-${position}`)}`),
        );
        const env = {
          ...engine.env,
          EXPERIMENTAL_BUILDKIT_SOURCE_POLICY: policy,
          BUILDX_NO_DEFAULT_ATTESTATIONS: "1",
          BUILDX_METADATA_PROVENANCE: "disabled",
        };
        await execa(engine.buildx.file, moved, { env, stdio: "ignore" });
      }),
    ),
  );
  return (performance.now() - startedAt) / 1000;
}

async function benchStartUp(): Promise<void> {
  const time = async (file: string, args: readonly string[]): Promise<number> => {
    const startedAt = performance.now();
    await execa(file, args, { stdio: "ignore", cwd: root });
    return performance.now() - startedAt;
  };
  const pairs: { ours: number; node: number }[] = [];
  for (let run = 0; run < 16; run += 1)
    pairs.push({
      ours: await time(join(root, "scripts/refoundry"), ["--help"]),
      node: await time(process.execPath, ["-e", "0"]),
    });
  const counted = pairs.slice(1);
  const [ours, node] = [median(counted.map((pair) => pair.ours)), median(counted.map((pair) => pair.node))];
  say(
    `--help ${ours.toFixed(0)} ms, node -e 0 ${node.toFixed(0)} ms, median ratio of pairs ${median(counted.map((pair) => pair.ours / pair.node)).toFixed(2)}`,
  );
}

async function benchMemory(): Promise<void> {
  const report = "process.on('exit', () => process.stderr.write('peak ' + process.resourceUsage().maxRSS + ' KiB\\n'))";
  const env = { NODE_OPTIONS: `--import=data:text/javascript,${encodeURIComponent(report)}` };
  const { stderr } = await execa(
    join(root, "scripts/refoundry"),
    ["rebuild", "tini", "--force", "--json", "--out", join(folder, "out")],
    { env, cwd: root },
  );
  const peak = Number(/peak (\d+) KiB/.exec(stderr)?.[1] ?? 0) / 1024;
  say(`peak memory of a forced rebuild: ${peak.toFixed(0)} MiB`);
}
