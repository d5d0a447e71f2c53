import { cp, mkdtemp, readFile, rm, writeFile } from "node:fs/promises";
import { createServer as createHttpServer, request as httpRequest } from "node:http";
import { type AddressInfo, createServer, type Server, type Socket } from "node:net";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterAll, beforeAll, expect, test } from "vitest";
import type { NightlyRun } from "../../src/nightly-run.ts";
import { refoundry } from "../support/cli.ts";
import { startRegistry, type TestRegistry } from "../support/registry.ts";
import { createTinyFactory, type TinyFactory } from "../support/tiny-factory.ts";

let folder: string;
let registry: TestRegistry;
let factory: TinyFactory;
let env: Record<string, string>;
const servers: Server[] = [];
const sockets = new Set<Socket>();

beforeAll(async () => {
  folder = await mkdtemp(join(tmpdir(), "refoundry-e2e-"));
  registry = await startRegistry();
  factory = await createTinyFactory(folder, registry.host);
  env = { REFOUNDRY_STORE: join(folder, "store"), DOCKER_CONFIG: join(folder, "docker") };
});

afterAll(async () => {
  for (const socket of sockets) socket.destroy();
  for (const server of servers) server.close();
  await registry?.stop();
  await rm(folder, { recursive: true, force: true });
});

async function listen(server: Server): Promise<string> {
  server.on("connection", (socket) => sockets.add(socket));
  servers.push(server);
  await new Promise<void>((resolve) => server.listen(0, "127.0.0.1", resolve));
  return `127.0.0.1:${(server.address() as AddressInfo).port}`;
}

/** Passes questions on to a registry, and takes what is pushed without ever answering. */
function startDeafRegistry(host: string): Promise<string> {
  const [hostname = "", port = ""] = host.split(":");
  return listen(
    createHttpServer((request, response) => {
      const { method = "GET", url = "", headers } = request;
      if (method !== "GET" && method !== "HEAD") return void request.resume();
      httpRequest({ hostname, port, path: url, method, headers }, (answer) => {
        response.writeHead(answer.statusCode ?? 500, answer.headers);
        answer.pipe(response);
      }).end();
    }),
  );
}

/** A recipe as `hello` is, with its own source and toolchain. */
async function addRecipe(name: string): Promise<void> {
  const to = join(factory.root, "recipes/images", name);
  await cp(factory.recipeFolder, to, { recursive: true });
  const change = async (path: string, ...changes: readonly (readonly [string, string])[]): Promise<void> => {
    let text = await readFile(path, "utf8");
    for (const [from, into] of changes) text = text.replace(from, into);
    await writeFile(path, text);
  };
  await change(
    join(to, "recipe.yaml"),
    ["image: hello\n", `image: ${name}\n`],
    ["source: hello\n", `source: ${name}\n`],
    ["toolchain: busybox\n", `toolchain: ${name}\n`],
  );
  // other bytes, so that what is built of hello is not its build as well
  await change(join(to, "Dockerfile"), ["FROM", `# ${name}\nFROM`]);
  await cp(join(factory.root, "vendor-sources/hello.yaml"), sourceFile(name));
  await change(sourceFile(name), ["source: hello\n", `source: ${name}\n`]);
  await cp(join(factory.root, "recipes/toolchains/busybox"), join(factory.root, "recipes/toolchains", name), {
    recursive: true,
  });
  await change(toolchainFile(name), ["toolchain: busybox\n", `toolchain: ${name}\n`]);
}

const sourceFile = (name: string): string => join(factory.root, "vendor-sources", `${name}.yaml`);
const toolchainFile = (name: string): string => join(factory.root, "recipes/toolchains", name, "toolchain.yaml");

test("servers that accept and hang hold up no night: each is stopped, classed, tried again, and the rest comes out", {
  timeout: 300_000,
}, async () => {
  for (const name of ["far-source", "far-tools"]) await addRecipe(name);
  for (const name of ["hello", "far-source", "far-tools"]) {
    const pinned = await refoundry(["pin", name, "1.0"], { cwd: factory.root, env });
    expect(pinned.exitCode, pinned.stderr).toBe(0);
  }
  const silent = await listen(createServer());
  await writeFile(
    sourceFile("far-source"),
    (await readFile(sourceFile("far-source"), "utf8")).replace(/upstream: .*/, `upstream: https://${silent}/source`),
  );
  await writeFile(
    toolchainFile("far-tools"),
    (await readFile(toolchainFile("far-tools"), "utf8")).replace(registry.host, silent),
  );
  const night = (push: string, store: string, more: readonly string[]) =>
    refoundry(
      [
        "nightly",
        "--push",
        push,
        "--json",
        "--progress",
        "json",
        "--history",
        `oci:${join(folder, store)}-history`,
        ...more,
      ],
      {
        cwd: factory.root,
        env: {
          ...env,
          REFOUNDRY_STORE: join(folder, store),
          REFOUNDRY_STAGE_TIMEOUT: "source=10,toolchain=10,publish=10",
        },
      },
    );
  const away = await night(`${registry.host}/released`, "first-store", ["--fetch-retries", "1", "far-source", "hello"]);
  expect(away.exitCode, away.stderr).toBe(3);
  const failure = (stage: string) => ({ message: `the stage ${stage} did not end within 10 seconds, and was stopped` });
  expect((JSON.parse(away.stdout) as NightlyRun).releases).toMatchObject([
    { recipe: "far-source", status: "failed", attempts: 2, failure: { errorClass: "fetch", ...failure("source") } },
    { recipe: "hello", status: "rebuilt" },
  ]);
  // every line of progress is an event, and each stage's says whose it is
  const events = away.stderr
    .trim()
    .split("\n")
    .map((line) => JSON.parse(line) as Record<string, unknown>);
  expect(events.filter(({ type }) => type === "release-finished")).toContainEqual(
    expect.objectContaining({ release: "hello@1.0", outcome: "rebuilt", total: 2 }),
  );
  expect(
    events.filter(({ type, stage }) => type === "stage-finished" && stage === "build").map(({ release }) => release),
  ).toContain("hello@1.0");

  // by itself: the others would bring the same toolchain into the store
  const alone = await night(`${registry.host}/released`, "second-store", ["--fetch-retries", "1", "far-tools"]);
  expect(alone.exitCode, alone.stderr).toBe(3);
  expect((JSON.parse(alone.stdout) as NightlyRun).releases).toMatchObject([
    { recipe: "far-tools", status: "failed", attempts: 2, failure: { errorClass: "fetch", ...failure("toolchain") } },
  ]);

  const deaf = await startDeafRegistry(registry.host);
  const pushed = await night(`${deaf}/others`, "first-store", ["--retries", "1", "hello"]);
  expect(pushed.exitCode, pushed.stderr).toBe(3);
  expect((JSON.parse(pushed.stdout) as NightlyRun).releases).toMatchObject([
    { recipe: "hello", status: "failed", attempts: 2, failure: { errorClass: "infra", ...failure("publish") } },
  ]);
});
