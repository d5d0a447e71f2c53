import { mkdir, mkdtemp, readFile, rm, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { execa } from "execa";
import { afterAll, beforeAll, expect, test } from "vitest";
import { refoundry } from "../support/cli.ts";
import { type TestRegistry, startRegistry } from "../support/registry.ts";
import { createTinyFactory, type TinyFactory } from "../support/tiny-factory.ts";
import { toolPath } from "../support/tools.ts";

// docs/tutorial.md as a contributor follows it: a real registry with upstream's image, a
// real git repository as its source, and a factory without the recipe.

const checkout = new URL("../../", import.meta.url).pathname;
const identity = {
  GIT_AUTHOR_NAME: "someone",
  GIT_AUTHOR_EMAIL: "someone@example.invalid",
  GIT_COMMITTER_NAME: "someone",
  GIT_COMMITTER_EMAIL: "someone@example.invalid",
  GIT_CONFIG_GLOBAL: "/dev/null",
  GIT_CONFIG_SYSTEM: "/dev/null",
};

let folder: string;
let registry: TestRegistry;
let factory: TinyFactory;
let env: Record<string, string>;

const git = async (cwd: string, ...args: readonly string[]): Promise<string> =>
  (await execa("git", args, { cwd, env: identity })).stdout;

beforeAll(async () => {
  folder = await mkdtemp(join(tmpdir(), "refoundry-add-"));
  registry = await startRegistry();
  factory = await createTinyFactory(folder, registry.host);
  const { root, upstreamRepository } = factory;
  await rm(factory.recipeFolder, { recursive: true });
  await rm(join(root, "vendor-sources/hello.yaml"));
  await writeFile(join(root, ".gitignore"), "out/\n");
  // upstream went on: 1.1 is released, 1.2 is only tagged, and a tag of the image moves
  for (const version of ["1.1", "1.2"]) {
    await writeFile(join(upstreamRepository, "motd"), `hello ${version}\n`);
    await git(upstreamRepository, "commit", "--quiet", "--all", "--message", version);
    await git(upstreamRepository, "tag", "--annotate", "--message", version, `v${version}`);
  }
  const image = `${registry.host}/upstream/hello`;
  for (const tag of ["1.1", "latest"])
    await execa(toolPath("crane"), ["tag", "--insecure", `${image}:1.0`, tag], { env: { DOCKER_CONFIG: folder } });
  await git(folder, "init", "--quiet", "--bare", "--initial-branch=main", "origin.git");
  await git(root, "init", "--quiet", "--initial-branch=main", ".");
  // git keeps no empty folders
  await mkdir(join(root, "recipes/images"), { recursive: true });
  await git(root, "add", ".");
  await git(root, "commit", "--quiet", "--message", "A factory");
  await git(root, "remote", "add", "origin", join(folder, "origin.git"));
  await git(root, "push", "--quiet", "origin", "main");
  env = {
    ...identity,
    REFOUNDRY_STORE: join(folder, "store"),
    DOCKER_CONFIG: join(folder, "docker"),
    PATH: `${join(checkout, "scripts")}:${process.env["PATH"]}`,
    REGISTRY: registry.host,
    SOURCE: `file://${upstreamRepository}`,
  };
});

afterAll(async () => {
  await registry?.stop();
  await rm(folder, { recursive: true, force: true });
});

interface Step {
  readonly script: string;
  readonly stdout: string;
}

async function runTutorial(): Promise<Step[]> {
  const text = await readFile(join(checkout, "docs/tutorial.md"), "utf8");
  const blocks = [...text.matchAll(/^```sh\n(.*?)^```$/gms)].map(([, script = ""]) => script);
  const steps: Step[] = [];
  for (const script of blocks) {
    const { exitCode, stdout, stderr } = await execa("bash", ["-euo", "pipefail", "-c", script], {
      cwd: factory.root,
      env,
      reject: false,
      stdin: "ignore",
    });
    expect(exitCode, `${script}\n${stdout}\n${stderr}`).toBe(0);
    steps.push({ script, stdout });
  }
  return steps;
}

const outputOf = (steps: readonly Step[], beginning: string): string =>
  steps.find(({ script }) => script.includes(beginning))?.stdout ?? `no block has ${beginning}`;

test("the tutorial leads from an image to a merged recipe whose rebuild is equivalent", async () => {
  const steps = await runTutorial();
  const dry = outputOf(steps, "--dry-run");
  expect(dry).toContain("would add hello 1.0");
  expect(dry).toMatch(/recipes\/images\/hello\/Dockerfile:\d+: how the source is built is not known/);
  expect(dry).toMatch(/recipes\/images\/hello\/recipe\.yaml:2: who answers for this image/);
  expect(dry).toMatch(/vendor-sources\/hello\.yaml:2: which licence/);
  const written = outputOf(steps, "git status");
  for (const path of ["recipe.yaml", "Dockerfile", "releases/1.0.yaml"])
    expect(written).toContain(`?? recipes/images/hello/${path}`);
  expect(written).toContain("?? vendor-sources/hello.yaml");

  const outcome = JSON.parse(await readFile(join(factory.root, "out/hello/1.0/outcome.json"), "utf8"));
  expect(outcome.platforms).toMatchObject([
    { platform: "linux/amd64", verdict: "equivalent", unexplained: 0 },
    { platform: "linux/386", verdict: "extended" },
  ]);
  expect(await git(join(folder, "origin.git"), "ls-tree", "-r", "--name-only", "main")).toContain(
    "recipes/images/hello/releases/1.0.yaml",
  );
  const updates = outputOf(steps, "pin --update");
  expect(updates).toContain("hello: 1.0 is pinned, 1 newer");
  expect(updates).toContain("refoundry pin hello 1.1\n");
  const datasource = JSON.parse(await readFile(join(factory.root, "updates/recipes/hello.json"), "utf8"));
  expect(datasource.releases).toEqual([
    { version: "1.1", isStable: true },
    { version: "1.0", isStable: true },
  ]);
  const release = await readFile(join(factory.root, "recipes/images/hello/releases/1.1.yaml"), "utf8");
  expect(release).toContain(await git(factory.upstreamRepository, "rev-parse", "v1.1^{commit}"));
});

test("nothing is overwritten, and several versions are pinned although one fails", async () => {
  const call = (...args: readonly string[]) => refoundry(args, { cwd: factory.root, env });
  const before = await git(factory.root, "status", "--short");
  const again = await call("add", `${registry.host}/upstream/hello:1.0`, "--source", env["SOURCE"] ?? "");
  expect(again).toMatchObject({ exitCode: 2, stdout: "" });
  expect(again.stderr).toContain("there is a recipe hello already");
  expect(await git(factory.root, "status", "--short")).toBe(before);

  await rm(join(factory.root, "recipes/images/hello/releases/1.1.yaml"));
  const pinned = await call("pin", "hello", "9.9", "1.1", "--json");
  const document = JSON.parse(pinned.stdout);
  expect(pinned.exitCode).not.toBe(0);
  expect(pinned.stderr).toContain("9.9: no place has hello 9.9");
  expect(document.releases.map(({ version }: { version: string }) => version)).toEqual(["1.1"]);
  expect(document.failed).toMatchObject([{ version: "9.9", kind: "usage" }]);

  const updates = JSON.parse((await call("pin", "--update", "hello", "--json")).stdout);
  expect(updates).toMatchObject({
    schema: "refoundry/updates/v1",
    releases: [
      { version: "1.1", isStable: true, isPinned: true },
      { version: "1.0", isStable: true, isPinned: true },
    ],
  });
});
