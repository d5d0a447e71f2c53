// What a change has to pass: types, format, lint, layers, dead code, recipes, docs in
// step, and npm test. Every check runs even when one fails; the last line counts them.
import { mkdtemp, readFile, rm } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { $, chalk, ProcessOutput } from "zx";
import { readmeWithCatalogue } from "./write-catalogue.ts";

interface Verdict {
  readonly passed: number;
  readonly failed: number;
}

$.quiet = true;
const starter = "scripts/refoundry";
const bin = (name: string): string => `node_modules/.bin/${name}`;

const checks: Readonly<Record<string, () => Promise<Verdict>>> = {
  types: async () => {
    const { stdout } = await $`${bin("tsc")} --version`;
    if (!stdout.includes("Version 7.")) throw new Error(`tsc is ${stdout.trim()}, and TypeScript 7 is meant`);
    await $`${bin("tsc")} -p .`;
    return one;
  },
  format: async () => succeeds($`${bin("biome")} format .`),
  lint: async () => succeeds($`${bin("oxlint")} --deny-warnings src test scripts`),
  layers: async () => {
    const { stdout } = await $`${bin("depcruise")} --config .dependency-cruiser.mjs --output-type json src`.nothrow();
    const { summary } = JSON.parse(stdout) as {
      summary: { totalCruised: number; violations: { from: string; to: string; rule: { name: string } }[] };
    };
    // a cruiser that saw nothing agrees with everything
    if (summary.totalCruised < 50) throw new Error(`only ${summary.totalCruised} modules were seen`);
    for (const { rule, from, to } of summary.violations) console.log(`  ${rule.name}: ${from} -> ${to}`);
    return summary.violations.length === 0 ? one : { passed: 0, failed: 1 };
  },
  "dead code": async () => succeeds($`${bin("knip")}`),
  recipes: async () => succeeds($`${starter} lint`),
  docs: checkDocs,
  tests: runTests,
  fuzz: async () => succeeds($`${starter} --node test/fuzz/readers.ts 60`),
};

const one: Verdict = { passed: 1, failed: 0 };
let passed = 0;
let failed = 0;
for (const [name, check] of Object.entries(checks)) {
  const startedAt = performance.now();
  const verdict = await check().catch((error: unknown) => {
    const said = error instanceof ProcessOutput ? `${error.stdout}${error.stderr}` : String(error);
    console.log(said.trimEnd());
    return { passed: 0, failed: 1 };
  });
  passed += verdict.passed;
  failed += verdict.failed;
  const seconds = ((performance.now() - startedAt) / 1000).toFixed(1);
  console.log(`${verdict.failed === 0 ? chalk.green("✓") : chalk.red("✗")} ${name} (${seconds} s)`);
}
console.log(`${passed} passed, ${failed} failed`);
process.exitCode = failed === 0 ? 0 : 1;

async function succeeds(work: PromiseLike<unknown>): Promise<Verdict> {
  await work;
  return one;
}

/** The README names every command and nothing that is not there. */
async function checkDocs(): Promise<Verdict> {
  const readme = await readFile("README.md", "utf8");
  const problems: string[] = [];
  const { stdout } = await $`${starter} --help`;
  const commands = [...stdout.matchAll(/^ {2}refoundry ([a-z]+)/gm)].map((found) => found[1] ?? "");
  if (commands.length < 5) problems.push(`--help lists only ${commands.length} commands`);
  for (const command of new Set(commands))
    if (!readme.includes(`refoundry ${command}`)) problems.push(`README does not name refoundry ${command}`);
  for (const [, command = ""] of readme.matchAll(/`refoundry ([a-z]+)\b/g))
    if (!commands.includes(command)) problems.push(`README names refoundry ${command}, which is no command`);
  const sources = await readFile("src/settings.ts", "utf8");
  for (const [name] of sources.matchAll(/REFOUNDRY_[A-Z_]+/g))
    if (!readme.includes(name)) problems.push(`README does not name ${name}`);
  for (const [, link = ""] of readme.matchAll(/\]\((?!https?:|#)([^)#]+)/g)) {
    await readFile(link).catch((error: NodeJS.ErrnoException) => {
      if (error.code !== "EISDIR") problems.push(`README links to ${link}, which is not there`);
    });
  }
  if ((await readmeWithCatalogue()) !== readme)
    problems.push("the README's table of recipes is not what the releases record; run npm run catalogue");
  for (const problem of new Set(problems)) console.log(`  ${problem}`);
  return problems.length === 0 ? one : { passed: 0, failed: 1 };
}

/** npm test, with its own count. */
async function runTests(): Promise<Verdict> {
  const folder = await mkdtemp(join(tmpdir(), "refoundry-ci-"));
  try {
    const file = join(folder, "tests.json");
    const run = await $({
      stdio: ["ignore", "inherit", "inherit"],
      quiet: false,
      verbose: false,
    })`npm test -- --reporter=default --reporter=json --outputFile.json=${file}`.nothrow();
    const result = JSON.parse(await readFile(file, "utf8")) as {
      numPassedTests: number;
      numFailedTests: number;
      numFailedTestSuites: number;
      numPendingTests: number;
    };
    if (result.numPendingTests > 0) console.log(`  ${result.numPendingTests} tests did not run`);
    const failures = result.numFailedTests + result.numPendingTests;
    return { passed: result.numPassedTests, failed: run.exitCode === 0 ? failures : Math.max(1, failures) };
  } finally {
    await rm(folder, { recursive: true, force: true });
  }
}
