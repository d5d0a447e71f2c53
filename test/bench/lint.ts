// How fast a large catalogue is linted, against reading and parsing the same files with
// the yaml library, turn by turn in one run. Run with npm run bench:lint [RECIPES] [RELEASES].
import { mkdtemp, readFile, rm } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { parseDocument } from "yaml";
import { lint } from "../../src/recipe/lint.ts";
import { writeSyntheticCatalogue } from "./synthetic-catalogue.ts";

const recipes = Number(process.argv[2] ?? 1000);
const releasesEach = Number(process.argv[3] ?? 1);
const rounds = 5;
const root = await mkdtemp(join(tmpdir(), "refoundry-bench-lint-"));
const say = (line: string): void => void process.stdout.write(`${line}\n`);
const median = (values: readonly number[]): number =>
  values.toSorted((a, b) => a - b)[Math.floor(values.length / 2)] ?? 0;

try {
  const catalogue = await writeSyntheticCatalogue(root, { recipes, releasesEach, platforms: 4, seed: 1 });
  const runs: { lint: number; parse: number }[] = [];
  let errors = 0;
  for (let round = 0; round < rounds; round += 1) {
    const linted = await seconds(async () => {
      const problems = await lint(root, { today: "2026-11-20" });
      errors = problems.filter(({ severity }) => severity !== "note").length;
    });
    runs.push({ lint: linted, parse: await seconds(() => readAndParse(catalogue.files)) });
  }
  if (errors > 0) throw new Error(`the catalogue is to have no problem, and ${errors} were found`);
  const [first] = runs;
  const ratio = median(runs.map(({ lint, parse }) => lint / parse));
  say(`${recipes} recipes with ${releasesEach} releases each, ${catalogue.files.length} files`);
  say(`lint: first ${(first?.lint ?? 0).toFixed(2)} s, median ${median(runs.map(({ lint }) => lint)).toFixed(2)} s`);
  say(`reading and parsing the same files: median ${median(runs.map(({ parse }) => parse)).toFixed(2)} s`);
  say(`median ratio of ${rounds} pairs: ${ratio.toFixed(2)}`);
} finally {
  await rm(root, { recursive: true, force: true });
}

async function readAndParse(files: readonly string[]): Promise<void> {
  for (const file of files) {
    const text = await readFile(join(root, file), "utf8");
    if (file.endsWith(".yaml")) parseDocument(text).toJS();
  }
}

async function seconds(work: () => Promise<void>): Promise<number> {
  const startedAt = performance.now();
  await work();
  return (performance.now() - startedAt) / 1000;
}
