import { appendFile, mkdtemp, readFile, rm, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterAll, beforeAll, expect, test } from "vitest";
import { $ } from "zx";
import { createRegistryClient } from "../../src/oci/registry/client.ts";
import { parseReference } from "../../src/oci/reference.ts";
import type { Repository } from "../../src/oci/repository.ts";
import { type Descriptor, mediaTypes } from "../../src/oci/types.ts";
import type { Plan } from "../../src/plan/types.ts";
import { type CliResult, refoundry } from "../support/cli.ts";
import { startRegistry, startServer, type TestRegistry, type TestServer } from "../support/registry.ts";
import { temporaryFolder } from "../support/temporary.ts";
import { copyFactory, createTinyFactory, type TinyFactory } from "../support/tiny-factory.ts";

let folder: string;
let registry: TestRegistry;
/** Stands before the registry, and counts. */
let counter: TestServer;
let factory: TinyFactory;
let env: Record<string, string>;
const client = createRegistryClient({ env: {} });
const releaseFile = "recipes/images/hello/releases/1.0.yaml";

beforeAll(async () => {
  folder = await mkdtemp(join(tmpdir(), "refoundry-e2e-"));
  registry = await startRegistry();
  counter = await startServer({ behind: registry.host });
  factory = await createTinyFactory(folder, registry.host);
  env = { REFOUNDRY_STORE: join(folder, "store"), DOCKER_CONFIG: join(folder, "docker") };
  const run = { cwd: factory.root, env };
  expect(await refoundry(["pin", "hello", "1.0"], run)).toMatchObject({ exitCode: 0 });
  const name = `${registry.host}/images/hello`;
  const rebuilt = await refoundry(["rebuild", "hello", "--push", name, "--record"], run);
  expect(rebuilt, rebuilt.stderr).toMatchObject({ exitCode: 0 });
});

afterAll(async () => {
  await client.close();
  await counter?.stop();
  await registry?.stop();
  await rm(folder, { recursive: true, force: true });
});

const call = (args: readonly string[], root = factory.root, more: Record<string, string> = {}): Promise<CliResult> =>
  refoundry(["plan", ...args], { cwd: root, env: { ...env, ...more } });

async function planned(args: readonly string[], root?: string, more?: Record<string, string>): Promise<Plan> {
  const { stdout, stderr } = await call([...args, "--json"], root, more);
  if (stdout === "") throw new Error(stderr);
  return JSON.parse(stdout) as Plan;
}

const codesOf = ({ jobs }: Plan): string[] => jobs.map(({ reason }) => reason.code);
const freshStore = async (): Promise<Record<string, string>> => ({
  REFOUNDRY_STORE: join(await temporaryFolder(), "store"),
});
const atRegistry = (): string[] => ["--registry", `${registry.host}/images`, "--max-age", "0"];

/** A copy of the factory, to break. */
async function ownFactory(): Promise<TinyFactory> {
  return copyFactory(factory, await temporaryFolder());
}

async function edit(root: string, path: string, change: (text: string) => string): Promise<void> {
  const before = await readFile(join(root, path), "utf8");
  const after = change(before);
  expect(after, `${path} should change`).not.toBe(before);
  await writeFile(join(root, path), after);
}

function repository(name: string): Repository {
  const reference = parseReference(`${registry.host}/${name}`);
  if (reference.kind !== "registry") throw new Error(name);
  return client.repository(reference);
}

test("a release that is recorded and released is not due, on any machine", async () => {
  const made = await planned([...atRegistry(), "--attestations", "--upstream"], factory.root, await freshStore());
  expect(made).toMatchObject({
    schema: "refoundry/plan/v1",
    jobs: [
      { recipe: "hello", version: "1.0", platform: "linux/amd64", due: false, reason: { code: "up-to-date" } },
      { platform: "linux/386", due: false, reason: { code: "up-to-date" } },
    ],
    notices: [],
    totals: { jobs: 2, due: 0, faults: 0 },
  });
  expect((await call(["--format", "matrix"])).stdout).toBe('{"include":[]}');
});

test("the registry is asked once for each release, and not again while the answer is young", async () => {
  const store = await freshStore();
  const args = ["--registry", `${counter.host}/images`];
  const before = counter.seen.length;
  expect(codesOf(await planned(args, factory.root, store))).toEqual(["up-to-date", "up-to-date"]);
  expect(counter.seen.slice(before).map(({ path }) => path)).toEqual(["/v2/images/hello/manifests/1.0"]);
  await planned(args, factory.root, store);
  expect(counter.seen).toHaveLength(before + 1);
});

test("each input that changes since it was recorded is named, with both digests, and with its cost", async () => {
  const { root } = await ownFactory();
  await appendFile(join(root, "recipes/images/hello/Dockerfile"), "# more\n");
  const made = await planned([], root);
  expect(made.jobs).toMatchObject([
    { due: true, needs: "build", reason: { code: "dockerfile-changed" }, changes: [{ input: "context" }] },
    { due: true, reason: { code: "dockerfile-changed" } },
  ]);
  expect(made.jobs.every(({ estimatedSeconds }) => (estimatedSeconds ?? 0) > 0)).toBe(true);
  await edit(root, releaseFile, (text) => text.replace(/epoch: (\d+)/, "epoch: 1"));
  expect(codesOf(await planned([], root))).toEqual(["source-changed", "source-changed"]);
  const matrix = JSON.parse((await call(["--format", "matrix"], root)).stdout);
  expect(matrix.include).toMatchObject([
    { recipe: "hello", version: "1.0", platform: "linux/amd64", reason: "source-changed" },
    { platform: "linux/386" },
  ]);
  expect((await call(["--format", "markdown"], root)).stdout).toContain("**2 of 2 builds are due**");
});

test("another builder is the factory's change", async () => {
  const { root } = await ownFactory();
  await edit(root, releaseFile, (text) =>
    text
      .replace(/builder: .*/, "builder: buildkit v0")
      .replaceAll(/buildKey: sha256:\w{8}/g, "buildKey: sha256:00000000"),
  );
  const made = await planned([], root, await freshStore());
  expect(codesOf(made)).toEqual(["factory-changed", "factory-changed"]);
  expect(made.jobs[0]?.reason.sentence).toMatch(/the builder changed since it was recorded: buildkit v0 became/);
});

test("what a release records of its inputs gives its build keys", async () => {
  // any difference between the two would show as a build key that is another without a change
  expect(codesOf(await planned([], factory.root, await freshStore()))).toEqual(["up-to-date", "up-to-date"]);
  expect(await readFile(join(factory.root, releaseFile), "utf8")).toMatch(/ {2}inputs:\n {4}source: sha256:/);
});

test("another digest under the same build key is a fault, and no reason to build", async () => {
  const { root } = await ownFactory();
  await edit(root, releaseFile, (text) =>
    text.replace(/manifest: sha256:\w{64}(, buildKey| *\n)/, `manifest: sha256:${"b".repeat(64)}$1`),
  );
  const result = await call(["--json"], root);
  expect(result.exitCode).toBe(1);
  const made = JSON.parse(result.stdout) as Plan;
  expect(codesOf(made)).toContain("not-deterministic");
  expect(made.totals).toMatchObject({ due: 0, faults: 1 });
});

test("a tag that names another index than recorded is a fault; one that is gone is to be published", async () => {
  const hello = repository("moved/hello");
  const index = Buffer.from(JSON.stringify({ schemaVersion: 2, mediaType: mediaTypes.index, manifests: [] }));
  const moved = ["--registry", `${registry.host}/moved`, "--max-age", "0"];
  const absent = await planned(moved);
  expect(absent.jobs).toMatchObject([{ due: true, needs: "publish", reason: { code: "unreleased" } }, { due: true }]);
  await hello.pushManifest(index, mediaTypes.index, "1.0");
  const result = await call([...moved, "--json"]);
  expect(result.exitCode).toBe(1);
  expect(codesOf(JSON.parse(result.stdout) as Plan)).toEqual(["tag-moved", "tag-moved"]);
  const { root } = await ownFactory();
  await appendFile(join(root, "recipes/images/hello/recipe.yaml"), 'tags: {floating: ["{version}"]}\n');
  expect((await planned(moved, root)).jobs).toMatchObject([
    { due: true, reason: { code: "unreleased" } },
    { due: true },
  ]);
});

test("a release without its proof is due", async () => {
  const from = repository("images/hello");
  const to = repository("bare/hello");
  const { descriptor, bytes } = await from.resolve("1.0");
  const { manifests } = JSON.parse(Buffer.from(bytes).toString("utf8")) as { manifests: Descriptor[] };
  for (const manifest of manifests) {
    const read = await from.resolve(manifest.digest);
    const { config, layers } = JSON.parse(Buffer.from(read.bytes).toString("utf8")) as {
      config: Descriptor;
      layers: Descriptor[];
    };
    for (const blob of [config, ...layers]) await to.pushBlob(blob, () => from.openBlob(blob));
    await to.pushManifest(read.bytes, read.descriptor.mediaType, manifest.digest);
  }
  await to.pushManifest(bytes, descriptor.mediaType, "1.0");
  const at = ["--registry", `${registry.host}/bare`, "--max-age", "0"];
  expect(codesOf(await planned(at))).toEqual(["up-to-date", "up-to-date"]);
  const made = await planned([...at, "--attestations"]);
  expect(made.jobs[0]).toMatchObject({ due: true, needs: "publish", reason: { code: "attestation-missing" } });
  expect(made.jobs[0]?.reason.sentence).toMatch(/lacks its signature and its provenance/);
});

test("upstream's tag that moved or is gone is noted, and a pin that its index does not have is refused", async () => {
  const { root } = await ownFactory();
  const upstream = repository("upstream/hello");
  const index = Buffer.from(JSON.stringify({ schemaVersion: 2, mediaType: mediaTypes.index, manifests: [] }));
  await upstream.pushManifest(index, mediaTypes.index, "re-pushed");
  const recipe = "recipes/images/hello/recipe.yaml";
  const ask = ["--upstream", "--max-age", "0"];
  await edit(root, recipe, (text) => text.replace("/upstream/hello", "/upstream/hello:re-pushed"));
  const moved = await planned(ask, root);
  expect(codesOf(moved)).toEqual(["upstream-moved", "upstream-moved"]);
  expect(moved).toMatchObject({ notices: [{ code: "upstream-moved", recipe: "hello" }], totals: { due: 0 } });
  await edit(root, recipe, (text) => text.replace(":re-pushed", ":nowhere"));
  expect(codesOf(await planned(ask, root))).toEqual(["upstream-gone", "upstream-gone"]);
  await edit(root, releaseFile, (text) =>
    text.replace(/(upstream:[^]*?linux\/amd64: )sha256:\w{64}/, `$1sha256:${"c".repeat(64)}`),
  );
  const refused = await call([...ask, "--json"], root, await freshStore());
  expect(refused.exitCode).toBe(1);
  expect((JSON.parse(refused.stdout) as Plan).jobs[0]).toMatchObject({
    due: false,
    reason: {
      code: "wrong-upstream",
      sentence: expect.stringMatching(
        /1\.0\.yaml:\d+:\d+: the pinned upstream index sha256:\w+ has no manifest sha256:c+$/,
      ),
    },
  });
});

test("--since says what a change makes due, with nothing recorded or built", async () => {
  const { root } = await ownFactory();
  await edit(root, releaseFile, (text) => text.replace(/expect:[^]*/, ""));
  const git = $({ cwd: root, quiet: true });
  await git`git init --quiet --initial-branch=main .`;
  await git`git add .`;
  await git`git -c user.name=a -c user.email=a@example.invalid commit --quiet -m one`;
  const store = await freshStore();
  expect((await planned(["--since", "main"], root, store)).totals).toMatchObject({ jobs: 2, due: 0 });
  await appendFile(join(root, "recipes/images/hello/Dockerfile"), "# more\n");
  const changed = await planned(["--since", "main"], root, store);
  expect(codesOf(changed)).toEqual(["dockerfile-changed", "dockerfile-changed"]);
  expect(changed.jobs[0]?.reason.sentence).toMatch(/since main.*\(Dockerfile\)$/);
  const release = await readFile(join(root, releaseFile), "utf8");
  await writeFile(
    join(root, "recipes/images/hello/releases/1.1.yaml"),
    release.replace(/version: .*/, 'version: "1.1"'),
  );
  expect(codesOf(await planned(["--since", "main"], root, store)).slice(2)).toEqual(["new-release", "new-release"]);
  const unknown = await call(["--since", "nowhere"], root);
  expect(unknown).toMatchObject({ exitCode: 2, stderr: expect.stringContaining('git knows no revision "nowhere"') });
});

test("a waiver that expired is a reason, where a rebuild would refuse", async () => {
  const { root } = await ownFactory();
  const waiver = "waivers:\n  - { class: x, paths: [/x], reason: x, owner: x, expires: 2020-01-01 }\n";
  await appendFile(join(root, "recipes/images/hello/recipe.yaml"), waiver);
  expect(codesOf(await planned([], root))).toEqual(["waiver-expired", "waiver-expired"]);
});

test.each([
  [["--registry", "registry.example"], /--registry takes HOST\/PREFIX/],
  [["--registry", "registry.example/a:1"], /--registry takes HOST\/PREFIX/],
  [["--attestations"], /none is named/],
  [["--json", "--format", "markdown"], /do not go together/],
  [["nothing"], /no recipe "nothing"/],
  [["hello@9"], /no release "9"/],
])("%j is refused", async (args, message) => {
  const result = await call(args);
  expect(result).toMatchObject({ exitCode: 2, stderr: expect.stringMatching(message) });
});
