// How long a plan of a large catalogue takes, and how much memory: 2,300 releases on three
// platforms, none due, against a registry on this machine, cold and warm. Run with
// npm run bench:plan [RECIPES] [RELEASES EACH].
import { mkdtemp, rm } from "node:fs/promises";
import { tmpdir } from "node:os";
import { delimiter, join } from "node:path";
import { execa } from "execa";
import pLimit from "p-limit";
import type { CliContext } from "../../src/commands/context.ts";
import { withFactory } from "../../src/commands/factory.ts";
import { digestOf } from "../../src/oci/digest.ts";
import { createRegistryClient } from "../../src/oci/registry/client.ts";
import { mediaTypes } from "../../src/oci/types.ts";
import { releaseBuildKeys } from "../../src/plan/build-inputs.ts";
import { readCatalogue } from "../../src/plan/catalogue.ts";
import { writeRelease } from "../../src/recipe/write.ts";
import { startRegistry, startServer } from "../support/registry.ts";
import { prepareTestTools } from "../support/test-tools.ts";
import { writeSyntheticCatalogue } from "./synthetic-catalogue.ts";

const [recipes = 115, releasesEach = 20] = process.argv.slice(2).map(Number);
const root = new URL("../..", import.meta.url).pathname;
const folder = await mkdtemp(join(tmpdir(), "refoundry-bench-plan-"));
const factoryRoot = join(folder, "factory");
// a program that this is loaded before says at its end what it used
const report = `process.on("exit", () => {
  const { maxRSS, userCPUTime, systemCPUTime } = process.resourceUsage();
  process.stderr.write(["used", maxRSS, userCPUTime + systemCPUTime].join(" ") + "\\n");
});`;
const say = (line: string): void => void process.stdout.write(`${line}\n`);

process.env["PATH"] = [await prepareTestTools(), process.env["PATH"]].join(delimiter);
const registry = await startRegistry();
// counts what is asked, and passes it on
const counter = await startServer({ behind: registry.host });
try {
  await writeSyntheticCatalogue(factoryRoot, { recipes, releasesEach, platforms: 3, seed: 1 });
  await release();
  // files that were changed a moment ago are not believed to stay as they are
  await new Promise((resolve) => setTimeout(resolve, 2500));
  await measure("cold, registry alone", registry.host, "store-a");
  await measure("cold, counted", counter.host, "store-b");
  await measure("warm, counted", counter.host, "store-b");
  await measure("warm, again", counter.host, "store-b");
} finally {
  await counter.stop();
  await registry.stop();
  await rm(folder, { recursive: true, force: true });
}

/** Lets every release record the build keys of today, and puts an index for each into the registry. */
async function release(): Promise<void> {
  const context: CliContext = {
    process: {
      stdout: process.stdout,
      stderr: process.stderr,
      env: { ...process.env, REFOUNDRY_STORE: join(folder, "s") },
    },
    cwd: factoryRoot,
    signal: new AbortController().signal,
  };
  const client = createRegistryClient({ env: {} });
  await withFactory(context, async (factory) => {
    const { builderVersion } = await factory.engine();
    const names = Array.from({ length: recipes }, (_, index) => `image-${String(index + 1).padStart(4, "0")}`);
    const selections = names.map((recipe) => ({ recipe, releases: "all" }) as const);
    const catalogue = await readCatalogue(factoryRoot, selections, {}, Date.now());
    if (catalogue.problems.length > 0) throw new Error(catalogue.problems[0]?.message);
    const limit = pLimit(8);
    await Promise.all(
      catalogue.releases.map((item) =>
        limit(async () => {
          const { recipe, release: pinned } = item;
          const { inputs, keys } = releaseBuildKeys(item, builderVersion);
          const index = Buffer.from(
            JSON.stringify({
              schemaVersion: 2,
              mediaType: mediaTypes.index,
              manifests: [],
              annotations: { release: `${recipe.image}@${pinned.version}` },
            }),
          );
          const repository = client.repository({ host: registry.host, repository: `factory/${recipe.image}` });
          await repository.pushManifest(index, mediaTypes.index, pinned.version);
          const platforms = Object.fromEntries(
            keys.map(({ platform, buildKey }) => [platform, { manifest: digestOf(buildKey), buildKey }]),
          );
          const expect = { index: digestOf(index), platforms, inputs };
          await writeRelease(factoryRoot, recipe.image, { ...pinned, expect }, { replace: true });
        }),
      ),
    );
  });
  await client.close();
}

async function measure(name: string, host: string, store: string): Promise<void> {
  const before = counter.seen.length;
  const env = {
    REFOUNDRY_STORE: join(folder, store),
    NODE_OPTIONS: `--import=data:text/javascript,${encodeURIComponent(report)}`,
  };
  const startedAt = performance.now();
  const { stdout, stderr } = await execa(
    join(root, "scripts/refoundry"),
    ["plan", "--all", "--registry", `${host}/factory`, "--json"],
    { env, cwd: factoryRoot, maxBuffer: 100_000_000 },
  );
  const seconds = (performance.now() - startedAt) / 1000;
  const { totals } = JSON.parse(stdout) as { totals: { jobs: number; due: number } };
  const [, kibibytes = "0", microseconds = "0"] = /^used (\d+) (\d+)$/m.exec(stderr) ?? [];
  say(
    `${name}: ${recipes * releasesEach} releases, ${totals.jobs} builds, ${totals.due} due: ${seconds.toFixed(2)} s (${(Number(microseconds) / 1e6).toFixed(2)} s of processor), peak ${(Number(kibibytes) / 1024).toFixed(0)} MiB, ${counter.seen.length - before} requests counted`,
  );
}
