import { mkdtemp, rm, writeFile } from "node:fs/promises";
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
  await names();
  await writes("true");
  const pinned = await call(["pin", "hello", "1.0"]);
  expect(pinned.exitCode, pinned.stderr).toBe(0);
});

afterAll(async () => {
  await registry?.stop();
  await rm(folder, { recursive: true, force: true });
});

const call = (args: readonly string[]): Promise<CliResult> => refoundry(args, { cwd: factory.root, env });

/** A recipe that names what its build depends on. */
const names = (...dependences: readonly string[]): Promise<void> =>
  writeFile(
    join(factory.recipeFolder, "recipe.yaml"),
    [
      "image: hello\nowners: [tests]\nsource: hello\ntoolchain: busybox",
      "upstream: { none: nobody else makes it }",
      "build: { dockerfile: Dockerfile, network: none }",
      "platforms: { reproduce: [], extend: [linux/amd64] }",
      "smoke:\n  - run: [/busybox, 'true']",
      ...(dependences.length > 0 ? ["varies:"] : []),
      ...dependences.map((dependence) => `  - { ${dependence} }`),
      "",
    ].join("\n"),
  );

const onPath = "by: path, paths: [/seen], reason: it says where it was built";

/** An image with what a command says when it is built. */
const writes = (command: string): Promise<void> =>
  writeFile(
    join(factory.recipeFolder, "Dockerfile"),
    `FROM --platform=linux/amd64 toolchain AS build\nWORKDIR /work\nCOPY --from=src . /src\nRUN mkdir -m 755 /out && cp /bin/busybox /out/busybox && (${command}) > /out/seen && chmod 644 /out/seen\nFROM scratch\nCOPY --from=build /out/ /\n`,
  );

async function vary(): Promise<{ exitCode: number; agrees: boolean; causes: string[]; paths: string[] }> {
  const result = await call(["vary", "hello", "--json"]);
  const [platform] = JSON.parse(result.stdout).releases[0].platforms;
  const paths = platform.differences.flatMap((difference: { paths: string[] }) => difference.paths);
  return {
    exitCode: result.exitCode,
    agrees: platform.agrees,
    causes: platform.causes,
    paths: [...new Set<string>(paths)],
  };
}

test("a build that depends on nothing but its inputs agrees under all variations", async () => {
  await writes("cat /src/motd");
  expect(await vary()).toEqual({ exitCode: 0, agrees: true, causes: [], paths: [] });
});

test("a build is found that depends on its path and the umask, and on these alone", async () => {
  await writes("pwd; umask");
  expect(await vary()).toEqual({ exitCode: 1, agrees: false, causes: ["path", "umask"], paths: ["/seen"] });
});

test("a build is found that depends on locale, time zone and processors, in words too", async () => {
  await writes("echo $LC_ALL; /bin/busybox date -d @0 +%H; /bin/busybox nproc");
  const result = await call(["vary", "hello"]);
  expect(result.exitCode).toBe(1);
  expect(result.stdout).toContain(
    "hello@1.0 linux/amd64: differs; because of: locale (LC_ALL=C.UTF-8 and LANGUAGE=fr); timezone (TZ twelve hours from UTC); cpus (one processor) (/seen)",
  );
  expect(result.stdout).toContain("0 of 1 builds give the same layers");
});

test("a host name in an image is an error before anything else is varied", async () => {
  await writes("cat /proc/sys/kernel/hostname");
  expect(await call(["vary", "hello"])).toMatchObject({
    exitCode: 1,
    stderr: expect.stringContaining("two builds under different host names and times"),
  });
});

test("a build agrees but for what its recipe names, and the reason is told", async () => {
  await writes("pwd");
  await names(onPath);
  const result = await call(["vary", "hello"]);
  expect(result.stdout).toContain(
    "hello@1.0 linux/amd64: agrees but for path, as its recipe says: it says where it was built\n",
  );
  expect(result.stdout).toMatch(
    /1 of 1 builds give the same layers under: .*; 1 of them but for what their recipes name/,
  );
  expect(result.exitCode).toBe(0);
});

test("what a recipe does not name is found behind what it names", async () => {
  await writes("pwd; umask");
  await names(onPath);
  const result = await call(["vary", "hello", "--json"]);
  expect(result.exitCode).toBe(1);
  expect(JSON.parse(result.stdout)).toMatchObject({
    schema: "refoundry/variation/v1",
    releases: [
      {
        platforms: [
          {
            agrees: false,
            together: ["hostname", "locale", "timezone", "umask", "cpus"],
            causes: ["umask"],
            known: [{ by: "path", named: ["/seen"], seen: "as-named", paths: ["/seen"], unnamed: [] }],
          },
        ],
      },
    ],
  });
});

test("a file that is not among those that a recipe names is told", async () => {
  await writes("pwd > /out/more; chmod 644 /out/more; pwd");
  await names(onPath);
  const result = await call(["vary", "hello"]);
  expect(result.stdout).toContain(
    "hello@1.0 linux/amd64: depends on path in more than its recipe says (/seen): /more; agrees otherwise\n",
  );
  expect(result.exitCode).toBe(1);
});

test("what a recipe names and is not so (any more) is told", async () => {
  await writes("umask");
  await names(onPath, "by: umask, paths: [/**], reason: it says so");
  const result = await call(["vary", "hello"]);
  expect(result.stdout).toContain(
    "hello@1.0 linux/amd64: no more depends on path, which its recipe names (it says where it was built); agrees otherwise but for umask, as its recipe says: it says so\n",
  );
  expect(result.exitCode).toBe(1);
});

test("a variation that a recipe names and under which nothing is built is no known dependence", async () => {
  await writes('pwd; test "${PWD#/varied}" = "$PWD"');
  await names(onPath);
  const result = await call(["vary", "hello"]);
  expect(result.stdout).toContain("hello@1.0 linux/amd64: does not build under path (");
  expect(result.exitCode).toBe(1);
});
