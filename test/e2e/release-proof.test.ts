import { existsSync } from "node:fs";
import { mkdtemp, readFile, rm, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { execa } from "execa";
import { afterAll, beforeAll, describe, expect, test } from "vitest";
import type { Descriptor } from "../../src/oci/types.ts";
import { type CliResult, refoundry, startRefoundry } from "../support/cli.ts";
import { startRegistry, type TestRegistry } from "../support/registry.ts";
import { temporaryFolder } from "../support/temporary.ts";
import { copyFactory, createTinyFactory, type TinyFactory } from "../support/tiny-factory.ts";
import { toolPath } from "../support/tools.ts";

const password = "open sesame";
let folder: string;
let registry: TestRegistry;
let factory: TinyFactory;
let env: Record<string, string>;
let index: string;
let children: Descriptor[];
let name: string;

beforeAll(async () => {
  folder = await mkdtemp(join(tmpdir(), "refoundry-e2e-"));
  registry = await startRegistry();
  factory = await createTinyFactory(folder, registry.host);
  env = {
    REFOUNDRY_STORE: join(folder, "store"),
    DOCKER_CONFIG: join(folder, "docker"),
    COSIGN_PASSWORD: password,
    REFOUNDRY_KEY: join(folder, "ours/cosign.key"),
    REFOUNDRY_STAGING: `${registry.host}/staging/hello`,
  };
  for (const whose of ["ours", "theirs"]) {
    await execa("mkdir", ["-p", join(folder, whose)]);
    expect(await call(["key", "--out", join(folder, whose)])).toMatchObject({ exitCode: 0 });
  }
  expect(await call(["pin", "hello", "1.0"])).toMatchObject({ exitCode: 0 });
  name = `${registry.host}/releases/hello`;
  const pushed = await call(["rebuild", "hello", "--push", name, "--json"]);
  expect(pushed).toMatchObject({ exitCode: 0 });
  index = JSON.parse(pushed.stdout).index.digest;
  children = JSON.parse((await execa(toolPath("crane"), ["manifest", `${name}:1.0`])).stdout).manifests;
});

afterAll(async () => {
  await registry?.stop();
  await rm(folder, { recursive: true, force: true });
});

const publicKey = (whose = "ours"): string => join(folder, whose, "cosign.pub");
const call = (args: readonly string[], more: Record<string, string> = {}): Promise<CliResult> =>
  refoundry(args, { cwd: factory.root, env: { ...env, ...more } });

/** cosign without its transparency log, which needs a network; the signatures it checks all the same. */
async function cosign(args: readonly string[], whose = "ours") {
  const [command = "", ...rest] = args;
  const fixed = ["--key", publicKey(whose), "--insecure-ignore-tlog=true"];
  return execa(toolPath("cosign"), [command, ...fixed, ...rest], { reject: false, env: { HOME: folder } });
}

interface Payload {
  readonly predicate: {
    readonly buildDefinition: {
      readonly externalParameters: { readonly platforms: object };
      readonly resolvedDependencies: readonly { readonly digest: object }[];
    };
  };
}

async function payloads(args: readonly string[]): Promise<Payload[]> {
  const { stdout, exitCode, stderr } = await cosign(["verify-attestation", ...args]);
  expect(exitCode, stderr).toBe(0);
  return stdout
    .trim()
    .split("\n")
    .map((line) => JSON.parse(Buffer.from(JSON.parse(line).payload, "base64").toString()));
}

describe("what others' clients say of a release", () => {
  test("cosign verifies the signatures of the index and of every platform", async () => {
    for (const digest of [index, ...children.map((child) => child.digest)]) {
      const verified = await cosign(["verify", `${name}@${digest}`]);
      expect(verified.exitCode, verified.stderr).toBe(0);
    }
    expect((await cosign(["verify", `${name}:1.0`])).exitCode).toBe(0);
  });

  test("cosign verifies provenance, equivalence and summary, and they say what was done", async () => {
    const [provenance] = await payloads(["--type", "slsaprovenance1", `${name}:1.0`]);
    expect(provenance?.predicate).toMatchObject({
      buildDefinition: {
        externalParameters: {
          release: "1.0",
          platforms: { "linux/amd64": { mode: "reproduce" }, "linux/386": { mode: "extend" } },
        },
      },
    });
    for (const dependency of provenance?.predicate.buildDefinition.resolvedDependencies ?? [])
      expect(Object.keys(dependency.digest)).not.toEqual([]);
    const upstream = children.find((child) => child.platform?.architecture === "amd64");
    const type = "https://refoundry.dev/attestations/image-equivalence/v1";
    const [equivalence] = await payloads(["--type", type, `${name}@${upstream?.digest}`]);
    expect(equivalence?.predicate).toMatchObject({ against: "upstream", verdict: "equivalent", level: "entries" });
    const added = children.find((child) => child.platform?.architecture === "386");
    const [own] = await payloads(["--type", "slsaprovenance1", `${name}@${added?.digest}`]);
    expect(own?.predicate.buildDefinition.externalParameters.platforms).toEqual({
      "linux/386": { mode: "extend", rebuilt: { sha256: added?.digest.slice(7) } },
    });
    const summary = "https://slsa.dev/verification_summary/v1";
    const [passed] = await payloads(["--type", summary, `${name}:1.0`]);
    expect(passed?.predicate).toMatchObject({ verificationResult: "PASSED" });
    // upstream's manifest is not of our making, and nothing says so
    const theirs = await cosign(["verify-attestation", "--type", "slsaprovenance1", `${name}@${upstream?.digest}`]);
    expect(theirs.exitCode).not.toBe(0);
  });

  test("cosign rejects another key, a changed image and a changed attestation", async () => {
    expect((await cosign(["verify", `${name}:1.0`], "theirs")).exitCode).not.toBe(0);
    const crane = toolPath("crane");
    const changed = `${registry.host}/changed/hello`;
    await execa(crane, ["copy", `${name}:1.0`, `${changed}:1.0`]);
    const other = await execa(crane, [
      "mutate",
      `${changed}@${children[0]?.digest}`,
      "--label",
      "a=b",
      "--tag",
      `${changed}:2.0`,
    ]);
    expect((await cosign(["verify", `${changed}:2.0`])).exitCode, other.stderr).not.toBe(0);
    // our signature of the first, carried over to the second
    const { stdout } = await execa(toolPath("oras"), ["discover", "--plain-http", "--format", "json", `${name}:1.0`]);
    const bundles = (JSON.parse(stdout).referrers as { digest: string; artifactType: string }[]).filter(
      ({ artifactType }) => artifactType === "application/vnd.dev.sigstore.bundle.v0.3+json",
    );
    expect(bundles.length).toBeGreaterThanOrEqual(3);
    for (const { digest } of bundles) {
      const manifest = JSON.parse((await execa(crane, ["manifest", `${name}@${digest}`])).stdout);
      const bundle = JSON.parse((await execa(crane, ["blob", `${name}@${manifest.layers[0].digest}`])).stdout);
      const payload = Buffer.from(bundle.dsseEnvelope.payload, "base64").toString();
      const digestOfOther = (await execa(crane, ["digest", `${changed}:2.0`])).stdout.trim();
      bundle.dsseEnvelope.payload = Buffer.from(payload.replaceAll(index.slice(7), digestOfOther.slice(7))).toString(
        "base64",
      );
      const file = join(await temporaryFolder(), "bundle.json");
      await writeFile(file, JSON.stringify(bundle));
      await execa(toolPath("oras"), [
        ...["attach", "--plain-http", "--disable-path-validation", "--artifact-type", manifest.artifactType],
        ...[`${changed}:2.0`, `${file}:${manifest.artifactType}`],
      ]);
    }
    expect((await cosign(["verify", `${changed}:2.0`])).exitCode).not.toBe(0);
    const ours = await call(["verify", `${changed}:2.0`, "--key", publicKey(), "--json"]);
    expect(ours.exitCode).toBe(1);
    expect(JSON.parse(ours.stdout)).toMatchObject({ verified: false });
  });

  test("crane validates it, skopeo inspects it, oras finds report, SBOMs, log and attestations", async () => {
    await execa(toolPath("crane"), ["validate", "--remote", `${name}:1.0`]);
    const oras = async (reference: string): Promise<string[]> => {
      const { stdout } = await execa(toolPath("oras"), ["discover", "--plain-http", "--format", "json", reference]);
      return JSON.parse(stdout).referrers.map(({ artifactType }: { artifactType: string }) => artifactType);
    };
    expect(await oras(`${name}:1.0`)).toEqual(
      expect.arrayContaining(["text/html", "application/vnd.refoundry.outcome.v1+json"]),
    );
    for (const child of children)
      expect(await oras(`${name}@${child.digest}`)).toEqual(
        expect.arrayContaining(["application/spdx+json", "application/vnd.cyclonedx+json", "text/plain"]),
      );
    const { stdout } = await execa(toolPath("skopeo"), [
      "inspect",
      "--tls-verify=false",
      "--raw",
      `docker://${name}:1.0`,
    ]);
    expect(JSON.parse(stdout).manifests).toHaveLength(2);
  });
});

describe("verify, for who is to rely on it", () => {
  test("says what was proved, and by whom", async () => {
    const result = await call(["verify", `${name}:1.0`, "--key", publicKey(), "--json"]);
    expect(result.exitCode).toBe(0);
    expect(JSON.parse(result.stdout)).toMatchObject({
      schema: "refoundry/verification/v1",
      digest: index,
      verified: true,
      subjects: [
        { digest: index, provenance: { release: "1.0" } },
        { platform: "linux/386", equivalence: { verdict: "extended" } },
        { platform: "linux/amd64", equivalence: { verdict: "equivalent", level: "entries" } },
      ],
    });
  });

  test.each([
    ["another key", ["--key", "theirs"], /NOT VERIFIED[^]*no trusted signature/],
    ["a verdict that it has not", ["--key", "ours", "--require", "identical"], /its verdict is equivalent/],
  ])("refuses %s", async (_, args, said) => {
    const given = args.map((arg) => (arg === "ours" || arg === "theirs" ? publicKey(arg) : arg));
    const result = await call(["verify", `${name}:1.0`, ...given]);
    expect(result.exitCode).toBe(1);
    expect(result.stdout).toMatch(said);
  });

  test("--rebuild builds it here, from the recipe, and finds the same digest", async () => {
    const result = await call(["verify", `${name}:1.0`, "--key", publicKey(), "--rebuild", "--json"], {
      REFOUNDRY_STORE: join(folder, "consumer-store"),
      REFOUNDRY_STAGING: "",
    });
    expect(result.exitCode, result.stderr).toBe(0);
    expect(JSON.parse(result.stdout).rebuild).toMatchObject({ release: "hello@1.0", agrees: true });
  });
});

describe("what was cut off is made whole", () => {
  test("a signature and a report that were lost are there again; nothing else is written", async () => {
    const { stdout } = await execa(toolPath("oras"), ["discover", "--plain-http", "--format", "json", `${name}:1.0`]);
    const { referrers } = JSON.parse(stdout) as { referrers: { digest: string; artifactType: string }[] };
    for (const { digest } of referrers) await execa(toolPath("crane"), ["delete", `${name}@${digest}`]);
    await execa(toolPath("crane"), ["delete", `${name}:sha256-${index.slice(7)}`], { reject: false });
    expect((await cosign(["verify", `${name}:1.0`])).exitCode).not.toBe(0);
    const again = await call(["publish", "hello", "--push", name, "--json"]);
    expect(again, again.stderr).toMatchObject({ exitCode: 0 });
    expect(JSON.parse(again.stdout).index.digest).toBe(index);
    expect((await cosign(["verify", `${name}:1.0`])).exitCode).toBe(0);
    expect(again.stderr).toContain(`${referrers.length} attached`);
    const third = await call(["publish", "hello", "--push", name]);
    expect(third.stderr).toMatch(/reused: 0 attached/);
  });

  test("killed again and again while publishing, no tag names what is not whole, and a rerun ends it", async () => {
    for (let run = 0; run < 8; run++) {
      const target = `${registry.host}/killed/hello-${run}`;
      const running = startRefoundry(["publish", "hello", "--push", target], { cwd: factory.root, env });
      let seen = "";
      const stages = ["[publish] images", "[attest] signatures", "[publish] tag"];
      const stage = stages[run % stages.length] ?? "";
      running.stderr.on("data", (chunk: Buffer) => {
        seen += chunk.toString();
        if (seen.includes(stage)) setTimeout(() => running.kill("SIGKILL"), run * 15);
      });
      await running;
      const tagged = await execa(toolPath("crane"), ["digest", `${target}:1.0`], { reject: false });
      if (tagged.exitCode === 0) {
        await execa(toolPath("crane"), ["validate", "--remote", `${target}:1.0`]);
        expect((await cosign(["verify", `${target}:1.0`])).exitCode).toBe(0);
      }
      const again = await call(["publish", "hello", "--push", target, "--json"]);
      expect(again, again.stderr).toMatchObject({ exitCode: 0 });
      expect(JSON.parse(again.stdout).index.digest).toBe(index);
      const verified = await call(["verify", `${target}:1.0`, "--key", publicKey()]);
      expect(verified, verified.stdout).toMatchObject({ exitCode: 0 });
    }
  });
});

describe("staging, by build key", () => {
  test("another machine with the same key goes on where this one stopped, without building", async () => {
    const result = await call(["rebuild", "hello", "--json"], { REFOUNDRY_STORE: join(folder, "other-store") });
    expect(result.exitCode, result.stderr).toBe(0);
    const outcome = JSON.parse(result.stdout);
    expect(outcome.platforms.map(({ cached }: { cached: boolean }) => cached)).toEqual([true, true]);
    expect(outcome.index.digest).toBe(index);
  });

  test("a machine that trusts nobody here builds by itself, and two builders are needed to promote", async () => {
    const theirs = { REFOUNDRY_STORE: join(folder, "their-store"), REFOUNDRY_KEY: join(folder, "theirs/cosign.key") };
    const production = `${registry.host}/production/hello`;
    const keys = ["--key", publicKey("ours"), "--key", publicKey("theirs")];
    const one = await call(["promote", `${name}:1.0`, production, ...keys, "--builders", "2", "--confirm"]);
    expect(one).toMatchObject({ exitCode: 1 });
    expect(one.stdout).toMatch(/2 builders have to agree, and 1 did/);
    expect((await execa(toolPath("crane"), ["digest", `${production}:1.0`], { reject: false })).exitCode).not.toBe(0);

    const built = await call(["rebuild", "hello", "--push", name, "--json"], theirs);
    expect(built.exitCode, built.stderr).toBe(0);
    expect(JSON.parse(built.stdout).platforms.map(({ cached }: { cached: boolean }) => cached)).toEqual([false, false]);

    const plan = await call(["promote", `${name}:1.0`, production, ...keys, "--builders", "2"]);
    expect(plan.stdout).toMatch(/\+ linux\/386[^]*nothing was written/);
    expect((await execa(toolPath("crane"), ["digest", `${production}:1.0`], { reject: false })).exitCode).not.toBe(0);
    const done = await call(["promote", `${name}:1.0`, production, ...keys, "--builders", "2", "--confirm", "--json"]);
    expect(done, done.stderr).toMatchObject({ exitCode: 0 });
    expect(JSON.parse(done.stdout)).toMatchObject({ schema: "refoundry/promotion/v1", digest: index, done: true });
    expect((await execa(toolPath("crane"), ["digest", `${production}:1.0`])).stdout).toBe(index);
    expect((await cosign(["verify", `${production}:1.0`])).exitCode).toBe(0);
    expect((await cosign(["verify", `${production}:1.0`], "theirs")).exitCode).toBe(0);
    for (const child of children) expect((await cosign(["verify", `${production}@${child.digest}`])).exitCode).toBe(0);
    const again = await call(["promote", `${name}:1.0`, production, ...keys, "--confirm", "--json"]);
    expect(JSON.parse(again.stdout).copied.bytesCopied).toBe(0);
  });

  test("a plan makes no layout, and what it says is what --confirm does", async () => {
    const path = join(await temporaryFolder(), "production");
    const args = ["promote", `${name}:1.0`, `oci:${path}`, "--key", publicKey()];
    expect(await call(args)).toMatchObject({ exitCode: 0 });
    expect(existsSync(path)).toBe(false);
    expect(await call([...args, "--confirm"])).toMatchObject({ exitCode: 0 });
    expect(await call(["verify", `oci:${path}:1.0`, "--key", publicKey()])).toMatchObject({ exitCode: 0 });
  });

  test("a child where an index is meant, and a tag that would move, are refused", async () => {
    const production = `${registry.host}/production/hello`;
    const child = await call([
      "promote",
      `${name}@${children[0]?.digest}`,
      production,
      "--tag",
      "9",
      "--key",
      publicKey(),
    ]);
    expect(child).toMatchObject({ exitCode: 1 });
    expect(child.stdout).toMatch(/a single image, and a release is an index/);
    await execa(toolPath("crane"), ["copy", `${registry.host}/upstream/hello:1.0`, `${production}:old`]);
    const moved = await call(["promote", `${name}:1.0`, production, "--tag", "old", "--key", publicKey()]);
    expect(moved).toMatchObject({ exitCode: 1 });
    expect(moved.stdout).toMatch(/it moves only with --move-tag/);
  });

  test("what somebody else put under a build key is not taken over", async () => {
    const plan = JSON.parse((await call(["plan", "hello", "--json"])).stdout);
    const planted = `${registry.host}/planted/hello`;
    for (const { buildKey } of plan.jobs as { buildKey: string }[])
      await execa(toolPath("crane"), [
        "copy",
        `${registry.host}/upstream/hello:1.0`,
        `${planted}:build-${buildKey.slice(7)}`,
      ]);
    const result = await call(["rebuild", "hello", "--json"], {
      REFOUNDRY_STORE: join(folder, "planted-store"),
      REFOUNDRY_STAGING: planted,
    });
    // it is built here, and that others have something else under its key is said and not written over
    expect(result.exitCode).toBe(1);
    expect(result.stderr).toMatch(/not deterministic: .*planted\/hello has sha256:[0-9a-f]+ under its build key/);
  });
});

test("a rebuild that fails is attested to the release that stands, once, and verify says so", async () => {
  const broken = await copyFactory(factory, await temporaryFolder());
  const dockerfile = join(broken.recipeFolder, "Dockerfile");
  await writeFile(dockerfile, (await readFile(dockerfile, "utf8")).replace("RUN mkdir", "RUN false && mkdir"));
  for (const _ of [1, 2]) {
    const failed = await refoundry(["rebuild", "hello", "--push", name], { cwd: broken.root, env });
    expect(failed.exitCode).toBe(1);
    expect(failed.stderr).toMatch(/stays as it is, sha256:[0-9a-f]{64}; that this rebuild failed is attached to it/);
  }
  const type = "https://refoundry.dev/attestations/rebuild-failure/v1";
  const failures = await payloads(["--type", type, `${name}:1.0`]);
  expect(failures).toMatchObject([
    { predicate: { phase: "build", errorClass: "build", lastGood: { sha256: index.slice(7) } } },
  ]);
  const verified = await call(["verify", `${name}:1.0`, "--key", publicKey()]);
  expect(verified.exitCode).toBe(0);
  expect(verified.stdout).toMatch(/note: a rebuild failed on 20/);
});

test("no secret is in what is said, kept or published", async () => {
  const result = await call(["rebuild", "hello", "--push", name, "--json"]);
  const key = await readFile(join(folder, "ours/cosign.key"), "utf8");
  for (const text of [result.stdout, result.stderr]) {
    expect(text).not.toContain(password);
    expect(text).not.toContain(key.split("\n")[3]);
  }
});

test.each([
  ["a key that is not there", ["--key", "nowhere.key"], {}, /the key nowhere.key cannot be read: it is not there/],
  ["a wrong password", [], { COSIGN_PASSWORD: "wrong" }, /the password does not open the key/],
  ["an empty variable", ["--key", "env://NO_SUCH_KEY"], {}, /NO_SUCH_KEY holds no key/],
  ["keyless without a token", ["--key", "keyless"], {}, /needs an OpenID Connect token/],
])("%s is known before anything is built", async (_, args, more, said) => {
  const result = await call(["rebuild", "hello", ...args], more);
  expect(result.exitCode).toBe(2);
  expect(result.stderr).toMatch(said);
  expect(result.stderr).not.toContain("[build");
});
