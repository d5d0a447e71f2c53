import { randomBytes } from "node:crypto";
import { readFile, writeFile } from "node:fs/promises";
import { join } from "node:path";
import { execa } from "execa";
import { afterAll, beforeAll, describe, expect, onTestFinished, test } from "vitest";
import { copyTree } from "../../src/mirror/copy-tree.ts";
import type { MirrorFlags } from "../../src/commands/mirror.ts";
import type { MirrorDocument } from "../../src/mirror/mirror-report.ts";
import { createRegistryClient } from "../../src/oci/registry/client.ts";
import type { Descriptor } from "../../src/oci/types.ts";
import { startRefoundry } from "../support/cli.ts";
import { file, folder, testLayout, writeImage, writeIndex } from "../support/images.ts";
import { startRegistry, startServer, type TestRegistry, type TestServer } from "../support/registry.ts";
import { temporaryFolder } from "../support/temporary.ts";
import { toolPath } from "../support/tools.ts";

let source: TestRegistry;
let target: TestRegistry;

beforeAll(async () => {
  [source, target] = await Promise.all([startRegistry(), startRegistry()]);
});
afterAll(() => Promise.all([source.stop(), target.stop()]));

async function relay(behind: TestRegistry, handle?: Parameters<typeof startServer>[0]["handle"]): Promise<TestServer> {
  const server = await startServer({ behind: behind.host, ...(handle && { handle }) });
  onTestFinished(() => server.stop());
  return server;
}

async function tool(name: string, args: readonly string[], cwd?: string): Promise<string> {
  const { stdout } = await execa(toolPath(name), args, { ...(cwd !== undefined && { cwd }), stdin: "ignore" });
  return stdout;
}

const digestOf = (reference: string): Promise<string> => tool("crane", ["digest", "--insecure", reference]);

/** Puts an index of three platforms into the source's registry, as another program does it; gives its digest. */
async function publish(repository: string, tag: string, layerBytes = 200_000): Promise<string> {
  const layout = await testLayout();
  const manifests: Descriptor[] = [];
  for (const architecture of ["amd64", "arm64", "riscv64"]) {
    const content = randomBytes(layerBytes / 2).toString("hex");
    const shared = [folder("etc"), file("etc/shared", repository)];
    const layers = [shared, [file("data", content)]];
    manifests.push(await writeImage(layout, { architecture, compression: "gzip", layers }));
  }
  const index = await writeIndex(layout, manifests);
  await layout.writeIndex({
    schemaVersion: 2,
    manifests: [{ ...index, annotations: { "org.opencontainers.image.ref.name": tag } }],
  });
  const to = `${source.host}/${repository}:${tag}`;
  await tool("oras", ["cp", "--from-oci-layout", "--to-plain-http", `${layout.path}:${tag}`, to]);
  expect(await digestOf(to)).toBe(index.digest);
  return index.digest;
}

/** Attaches a document to an image, as another program does it; gives the reference of what was attached. */
async function attach(reference: string, artifactType: string): Promise<string> {
  const cwd = await temporaryFolder();
  await writeFile(join(cwd, "note.txt"), `${artifactType} of ${reference}`);
  const args = ["attach", "--plain-http", "--artifact-type", artifactType, "--format", "json", reference, "note.txt"];
  return (JSON.parse(await tool("oras", args, cwd)) as { reference: string }).reference;
}

/** Types of all that refers to an image, and to that, as another program sees them. */
async function discover(reference: string): Promise<string[]> {
  const seen = await tool("oras", ["discover", "--plain-http", "--format", "json", reference]);
  return [...seen.matchAll(/"artifactType": ?"([^"]+)"/g)].map(([, type]) => type ?? "").toSorted();
}

interface Run {
  readonly exitCode: number;
  readonly document: MirrorDocument;
  readonly stderr: string;
}

/** Starts the command in a process of its own. */
function start(cwd: string, flags: MirrorFlags) {
  const args = ["mirror", "mirror.yaml", "--json", "--to", flags.to];
  if (flags.dryRun) args.push("--dry-run");
  for (const mapping of flags.mapping ?? []) args.push("--mapping", mapping);
  return startRefoundry(args, { cwd, env: { DOCKER_CONFIG: "/nonexistent" } });
}

async function run(cwd: string, flags: MirrorFlags): Promise<Run> {
  const { exitCode, stdout, stderr } = await start(cwd, flags);
  const document = stdout === "" ? undefined : (JSON.parse(stdout) as MirrorDocument);
  if (document?.schema !== "refoundry/mirror/v1") throw new Error(`mirror printed no document: ${stdout}${stderr}`);
  return { exitCode: exitCode ?? -1, document, stderr };
}

async function mirrorFile(text: string): Promise<string> {
  const cwd = await temporaryFolder();
  await writeFile(join(cwd, "mirror.yaml"), text);
  return cwd;
}

const actions = ({ document }: Run): string[] => document.tags.map(({ tag, action }) => `${tag} ${action}`);

describe("an index of three platforms with referrers", () => {
  test("is mirrored whole: other programs find the same digest, every byte and every referrer", async () => {
    const digest = await publish("library/app", "1.0");
    const from = `${source.host}/library/app`;
    const signature = await attach(`${from}:1.0`, "application/vnd.example.signature");
    await attach(signature, "application/vnd.example.counter-signature");
    const child = await tool("crane", ["digest", "--insecure", "--platform", "linux/riscv64", `${from}:1.0`]);
    await attach(`${from}@${child}`, "application/vnd.example.sbom");

    const front = await relay(source);
    const cwd = await mirrorFile(
      `mirrors:\n  - { image: ${front.host}/library/app, tags: ["1.0"], to: library/app }\n`,
    );
    const to = `${target.host}/first`;
    const dry = await run(cwd, { to, dryRun: true });
    expect(actions(dry)).toEqual(["1.0 copy"]);
    await expect(readFile(join(cwd, "mirror.lock.yaml"))).rejects.toMatchObject({ code: "ENOENT" });

    const first = await run(cwd, { to });
    expect(first).toMatchObject({ exitCode: 0, document: { failed: 0, lock: { changed: true } } });
    expect(first.document.tags[0]).toMatchObject({ action: "copy", digest, manifests: 4, referrers: 3 });
    expect(first.document.bytesCopied).toBeGreaterThan(300_000);
    const mirrored = `${to}/library/app`;
    expect(await digestOf(`${mirrored}:1.0`)).toBe(digest);
    await tool("crane", ["validate", "--insecure", "--remote", `${mirrored}:1.0`]);
    for (const platform of ["linux/amd64", "linux/arm64", "linux/riscv64"])
      await tool("crane", ["validate", "--insecure", "--platform", platform, "--remote", `${mirrored}:1.0`]);
    expect(await discover(`${mirrored}:1.0`)).toEqual(await discover(`${from}:1.0`));
    expect(await discover(`${mirrored}:1.0`)).toContain("application/vnd.example.signature");
    expect(await discover(`${mirrored}@${child}`)).toEqual(["application/vnd.example.sbom"]);
    const list = await tool("crane", ["manifest", "--insecure", `${mirrored}:1.0`]);
    expect(list).toBe(await tool("crane", ["manifest", "--insecure", `${from}:1.0`]));

    const lock = await readFile(join(cwd, "mirror.lock.yaml"), "utf8");
    const before = front.seen.length;
    const second = await run(cwd, { to });
    expect(actions(second)).toEqual(["1.0 there"]);
    expect(second.document).toMatchObject({ bytesCopied: 0, lock: { changed: false } });
    expect(await readFile(join(cwd, "mirror.lock.yaml"), "utf8")).toBe(lock);
    const reads = front.seen.slice(before).filter(({ method, path }) => method === "GET" && /sha256:/.test(path));
    expect(reads.filter(({ path }) => !path.includes("/referrers/"))).toEqual([]);
    // registries count what is read, and not what is asked for by HEAD
    const ofTag = front.seen.slice(before).filter(({ path }) => path.endsWith("/manifests/1.0"));
    expect(new Set(ofTag.map(({ method }) => method))).toEqual(new Set(["HEAD"]));

    const later = await attach(`${from}:1.0`, "application/vnd.example.later");
    expect((await run(cwd, { to })).document.tags[0]).toMatchObject({ action: "there", referrers: 4 });
    expect(await discover(`${mirrored}:1.0`)).toContain("application/vnd.example.later");
    expect(later).toMatch(/@sha256:/);
  });

  test("that moved upstream is reported, locked and mirrored; what it was stays", async () => {
    const old = await publish("library/moving", "1");
    const image = `${source.host}/library/moving`;
    const cwd = await mirrorFile(`mirrors:\n  - { image: ${image}, match: { range: ">=1 <2" }, to: moving }\n`);
    const to = `${target.host}/moved`;
    await run(cwd, { to });
    const fresh = await publish("library/moving", "1");
    const moved = await run(cwd, { to });
    expect(moved.exitCode).toBe(0);
    expect(moved.document.tags).toMatchObject([
      { action: "moved", class: "upstream-moved", previous: old, digest: fresh, mirrored: fresh },
    ]);
    expect(await digestOf(`${to}/moving:1`)).toBe(fresh);
    expect(await digestOf(`${to}/moving@${old}`)).toBe(old);
    const lock = await readFile(join(cwd, "mirror.lock.yaml"), "utf8");
    expect(lock.match(/digest: sha256:[0-9a-f]+/g)).toEqual([`digest: ${old}`, `digest: ${fresh}`]);
    expect(lock.match(/lastSeen/g)).toHaveLength(1);
    expect(actions(await run(cwd, { to }))).toEqual(["1 there"]);
  });
});

describe("what goes wrong", () => {
  test("killed in the middle: no tag names a half, and the next run ends where it should", async () => {
    const digest = await publish("library/large", "1", 6_000_000);
    const front = await relay(source);
    const back = await relay(target);
    const cwd = await mirrorFile(`mirrors:\n  - { image: ${front.host}/library/large, tags: ["1"], to: large }\n`);
    const to = `${back.host}/killed`;
    const wrote = (): number => back.seen.filter(({ method }) => method === "PUT").length;
    let total = 0;
    for (const stopAt of [1, 3, 6]) {
      const before = wrote();
      const running = start(cwd, { to });
      const ended = running.then(() => true);
      while (wrote() - before < stopAt && !(await Promise.race([ended, pause(2).then(() => false)]))) continue;
      running.kill("SIGKILL");
      await ended;
      const seen = await digestOf(`${target.host}/killed/large:1`).catch(() => undefined);
      if (seen !== undefined)
        await tool("crane", ["validate", "--insecure", "--remote", `${target.host}/killed/large:1`]);
      total += wrote() - before;
    }
    const last = await run(cwd, { to });
    expect(last).toMatchObject({ exitCode: 0, document: { failed: 0 } });
    expect(total).toBeGreaterThan(0);
    expect(await digestOf(`${target.host}/killed/large:1`)).toBe(digest);
    await tool("crane", ["validate", "--insecure", "--remote", `${target.host}/killed/large:1`]);
    expect((await run(cwd, { to })).document.bytesCopied).toBe(0);
  });

  test("one image that is not there fails alone; a registry that asks to wait is waited for", async () => {
    const digest = await publish("library/busy", "1");
    let refusals = 2;
    const front = await relay(source, (_, response, { path }) => {
      if (!path.includes("/busy/manifests/") || refusals-- <= 0) return false;
      response.writeHead(429, { "retry-after": "1" }).end('{"errors":[{"code":"TOOMANYREQUESTS"}]}');
      return true;
    });
    const cwd = await mirrorFile(`requestsPerHour: { "${front.host}": 1000 }
mirrors:
  - { image: "${front.host}/library/missing", match: { pattern: ".*" }, to: missing }
  - { image: "${front.host}/library/busy", tags: ["1", "2"], to: busy }
`);
    const { document, exitCode } = await run(cwd, { to: `${target.host}/partly` });
    expect(document.tags.map(({ tag, action }) => `${tag} ${action}`)).toEqual(["* failed", "1 copy", "2 gone"]);
    expect(document.tags[0]?.problems?.[0]?.message).toMatch(/missing/);
    expect(exitCode).toBe(3);
    expect(refusals).toBeLessThan(0);
    expect(await digestOf(`${target.host}/partly/busy:1`)).toBe(digest);
  });
});

describe("mappings", () => {
  test("lead another program to the mirror; folders serve as mirrors too", async () => {
    const digest = await publish("team/mapped", "1");
    const image = `${source.host}/team/mapped`;
    const cwd = await mirrorFile(`mirrors:\n  - { image: "${image}", tags: ["1"], to: team/mapped }\n`);
    const to = `${target.host}/mapped`;
    const mapping = ["json:map.json", "registries.conf:registries.conf", "hosts.toml:certs.d", "yaml:map.yaml"];
    await run(cwd, { to, mapping });
    expect(JSON.parse(await readFile(join(cwd, "map.json"), "utf8"))).toEqual({
      [`${image}:1`]: `${to}/team/mapped:1`,
    });
    const hosts = await readFile(join(cwd, "certs.d", source.host, "hosts.toml"), "utf8");
    expect(hosts).toContain(`[host."http://${target.host}/v2/mapped"]`);
    // nobody is at the image's own place any more
    const conf = (await readFile(join(cwd, "registries.conf"), "utf8")).replaceAll(
      `"${image}"`,
      '"gone.example/mapped"',
    );
    await writeFile(join(cwd, "registries.conf"), conf);
    const args = [
      "--registries-conf",
      "registries.conf",
      "inspect",
      "--no-tags",
      "--format",
      "{{.Digest}}",
      "docker://gone.example/mapped:1",
    ];
    expect(await tool("skopeo", args, cwd)).toBe(digest);

    const layouts = await run(cwd, { to: "oci:mirror", mapping: ["json:folders.json"] });
    expect(layouts.document.tags[0]).toMatchObject({ action: "copy", destination: "oci:mirror/team/mapped:1" });
    const inspected = await tool("skopeo", ["inspect", "--raw", "oci:mirror/team/mapped:1"], cwd);
    expect(inspected).toBe(await tool("crane", ["manifest", "--insecure", `${image}:1`]));
    expect((await run(cwd, { to: "oci:mirror" })).document.bytesCopied).toBe(0);
  });
});

test("inside of one registry blobs are mounted: only manifests are sent", async () => {
  const digest = await publish("team/mounted", "1");
  const front = await relay(source);
  const cwd = await mirrorFile(`mirrors:\n  - { image: ${front.host}/team/mounted, tags: ["1"], to: mounted }\n`);
  const { document } = await run(cwd, { to: `${front.host}/own` });
  expect(document.tags[0]).toMatchObject({ action: "copy", digest, blobs: 7 });
  expect(document.bytesCopied).toBeLessThan(10_000);
  expect(document.tags[0]?.bytesThere).toBeGreaterThan(300_000);
  expect(front.seen.filter(({ method, path }) => method === "GET" && path.includes("/blobs/"))).toEqual([]);
  await tool("crane", ["validate", "--insecure", "--remote", `${source.host}/own/mounted:1`]);
});

test("copying what is there takes no more requests than crane's copy", async () => {
  await publish("team/counted", "1");
  const [front, back] = [await relay(source), await relay(target)];
  const count = async (work: () => Promise<unknown>): Promise<number> => {
    const before = front.seen.length + back.seen.length;
    await work();
    return front.seen.length + back.seen.length - before;
  };
  const crane = (): Promise<string> =>
    tool("crane", ["copy", "--insecure", `${front.host}/team/counted:1`, `${back.host}/counted:1`]);
  await crane();
  const craneRequests = await count(crane);
  const client = createRegistryClient({ env: { DOCKER_CONFIG: "/nonexistent" } });
  onTestFinished(() => client.close());
  const from = client.repository({ host: front.host, repository: "team/counted" });
  const to = client.repository({ host: back.host, repository: "counted" });
  const copy = async (trust: "index" | "manifest"): Promise<void> => {
    const { descriptor, bytes } = await from.resolve("1");
    const options = { tag: "1", document: bytes, referrers: false, trust };
    expect(await copyTree(from, descriptor, to, options)).toMatchObject({ bytesCopied: 0 });
  };
  expect(await count(() => copy("index"))).toBeLessThanOrEqual(craneRequests);
  // asking for each of three children, which crane does not, is one request each
  expect(await count(() => copy("manifest"))).toBeLessThanOrEqual(craneRequests + 1);
});

function pause(milliseconds: number): Promise<void> {
  return new Promise((resolve) => setTimeout(resolve, milliseconds));
}
