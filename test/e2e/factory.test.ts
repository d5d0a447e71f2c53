import { existsSync } from "node:fs";
import { mkdir, mkdtemp, readdir, readFile, rm, symlink, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { delimiter, dirname, join } from "node:path";
import { execa } from "execa";
import { afterAll, beforeAll, describe, expect, test } from "vitest";
import { refoundry, startRefoundry, type CliResult } from "../support/cli.ts";
import { type TestRegistry, startRegistry } from "../support/registry.ts";
import { temporaryFolder } from "../support/temporary.ts";
import { copyFactory, createTinyFactory, type TinyFactory } from "../support/tiny-factory.ts";

let folder: string;
let registry: TestRegistry;
let factory: TinyFactory;
let env: Record<string, string>;

beforeAll(async () => {
  folder = await mkdtemp(join(tmpdir(), "refoundry-e2e-"));
  registry = await startRegistry();
  factory = await createTinyFactory(folder, registry.host);
  env = { REFOUNDRY_STORE: join(folder, "store"), DOCKER_CONFIG: join(folder, "docker") };
  const pinned = await refoundry(["pin", "hello", "1.0"], { cwd: factory.root, env });
  expect(pinned).toMatchObject({ exitCode: 0 });
});

afterAll(async () => {
  await registry?.stop();
  await rm(folder, { recursive: true, force: true });
});

const call = (args: readonly string[], root = factory.root, more: Record<string, string> = {}): Promise<CliResult> =>
  refoundry(args, { cwd: root, env: { ...env, ...more } });

async function edit(path: string, change: (text: string) => string): Promise<void> {
  const before = await readFile(path, "utf8");
  const after = change(before);
  expect(after, `${path} should change`).not.toBe(before);
  await writeFile(path, after);
}

async function brokenFactory(): Promise<TinyFactory> {
  return copyFactory(factory, await temporaryFolder());
}

describe("a recipe whose toolchain, upstream and destination are in a registry", () => {
  test("is rebuilt, compared, extended and released into an OCI layout", async () => {
    const result = await call(["rebuild", "hello", "--json"]);
    expect(result.stderr).toContain("[build linux/386]");
    const outcome = JSON.parse(result.stdout);
    expect(outcome).toMatchObject({
      schema: "refoundry/outcome/v1",
      recipe: "hello",
      version: "1.0",
      destination: "oci:out/hello/1.0/oci:1.0",
    });
    expect(outcome.platforms).toMatchObject([
      {
        platform: "linux/amd64",
        origin: "upstream",
        verdict: "equivalent",
        level: "entries",
        unexplained: 0,
        cached: false,
      },
      { platform: "linux/386", origin: "rebuilt", verdict: "extended", level: "no-upstream", cached: false },
    ]);
    expect(result.exitCode).toBe(0);
    expect(existsSync(join(factory.root, outcome.report))).toBe(true);
  });

  test("is not built again, and comes out the same; forced, it is built and comes out the same", async () => {
    const first = JSON.parse((await call(["rebuild", "hello", "--json"])).stdout);
    const second = JSON.parse((await call(["rebuild", "hello", "--json"])).stdout);
    expect(second.platforms.map((platform: { cached: boolean }) => platform.cached)).toEqual([true, true]);
    expect(second.index).toEqual(first.index);
    const forced = JSON.parse((await call(["rebuild", "hello", "--json", "--force"])).stdout);
    expect(forced.platforms.map((platform: { cached: boolean }) => platform.cached)).toEqual([false, false]);
    expect(forced.index).toEqual(first.index);
  });

  test("is pushed; the same again is a success, another release under its tag is refused", async () => {
    const name = `${registry.host}/releases/hello`;
    const pushed = await call(["rebuild", "hello", "--push", name, "--json"]);
    expect(pushed).toMatchObject({ exitCode: 0 });
    const { index } = JSON.parse(pushed.stdout);
    const compared = await call([
      "compare",
      `${name}:1.0`,
      "oci:out/hello/1.0/oci:1.0",
      "--require",
      "index",
      "--json",
    ]);
    expect(JSON.parse(compared.stdout)).toMatchObject({ level: "index" });
    const again = await call(["publish", "hello", "--push", name, "--json"]);
    expect(JSON.parse(again.stdout).index).toEqual(index);
    expect(again.stderr).toContain("were there already");
    const other = await brokenFactory();
    await edit(join(other.recipeFolder, "Dockerfile"), (text) =>
      text.replace("/out/etc && cp", "/out/etc /out/new && cp"),
    );
    await edit(join(other.recipeFolder, "recipe.yaml"), (text) =>
      text.replace("reproduce: [linux/amd64]", "reproduce: []"),
    );
    await rm(join(other.recipeFolder, "releases"), { recursive: true });
    expect(await call(["pin", "hello", "1.0"], other.root)).toMatchObject({ exitCode: 0 });
    const moved = await call(["rebuild", "hello", "--push", name], other.root);
    expect(moved.exitCode).toBe(1);
    expect(moved.stderr).toMatch(/a release's tag does not move/);
  });

  test("plan says what is due and why, before and after", async () => {
    expect(JSON.parse((await call(["plan", "--json"])).stdout)).toMatchObject({
      schema: "refoundry/plan/v1",
      jobs: [{ due: false, reason: { code: "up-to-date" } }, { due: false }],
    });
    const fresh = await call(["plan", "--json"], factory.root, { REFOUNDRY_STORE: join(folder, "other-store") });
    expect(JSON.parse(fresh.stdout).jobs).toMatchObject([
      { recipe: "hello", version: "1.0", platform: "linux/amd64", due: true, reason: { code: "never-built" } },
      { due: true },
    ]);
  });

  test("each stage runs alone", async () => {
    expect(await call(["source", "hello"])).toMatchObject({ exitCode: 0 });
    expect(await call(["toolchain", "build", "busybox"])).toMatchObject({ exitCode: 0 });
    expect(JSON.parse((await call(["build", "hello", "--json"])).stdout).platforms).toHaveLength(2);
    expect(JSON.parse((await call(["smoke", "hello", "--json"])).stdout).platforms[0].smoke[0]).toMatchObject({
      stdout: "hello 1.0\n",
    });
    expect(await call(["report", "out/hello/1.0/outcome.json"])).toMatchObject({ exitCode: 0 });
    expect(await call(["lint"])).toMatchObject({ exitCode: 0 });
  });

  test("a single platform is built without releasing anything", async () => {
    const outcome = JSON.parse((await call(["rebuild", "hello", "--platform", "linux/386", "--json"])).stdout);
    expect(outcome).toMatchObject({ index: null, platforms: [{ platform: "linux/386" }] });
  });
});

describe("a machine that has Docker", () => {
  test("is used as it is, found ready by doctor, and gives the same release", async () => {
    const work = await temporaryFolder();
    const root = join(work, "engine");
    const up = JSON.parse((await call(["engine", "up", "--root", root, "--json"])).stdout);
    try {
      const config = join(work, "docker-config");
      await mkdir(join(config, "cli-plugins"), { recursive: true });
      await symlink(
        join(dirname(dirname(up.docker)), "libexec/docker/cli-plugins/docker-buildx"),
        join(config, "cli-plugins/docker-buildx"),
      );
      const docker = {
        PATH: [dirname(up.docker), process.env["PATH"]].join(delimiter),
        DOCKER_HOST: `unix://${up.socket}`,
        DOCKER_CONFIG: config,
        REFOUNDRY_STORE: join(work, "store"),
      };
      const checks = JSON.parse((await call(["doctor", "--json"], factory.root, docker)).stdout).checks;
      expect(checks[0]).toMatchObject({ name: "engine", state: "ok" });
      const other = await copyFactory(factory, join(work, "copy"));
      const result = await call(["rebuild", "hello", "--json"], other.root, docker);
      expect(result.exitCode).toBe(0);
      const outcome = JSON.parse(result.stdout);
      expect(outcome.inputs).toContainEqual(expect.objectContaining({ kind: "engine", name: "docker" }));
      const ours = JSON.parse((await call(["rebuild", "hello", "--json"])).stdout);
      expect(outcome.index).toEqual(ours.index);
      await rm(join(config, "cli-plugins"), { recursive: true });
      const lacking = await call(["rebuild", "hello"], other.root, docker);
      expect(lacking.exitCode).toBe(3);
      expect(lacking.stderr).toMatch(/the buildx plugin is missing/);
    } finally {
      await call(["engine", "down", "--root", root]);
    }
  });
});

describe("what goes wrong is said, and nothing is released", () => {
  async function expectNoRelease(root: string): Promise<void> {
    const index = join(root, "out/hello/1.0/oci/index.json");
    if (existsSync(index)) expect(JSON.parse(await readFile(index, "utf8")).manifests).toEqual([]);
  }

  test("a compile error: the last lines of the log, and where the whole log is", async () => {
    const broken = await brokenFactory();
    await rm(join(broken.root, "out"), { recursive: true, force: true });
    await edit(join(broken.recipeFolder, "Dockerfile"), (text) =>
      text
        .replace("RUN mkdir", "RUN echo compiling; echo 'fatal: no such header' >&2; false; mkdir")
        .replace("false;", "false &&"),
    );
    const result = await call(["rebuild", "hello"], broken.root);
    expect(result.exitCode).toBe(1);
    expect(result.stdout).toContain("build-failed");
    expect(result.stdout).toContain("fatal: no such header");
    expect(result.stdout).toContain("nothing was released");
    expect(result.stdout).toContain("logs/linux-amd64.log");
    expect(await readFile(join(broken.root, "out/hello/1.0/logs/linux-amd64.log"), "utf8")).toContain("compiling");
    await expectNoRelease(broken.root);
  });

  test("a build that is not deterministic", async () => {
    const broken = await brokenFactory();
    await edit(join(broken.recipeFolder, "Dockerfile"), (text) =>
      text.replace("cp /src/motd", "cat /proc/sys/kernel/random/uuid > /out/id && cp /src/motd"),
    );
    const result = await call(["rebuild", "hello", "--platform", "linux/386"], broken.root);
    expect(result.exitCode).toBe(1);
    expect(result.stderr).toMatch(
      /the build for linux\/386 is not deterministic: .*sha256:[0-9a-f]{64} and sha256:[0-9a-f]{64}/,
    );
    const first = await call(["rebuild", "hello", "--platform", "linux/amd64"], broken.root);
    expect(first.exitCode).toBe(1);
    const forced = await call(["rebuild", "hello", "--platform", "linux/amd64", "--force"], broken.root);
    expect(forced.stderr).toContain("not deterministic");
  });

  test("a build that wants the network, an image by tag, or a remote file", async () => {
    const broken = await brokenFactory();
    const dockerfile = join(broken.recipeFolder, "Dockerfile");
    const good = await readFile(dockerfile, "utf8");
    for (const [line, reason] of [
      ["COPY --from=docker.io/library/alpine:latest /etc/passwd /p", /denied by policy|denied/],
      ["ADD https://example.invalid/file /f", /denied by policy|denied/],
    ] as const) {
      await writeFile(dockerfile, good.replace("RUN mkdir", `${line}\nRUN mkdir`));
      const result = await call(["rebuild", "hello", "--platform", "linux/amd64"], broken.root);
      expect(result.exitCode).toBe(1);
      expect(result.stdout).toMatch(reason);
    }
  });

  test("a file that upstream has otherwise", async () => {
    const broken = await brokenFactory();
    await edit(join(broken.recipeFolder, "Dockerfile"), (text) =>
      text.replace("/out/busybox &&", "/out/busybox && chmod 4755 /out/busybox &&"),
    );
    const result = await call(["rebuild", "hello", "--json"], broken.root);
    expect(result.exitCode).toBe(1);
    const outcome = JSON.parse(result.stdout);
    expect(outcome.index).toBeNull();
    expect(outcome.platforms[0]).toMatchObject({ verdict: "different", level: "different", unexplained: 1 });
    expect(outcome.platforms[0].comparison.differences).toContainEqual(
      expect.objectContaining({ class: "file-mode", paths: ["/busybox"] }),
    );
  });

  test("a program that does not start, or says something else", async () => {
    const broken = await brokenFactory();
    await edit(join(broken.recipeFolder, "recipe.yaml"), (text) =>
      text.replace("hello {version}", "goodbye {version}"),
    );
    const result = await call(["rebuild", "hello"], broken.root);
    expect(result.exitCode).toBe(1);
    expect(result.stdout).toMatch(/printed "hello 1.0", not "goodbye 1.0"/);
    expect(result.stdout).toContain("nothing was released");
  });

  test("a source that is not what is pinned", async () => {
    const broken = await brokenFactory();
    const release = join(broken.recipeFolder, "releases/1.0.yaml");
    const wrong = "0".repeat(64);
    await edit(release, (text) => text.replace(/archive: sha256:[0-9a-f]{64}/, `archive: sha256:${wrong}`));
    const archive = await call(["rebuild", "hello"], broken.root);
    expect(archive).toMatchObject({ exitCode: 1 });
    expect(archive.stderr).toMatch(
      new RegExp(`staged source of hello has digest sha256:[0-9a-f]{64}, and the release pins sha256:${wrong}`),
    );
    await edit(release, (text) => text.replace(/tree: [0-9a-f]{40}/, `tree: ${"a".repeat(40)}`));
    const tree = await call(["source", "hello"], broken.root);
    expect(tree).toMatchObject({ exitCode: 1 });
    expect(tree.stderr).toContain(`the release pins ${"a".repeat(40)}`);
  });

  test("a fork that is gone is passed over and said; a source that is gone everywhere is an error", async () => {
    const broken = await brokenFactory();
    const source = join(broken.root, "vendor-sources/hello.yaml");
    await edit(source, (text) => text.replace("forks: []", `forks: ["file://${broken.root}/gone"]`));
    const store = { REFOUNDRY_STORE: join(await temporaryFolder(), "store") };
    const result = await call(["source", "hello"], broken.root, store);
    expect(result).toMatchObject({ exitCode: 0 });
    expect(result.stderr).toMatch(/warning: the fork file:\/\/.*\/gone cannot be used/);
    expect(result.stdout).toContain("from upstream file://");
    await edit(source, (text) => text.replace(/upstream: .*/, `upstream: file://${broken.root}/gone-too`));
    const gone = await call(["source", "hello"], broken.root, {
      REFOUNDRY_STORE: join(await temporaryFolder(), "store"),
    });
    expect(gone).toMatchObject({ exitCode: 3 });
    expect(gone.stderr).toMatch(/cannot be had from anywhere/);
  });

  test("an upstream image that vanished: the rest is built, the verdict says so", async () => {
    const broken = await brokenFactory();
    await edit(join(broken.recipeFolder, "recipe.yaml"), (text) =>
      text.replace("/upstream/hello", "/upstream/vanished"),
    );
    const store = { REFOUNDRY_STORE: join(await temporaryFolder(), "store") };
    const result = await call(["rebuild", "hello", "--json"], broken.root, store);
    expect(result.exitCode).toBe(3);
    expect(JSON.parse(result.stdout)).toMatchObject({
      index: null,
      platforms: [{ verdict: "upstream-unavailable" }, { verdict: "extended" }],
    });
  });

  test("mistakes in a recipe, by file, line and column", async () => {
    const broken = await brokenFactory();
    await edit(join(broken.recipeFolder, "recipe.yaml"), (text) =>
      text.replace("owners:", "ownres:").replace("[linux/386]", "[linux/386, linux/386]"),
    );
    const result = await call(["rebuild", "hello"], broken.root);
    expect(result.exitCode).toBe(2);
    expect(result.stderr).toMatch(/recipe\.yaml:2:1: .*ownres/);
    expect(result.stderr).toMatch(/recipe\.yaml:\d+:\d+: .*twice/);
  });

  test("no engine", async () => {
    const result = await call(["rebuild", "hello", "--force"], factory.root, {
      REFOUNDRY_ENGINE: "docker",
      DOCKER_HOST: "unix:///nowhere.sock",
    });
    expect(result.exitCode).toBe(3);
    expect(result.stderr).toMatch(/no Docker engine answers/);
  });

  test("a disk that is full: said, and nothing half-written is taken for whole", async () => {
    const mounted = await temporaryFolder();
    await execa("mount", ["-t", "tmpfs", "-o", "size=1500k", "tmpfs", mounted]);
    try {
      const result = await call(["rebuild", "hello"], factory.root, { REFOUNDRY_STORE: join(mounted, "store") });
      expect(result.exitCode).toBe(3);
      expect(result.stderr).toMatch(/no space left on the disk[\s\S]*REFOUNDRY_STORE/);
      expect(await readdir(join(mounted, "store/ingest"))).toEqual([]);
    } finally {
      await execa("umount", [mounted]);
    }
  });

  test("what a release records is held against every build under the same key", async () => {
    const broken = await brokenFactory();
    const recorded = await call(["rebuild", "hello", "--record"], broken.root);
    expect(recorded).toMatchObject({ exitCode: 0 });
    expect(await call(["rebuild", "hello", "--force"], broken.root)).toMatchObject({ exitCode: 0 });
    const wrong = `sha256:${"b".repeat(64)}`;
    await edit(join(broken.recipeFolder, "releases/1.0.yaml"), (text) =>
      text.replace(/(expect:[\s\S]*?manifest: )sha256:[0-9a-f]{64}/, `$1${wrong}`),
    );
    const fresh = { REFOUNDRY_STORE: join(await temporaryFolder(), "store") };
    const result = await call(["rebuild", "hello"], broken.root, fresh);
    expect(result.exitCode).toBe(1);
    expect(result.stderr).toMatch(
      /not deterministic: the build that the release records and this one gave sha256:b+ and/,
    );
  });

  test("nothing to publish", async () => {
    const result = await call(["publish", "hello"], factory.root, {
      REFOUNDRY_STORE: join(await temporaryFolder(), "store"),
    });
    expect(result.exitCode).toBe(2);
    expect(result.stderr).toMatch(/is not built for linux\/amd64/);
  });

  test("an unknown command, an unknown flag", async () => {
    expect(await call(["rebiuld", "hello"])).toMatchObject({ exitCode: 2 });
    expect(await call(["rebuild", "hello", "--froce"])).toMatchObject({ exitCode: 2 });
  });
});

describe("the plug is pulled", () => {
  const slow = (text: string): string => text.replace("RUN mkdir", "RUN sleep 4 && mkdir");

  /** What still works for a store; other factories of the machine have theirs. */
  async function strays(store: string): Promise<string[]> {
    const { stdout } = await execa("ps", ["-eo", "args"]);
    const isWork = /docker-buildx build|mmdebstrap/;
    return stdout.split("\n").filter((line) => isWork.test(line) && line.includes(store));
  }

  function waitFor(child: ReturnType<typeof startRefoundry>, text: string): Promise<void> {
    return new Promise((resolve, reject) => {
      let said = "";
      child.stderr.on("data", (chunk: Buffer) => {
        said += chunk.toString();
        if (said.includes(text)) resolve();
      });
      child.stderr.on("end", () => reject(new Error(`it ended without saying ${text}:\n${said}`)));
    });
  }

  test.each([
    ["SIGINT", "[build linux/amd64] build", 130],
    ["SIGTERM", "[source] source hello", 130],
    ["SIGKILL", "[build linux/amd64] build", undefined],
    ["SIGKILL", "[toolchain]", undefined],
  ] as const)(
    "%s at %s: the next run finishes with the same digest, and nothing is left",
    async (signal, at, exitCode) => {
      const interrupted = await brokenFactory();
      await edit(join(interrupted.recipeFolder, "Dockerfile"), slow);
      const store = join(await temporaryFolder(), "store");
      const child = startRefoundry(["rebuild", "hello", "--json"], {
        cwd: interrupted.root,
        env: { ...env, REFOUNDRY_STORE: store },
      });
      await waitFor(child, at);
      child.kill(signal);
      const ended = await child;
      expect(ended.exitCode).toBe(exitCode);
      await expect.poll(() => strays(store), { timeout: 10_000 }).toEqual([]);
      const rerun = await call(["rebuild", "hello", "--json"], interrupted.root, { REFOUNDRY_STORE: store });
      expect(rerun.stderr).not.toContain("defect");
      expect(rerun).toMatchObject({ exitCode: 0 });
      const whole = await call(["rebuild", "hello", "--json"], interrupted.root, {
        REFOUNDRY_STORE: join(await temporaryFolder(), "store"),
      });
      expect(whole.stderr).not.toContain("defect");
      expect(JSON.parse(rerun.stdout).index).toEqual(JSON.parse(whole.stdout).index);
      expect(await readdir(join(store, "tmp"))).toEqual([]);
      expect(await readdir(join(store, "ingest"))).toEqual([]);
    },
  );
});
