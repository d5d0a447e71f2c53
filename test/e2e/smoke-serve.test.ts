import { cp, mkdir, mkdtemp, readFile, rm, writeFile } from "node:fs/promises";
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

const toolchains = join(import.meta.dirname, "../../recipes/toolchains");

beforeAll(async () => {
  folder = await mkdtemp(join(tmpdir(), "refoundry-e2e-"));
  registry = await startRegistry();
  factory = await createTinyFactory(folder, registry.host);
  env = { REFOUNDRY_STORE: join(folder, "store"), DOCKER_CONFIG: join(folder, "docker") };
  await cp(join(toolchains, "smoke-clients"), join(factory.root, "recipes/toolchains/smoke-clients"), {
    recursive: true,
  });
});

afterAll(async () => {
  await registry?.stop();
  await rm(folder, { recursive: true, force: true });
});

const call = (args: readonly string[]): Promise<CliResult> => refoundry(args, { cwd: factory.root, env });

/** A web server of one file, with the smoke test that is given. */
async function server(smoke: string): Promise<void> {
  const recipe = join(factory.root, "recipes/images/web");
  await mkdir(recipe, { recursive: true });
  await writeFile(
    join(recipe, "recipe.yaml"),
    [
      "image: web\nowners: [tests]\nsource: hello\ntoolchain: busybox",
      "upstream: { none: nobody else makes it }",
      "contexts:\n  clients: { toolchain: smoke-clients, use: smoke }",
      "build: { dockerfile: Dockerfile, network: none }",
      "platforms: { reproduce: [], extend: [linux/amd64] }",
      `smoke:\n${smoke}`,
    ].join("\n"),
  );
  await writeFile(
    join(recipe, "Dockerfile"),
    "FROM --platform=linux/amd64 toolchain AS build\nCOPY --from=src . /src\nRUN mkdir -p /out/www && cp /bin/busybox /out/busybox && cp /src/motd /out/www/motd\nFROM scratch\nCOPY --from=build /out/ /\n",
  );
}

const serve = "  - serve: [/busybox, httpd, -f, -p, 127.0.0.1:8080, -h, /www]\n";

/** Leaves a process without its parent, and says whether it is reaped when it has ended. */
const leaveOrphan = [
  "pipe my $from, my $to;",
  "if (!fork) { fork and exit; sleep 1 until getppid() == 1; syswrite $to, $$; exit }",
  "close $to; wait; sysread $from, my $orphan, 9;",
  "for (1 .. 50) { kill 0, $orphan or print(q(reaped)) and exit; select undef, undef, undef, 0.1 } exit 1;",
].join(" ");

test("a server answers a client of another image, and one that does not is found", async () => {
  await server(
    `${serve}    client: [/usr/bin/curl, --silent, --fail, 'http://127.0.0.1:8080/motd']\n    in: clients\n`,
  );
  const pinned = await call(["pin", "web", "1.0"]);
  expect(pinned.exitCode, pinned.stderr).toBe(0);
  const answered = await call(["rebuild", "web", "--json"]);
  expect(answered.exitCode, answered.stderr).toBe(0);
  const [platform] = (JSON.parse(answered.stdout) as { platforms: { smoke: { stdout: string }[] }[] }).platforms;
  const motd = await readFile(join(factory.upstreamRepository, "motd"), "utf8");
  expect(platform?.smoke[0]?.stdout).toBe(motd);

  await server(
    `${serve}    client: [/usr/bin/curl, --silent, --fail, 'http://127.0.0.1:8080/motd']\n    in: clients\n    stdout: something else\n`,
  );
  const other = await call(["rebuild", "web"]);
  expect(other.exitCode).toBe(1);
  expect(other.stdout + other.stderr).toContain("something else");

  // the client is in the image, and the toolchain has nothing that could start the server
  await server(
    `${serve}    client: [/busybox, wget, -q, -O, '-', 'http://127.0.0.1:8080/motd']\n    stdout: '${motd.trim()}'\n`,
  );
  const itself = await call(["rebuild", "web"]);
  expect(itself.exitCode, itself.stderr).toBe(0);

  // as process 1 it has to reap what others leave behind; what it ends with when it is told to is its own affair
  await server(
    `  - serve: [/busybox, sh, -c, 'trap "exit 7" TERM; while :; do /busybox sleep 1; done']\n    init: true\n    client: [/usr/bin/perl, -e, '${leaveOrphan}']\n    in: clients\n    stdout: reaped\n`,
  );
  const reaped = await call(["rebuild", "web"]);
  expect(reaped.exitCode, reaped.stdout + reaped.stderr).toBe(0);

  await server(
    `  - serve: [/busybox, sh, -c, exit]\n    init: true\n    client: [/usr/bin/perl, -e, 'sleep 60']\n    in: clients\n`,
  );
  const gone = await call(["rebuild", "web"]);
  expect(gone.exitCode).toBe(1);
  expect(gone.stdout + gone.stderr).toContain("the server ended before the client had succeeded");

  await server(
    "  - serve: [/busybox, no-such-applet]\n    client: [/usr/bin/curl, 'http://127.0.0.1:8080/']\n    in: clients\n",
  );
  const ended = await call(["rebuild", "web"]);
  expect(ended.exitCode).toBe(1);
  expect(ended.stdout + ended.stderr).toContain(
    "the server ended with exit code 127 before a client could speak to it",
  );
});
