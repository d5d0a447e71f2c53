import { mkdir, mkdtemp, readFile, rm, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterAll, beforeAll, expect, test } from "vitest";
import { type CliResult, refoundry } from "../support/cli.ts";
import { startRegistry, type TestRegistry } from "../support/registry.ts";
import { createTinyFactory, type TinyFactory } from "../support/tiny-factory.ts";

let folder: string;
let registry: TestRegistry;
let factory: TinyFactory;
let env: Record<string, string>;

beforeAll(async () => {
  folder = await mkdtemp(join(tmpdir(), "refoundry-e2e-"));
  registry = await startRegistry();
  factory = await createTinyFactory(folder, registry.host);
  env = { REFOUNDRY_STORE: join(folder, "store"), DOCKER_CONFIG: join(folder, "docker") };
});

afterAll(async () => {
  await registry?.stop();
  await rm(folder, { recursive: true, force: true });
});

const call = (args: readonly string[]): Promise<CliResult> => refoundry(args, { cwd: factory.root, env });
const write = async (path: string, text: string): Promise<void> => {
  const full = join(factory.root, path);
  await mkdir(join(full, ".."), { recursive: true });
  await writeFile(full, text);
};
const lockOf = (recipe: string): Promise<string> =>
  readFile(join(factory.root, "recipes/images", recipe, "releases/1.0.yaml"), "utf8");
const done = async (args: readonly string[]): Promise<CliResult> => {
  const result = await call(args);
  expect(result.exitCode, result.stderr).toBe(0);
  return result;
};

test("a recipe stands on another recipe's image, on a second source, and is built by a toolchain that is a recipe", async () => {
  // the builder is hello's own image, with a shell
  await write(
    "recipes/templates/tiny.yaml",
    "owners: [tests]\nupstream: { none: nobody else makes it }\nbuild: { dockerfile: Dockerfile, network: none, args: { WORD: below, KEPT: kept } }\nplatforms: { reproduce: [], extend: [linux/386, linux/amd64] }\n",
  );
  await write(
    "recipes/images/builder/recipe.yaml",
    "inherits: tiny\nimage: builder\nsource: hello\ntoolchain: busybox\nsmoke:\n  - run: [/bin/sh, -c, 'exit 0']\n",
  );
  await write(
    "recipes/images/builder/Dockerfile",
    "FROM --platform=linux/amd64 toolchain AS build\nRUN mkdir -p /out/bin /out/tmp && cp /bin/busybox /out/bin/busybox && for name in sh mkdir cp cat echo chmod; do cp /bin/busybox /out/bin/$name; done\nFROM scratch\nCOPY --from=build /out/ /\n",
  );
  await write("recipes/toolchains/ours/toolchain.yaml", "toolchain: ours\nrecipe: builder\n");
  await write(
    "recipes/images/app/recipe.yaml",
    [
      "inherits: tiny\nimage: app\nsource: hello\ntoolchain: ours",
      "contexts:\n  base: { recipe: builder }\n  more: { source: more }",
      "build: { network: none, args: { WORD: above }, platformArgs: { linux/386: { WORD: small } } }",
      "platforms: { reproduce: [], extend: [linux/386, linux/amd64] }",
      "smoke:\n  - run: [/bin/cat, /app]\n",
    ].join("\n"),
  );
  await write(
    "recipes/images/app/Dockerfile",
    "FROM --platform=linux/amd64 toolchain AS build\nARG WORD\nARG KEPT\nRUN --mount=type=bind,from=more,target=/more mkdir /out && echo $WORD $KEPT $(cat /more/motd) > /out/app\nFROM base\nCOPY --from=build /out/app /app\n",
  );
  await write(
    "vendor-sources/more.yaml",
    (await readFile(join(factory.root, "vendor-sources/hello.yaml"), "utf8")).replace("source: hello", "source: more"),
  );
  await done(["lint"]);
  expect(await call(["pin", "app", "1.0"])).toMatchObject({
    exitCode: 2,
    stderr: expect.stringContaining("the recipe builder has no release yet"),
  });
  await done(["pin", "builder", "1.0"]);
  expect(await call(["pin", "app", "1.0"])).toMatchObject({
    exitCode: 2,
    stderr: expect.stringContaining("does not record what it gave"),
  });
  await done(["rebuild", "builder", "--record"]);
  await done(["pin", "app", "1.0"]);
  const outcome = JSON.parse((await done(["rebuild", "app", "--record", "--json"])).stdout);
  expect(outcome.platforms.map(({ platform, verdict }: Record<string, string>) => `${platform} ${verdict}`)).toEqual([
    "linux/386 extended",
    "linux/amd64 extended",
  ]);
  const kinds = outcome.inputs.map(({ kind, name }: Record<string, string>) => `${kind} ${name}`);
  expect(kinds).toEqual(expect.arrayContaining(["toolchain ours", "base builder", "source more"]));
  const plan = JSON.parse((await done(["plan", "app", "--json"])).stdout);
  expect(plan.jobs.map(({ dependsOn, due }: { dependsOn: string[]; due: boolean }) => [dependsOn, due])).toEqual([
    [["builder@1.0 linux/386", "builder@1.0 linux/amd64"], false],
    [["builder@1.0 linux/amd64", "builder@1.0 linux/amd64"], false],
  ]);
});

test("explain says of a release what it is made from, what it records, and who needs it", async () => {
  const explained = JSON.parse((await done(["explain", "builder@1.0", "--json"])).stdout);
  expect(explained).toMatchObject({
    schema: "refoundry/explanation/v1",
    recipe: "builder",
    version: "1.0",
    neededBy: [{ recipe: "app", version: "1.0", directly: true }],
    plan: [
      { platform: "linux/386", due: false },
      { platform: "linux/amd64", due: false },
    ],
    missing: [],
  });
  expect(await lockOf("builder")).toContain(explained.expect.index);
  const text = (await done(["explain", "app"])).stdout;
  expect(text).toMatch(
    /^app 1\.0\n[^]*toolchain {2}ours 1\.0[^]*base {2}builder 1\.0[^]*needed by\n {2}no other release/,
  );
  // a recipe that cannot be read may be one that needs it
  await write("recipes/images/unreadable/recipe.yaml", "image: [\n");
  const partly = JSON.parse((await done(["explain", "builder", "--json"])).stdout);
  await rm(join(factory.root, "recipes/images/unreadable"), { recursive: true });
  expect(partly.neededBy).toHaveLength(1);
  expect(partly.missing).toMatchObject([{ part: "needed by", message: expect.stringContaining("flow") }]);
  const unknown = await call(["explain", "builder@9"]);
  expect(unknown).toMatchObject({ exitCode: 2, stderr: expect.stringContaining("there is: 1.0") });
});

test("all is rebuilt in one call, what others stand on first, and one that fails stops nothing", async () => {
  const outcomes = JSON.parse((await done(["rebuild", "--all", "--json"])).stdout);
  expect(outcomes.failed).toEqual([]);
  // app comes first by name, and stands on builder
  expect(outcomes.outcomes.map(({ recipe, recorded }: Record<string, string>) => [recipe, recorded])).toEqual([
    ["builder", "same"],
    ["app", "same"],
  ]);
  const [text, pins] = [
    await readFile(join(factory.root, "recipes/images/app/Dockerfile"), "utf8"),
    await lockOf("app"),
  ];
  await write("recipes/images/app/Dockerfile", "FROM base\nRUN exit 7\n");
  try {
    const some = await call(["rebuild", "app", "builder"]);
    expect(some.exitCode).toBe(1);
    expect(some.stdout).toMatch(/^builder@1.0 +linux\/386 +extended +\(no upstream\) +\d/m);
    expect(some.stdout).toMatch(/^app@1.0 +linux\/386 +build-failed/m);
    expect(some.stdout).toContain("0 platforms that upstream has: none; 2 added, 2 failed");
  } finally {
    await write("recipes/images/app/Dockerfile", text);
    await write("recipes/images/app/releases/1.0.yaml", pins);
  }
  expect(await call(["rebuild", "--all", "app"])).toMatchObject({
    exitCode: 2,
    stderr: expect.stringContaining("--all"),
  });
  expect(await call(["rebuild"])).toMatchObject({ exitCode: 2, stderr: expect.stringContaining("which release?") });
});

test("what was needed is built again where the store has nothing, and gives what is pinned", async () => {
  const other = { ...env, REFOUNDRY_STORE: join(folder, "other-store") };
  const result = await refoundry(["rebuild", "app", "--json"], { cwd: factory.root, env: other });
  expect(result.exitCode, result.stderr).toBe(0);
  expect(JSON.parse(result.stdout)).toMatchObject({ recorded: "same" });
});

test("a build argument of one platform makes another image of that platform alone", async () => {
  const recipe = join(factory.root, "recipes/images/app/recipe.yaml");
  const text = await readFile(recipe, "utf8");
  await writeFile(recipe, text.replace("WORD: small", "WORD: smaller"));
  try {
    const plan = JSON.parse((await call(["plan", "app", "--json"])).stdout);
    expect(plan.jobs.map(({ platform, due }: Record<string, unknown>) => `${platform} ${due}`)).toEqual([
      "linux/386 true",
      "linux/amd64 false",
    ]);
    expect(plan.jobs[0].reason.code).toBe("args-changed");
  } finally {
    await writeFile(recipe, text);
  }
});

test("another image of the base makes what stands on it due, once it is pinned again", async () => {
  const dockerfile = join(factory.root, "recipes/images/builder/Dockerfile");
  const [text, builder, app] = await Promise.all([readFile(dockerfile, "utf8"), lockOf("builder"), lockOf("app")]);
  await writeFile(dockerfile, text.replace("mkdir -p /out/bin", "mkdir -p /out/etc /out/bin"));
  await done(["rebuild", "builder", "--record"]);
  const stale = await refoundry(["rebuild", "app"], {
    cwd: factory.root,
    env: { ...env, REFOUNDRY_STORE: join(folder, "third-store") },
  });
  expect(stale).toMatchObject({ exitCode: 1, stderr: expect.stringContaining("is pinned") });
  await done(["pin", "app", "1.0", "--replace"]);
  expect(await lockOf("app")).not.toBe(app);
  const plan = JSON.parse((await done(["plan", "app", "--json"])).stdout);
  expect(plan.jobs.map(({ due }: { due: boolean }) => due)).toEqual([true, true]);
  await writeFile(dockerfile, text);
  await write("recipes/images/builder/releases/1.0.yaml", builder);
  await write("recipes/images/app/releases/1.0.yaml", app);
});

test("a version has its own arguments and patches, a Dockerfile comes from the template, and all is in the provenance of what is recorded", async () => {
  await write(
    "recipes/templates/greeting.yaml",
    "owners: [tests]\nupstream: { none: nobody else makes it }\nbuild: { dockerfile: Dockerfile, network: none, args: { WORD: below } }\nplatforms: { reproduce: [], extend: [linux/amd64] }\n",
  );
  await write(
    "recipes/templates/greeting/Dockerfile",
    "FROM --platform=linux/amd64 toolchain AS build\nARG WORD\nCOPY --from=src . /src\nRUN mkdir -p /out/bin && cp /bin/busybox /out/bin/cat && echo $WORD $(cat /src/motd) > /out/motd\nFROM scratch\nCOPY --from=build /out/ /\n",
  );
  await write(
    "recipes/images/patched/recipe.yaml",
    [
      "inherits: greeting\nimage: patched\nsource: hello\ntoolchain: busybox",
      "smoke:\n  - { run: [/bin/cat, /motd], stdout: below hello 1.0 }",
      "versions:\n  - range: '>=1'\n    build: { args: { WORD: later }, patches: [patches/motd.patch] }",
      "    smoke:\n      - { run: [/bin/cat, /motd], stdout: later hello there }\n",
    ].join("\n"),
  );
  await write(
    "recipes/images/patched/patches/motd.patch",
    "--- a/motd\n+++ b/motd\n@@ -1 +1 @@\n-hello 1.0\n+hello there\n",
  );
  expect(await call(["pin", "patched", "1.0"])).toMatchObject({ exitCode: 0 });
  expect(await call(["rebuild", "patched"])).toMatchObject({
    exitCode: 2,
    stderr: expect.stringContaining("the patch does not say why it is there"),
  });
  const patch = await readFile(join(factory.root, "recipes/images/patched/patches/motd.patch"), "utf8");
  const header = "Description: greet\nOrigin: other, https://git.example/1\nForwarded: no\n";
  await write("recipes/images/patched/patches/motd.patch", header + patch);
  const outcome = JSON.parse((await done(["rebuild", "patched", "--record", "--json"])).stdout);
  expect(outcome.platforms).toMatchObject([{ platform: "linux/amd64", verdict: "extended" }]);
  expect(outcome.inputs).toContainEqual(
    expect.objectContaining({ kind: "patch", name: "patches/motd.patch", version: "other, https://git.example/1" }),
  );
  expect(await lockOf("patched")).toMatch(/patches:\s+- patches\/motd\.patch/);
  const plan = JSON.parse((await done(["plan", "patched", "--json"])).stdout);
  expect(plan.jobs).toMatchObject([{ due: false }]);
});

test("recipes that need each other are refused, with the circle", async () => {
  const recipe = join(factory.root, "recipes/images/builder/recipe.yaml");
  const lock = join(factory.root, "recipes/images/builder/releases/1.0.yaml");
  const [text, pins] = [await readFile(recipe, "utf8"), await readFile(lock, "utf8")];
  const app = await lockOf("app");
  const index = /index: (sha256:[0-9a-f]{64})/.exec(app)?.[1] ?? "";
  const manifests = ["linux/386", "linux/amd64"].map((name) => `        ${name}: ${index}\n`).join("");
  await writeFile(recipe, `${text}contexts:\n  app: { recipe: app }\n`);
  await writeFile(
    lock,
    pins.replace(
      "\nupstream:",
      `\ncontexts:\n  app:\n    recipe:\n      version: "1.0"\n      index: ${index}\n      manifests:\n${manifests}upstream:`,
    ),
  );
  try {
    const result = await call(["rebuild", "builder"]);
    expect(result.exitCode).toBe(2);
    expect(result.stderr).toContain("recipes need each other in a circle: builder -> app -> builder");
    expect(await call(["audit"])).toMatchObject({ exitCode: 2, stderr: expect.stringContaining("in a circle") });
  } finally {
    await writeFile(recipe, text);
    await writeFile(lock, pins);
  }
});
