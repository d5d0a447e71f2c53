import { mkdtemp, readFile, rm, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { execa } from "execa";
import { afterAll, beforeAll, expect, test } from "vitest";
import { type CliResult, refoundry } from "../support/cli.ts";
import { startRegistry, type TestRegistry } from "../support/registry.ts";
import { createTinyFactory, type TinyFactory } from "../support/tiny-factory.ts";
import { toolPath } from "../support/tools.ts";

let folder: string;
let registry: TestRegistry;
let factory: TinyFactory;
let env: Record<string, string>;
let name: string;

beforeAll(async () => {
  folder = await mkdtemp(join(tmpdir(), "refoundry-e2e-"));
  registry = await startRegistry();
  factory = await createTinyFactory(folder, registry.host);
  name = `${registry.host}/releases/hello`;
  env = { REFOUNDRY_STORE: join(folder, "store"), DOCKER_CONFIG: join(folder, "docker") };
  expect(await call(["pin", "hello", "1.0"])).toMatchObject({ exitCode: 0 });
  expect(await call(["rebuild", "hello@1.0", "--push", name, "--record"])).toMatchObject({ exitCode: 0 });
});

afterAll(async () => {
  await registry?.stop();
  await rm(folder, { recursive: true, force: true });
});

const call = (args: readonly string[]): Promise<CliResult> => refoundry(args, { cwd: factory.root, env });
const digest = async (reference: string): Promise<string> =>
  (await execa(toolPath("crane"), ["digest", reference])).stdout.trim();

test("an old release gives what was recorded at the time, and why it was rebuilt is kept", async () => {
  const lock = join(factory.recipeFolder, "releases/1.0.yaml");
  const before = await readFile(lock, "utf8");
  const result = await call(["rebuild", "hello@1.0", "--force", "--reason", "an audit asked for it", "--json"]);
  expect(result.exitCode, result.stderr).toBe(0);
  expect(JSON.parse(result.stdout)).toMatchObject({ recorded: "same", reason: "an audit asked for it" });
  expect(await readFile(lock, "utf8")).toBe(before);
});

test("a platform is added to an old release: under a tag of its own, with the lock and the old tag as they were", async () => {
  const lock = join(factory.recipeFolder, "releases/1.0.yaml");
  const before = await readFile(lock, "utf8");
  const released = await digest(`${name}:1.0`);
  const args = ["rebuild", "hello@1.0", "--extend", "linux/arm64", "--push", name, "--json"];
  const result = await call(args);
  expect(result.exitCode, result.stderr).toBe(0);
  const outcome = JSON.parse(result.stdout);
  expect(outcome.platforms.map(({ platform, verdict }: Record<string, string>) => `${platform} ${verdict}`)).toEqual([
    "linux/amd64 equivalent",
    "linux/386 extended",
    "linux/arm64 extended",
  ]);
  expect(outcome).toMatchObject({ destination: `${name}:1.0-with-linux-arm64`, recorded: "other" });
  expect(await digest(`${name}:1.0-with-linux-arm64`)).toBe(outcome.index.digest);
  expect(await digest(`${name}:1.0`)).toBe(released);
  expect(await readFile(lock, "utf8")).toBe(before);
  expect(await call(["rebuild", "hello@1.0", "--extend", "linux/riscv46"])).toMatchObject({
    exitCode: 2,
    stderr: expect.stringContaining('did you mean "linux/riscv64"?'),
  });
  const again = await call(["rebuild", "hello@1.0", "--extend", "linux/386"]);
  expect(again).toMatchObject({ exitCode: 2, stderr: expect.stringContaining("hello has linux/386 already") });
});

test("what upstream released since changes nothing of an old release", async () => {
  const path = join(factory.recipeFolder, "recipe.yaml");
  const before = await readFile(path, "utf8");
  const later = before.replace(
    "reproduce: [linux/amd64]\n  extend: [linux/386]",
    "reproduce: [linux/386, linux/amd64, linux/arm64]",
  );
  expect(later).not.toBe(before);
  await writeFile(path, later);
  try {
    const result = await call(["rebuild", "hello@1.0", "--json"]);
    expect(result.exitCode, result.stderr).toBe(0);
    const outcome = JSON.parse(result.stdout);
    expect(outcome.recorded).toBe("same");
    expect(outcome.platforms.map(({ platform, verdict }: Record<string, string>) => `${platform} ${verdict}`)).toEqual([
      "linux/amd64 equivalent",
      "linux/386 extended",
    ]);
    const plan = JSON.parse((await call(["plan", "hello", "--json"])).stdout);
    expect(plan.jobs.map(({ platform, due }: Record<string, unknown>) => [platform, due])).toEqual([
      ["linux/amd64", false],
      ["linux/386", false],
    ]);
    expect(await call(["lint", "hello"])).toMatchObject({ exitCode: 0 });
  } finally {
    await writeFile(path, before);
  }
});

test("a range is rebuilt release by release, and one that names nothing says what there is", async () => {
  const result = await call(["rebuild", "hello@>=0.9 <2", "--json"]);
  expect(result.exitCode, result.stderr).toBe(0);
  expect(JSON.parse(result.stdout)).toMatchObject({
    schema: "refoundry/outcomes/v1",
    outcomes: [{ recipe: "hello", version: "1.0", recorded: "same" }],
    failed: [],
  });
  const none = await call(["rebuild", "hello@>=3"]);
  expect(none).toMatchObject({ exitCode: 2, stderr: expect.stringContaining("it has 1.0") });
});
