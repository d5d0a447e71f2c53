import { mkdir } from "node:fs/promises";
import { createServer as createHttpServer } from "node:http";
import { type AddressInfo, createServer, type Server } from "node:net";
import { join } from "node:path";
import { expect, onTestFinished, test } from "vitest";
import { openMirror } from "../../../src/debian/mirror.ts";
import { createGit } from "../../../src/git/run-git.ts";
import { askForks, isGone } from "../../../src/nightly/forks.ts";
import { askPackages } from "../../../src/nightly/packages.ts";
import { ensureLayout } from "../../../src/oci/layout.ts";
import type { Source } from "../../../src/recipe/schema.ts";
import { temporaryFolder } from "../../support/temporary.ts";

const calm = new AbortController().signal;
const source = (name: string, upstream: string, forks: readonly string[]): Source => ({
  source: name,
  licence: "MIT",
  upstream,
  forks: [...forks],
  import: { kind: "git" },
});

async function listen(server: Server): Promise<number> {
  await new Promise<void>((resolve) => server.listen(0, "127.0.0.1", resolve));
  onTestFinished(() => void server.close());
  return (server.address() as AddressInfo).port;
}

async function emptyRepository(): Promise<string> {
  const path = join(await temporaryFolder(), "repository");
  await mkdir(path);
  await createGit(path)(["init", "--bare", "--quiet", "."]);
  return `file://${path}`;
}

test("forks that are gone are told from those that are out of reach, and each address is asked once", async () => {
  const there = await emptyRepository();
  const gone = `file://${join(await temporaryFolder(), "nothing")}`;
  const hung = new Set<unknown>();
  const deaf = createServer((socket) => {
    hung.add(socket);
    onTestFinished(() => void socket.destroy());
  });
  const hanging = `https://127.0.0.1:${await listen(deaf)}/repository`;
  // nobody listens there: port 1 of loopback
  const refused = "https://127.0.0.1:1/repository";
  const startedAt = performance.now();
  const lost = await askForks(
    [source("a", there, [gone, hanging]), source("b", refused, [there, hanging])],
    await temporaryFolder(),
    1,
    calm,
  );
  expect(performance.now() - startedAt).toBeLessThan(10_000);
  expect(lost.map(({ source: name, kind, url, place }) => [name, kind, url, place.state])).toEqual([
    ["a", "fork", gone, "gone"],
    ["a", "fork", hanging, "unreachable"],
    ["b", "fork", hanging, "unreachable"],
    ["b", "upstream", refused, "unreachable"],
  ]);
  expect(lost[1]?.place).toMatchObject({ said: "no answer within 1 seconds" });
  expect(hung.size).toBe(1);
});

test.each([
  ["fatal: repository 'https://forge.example/a/b/' not found", true],
  ["ERROR: Repository not found.\nfatal: Could not read from remote repository.", true],
  ["fatal: could not read Username for 'https://forge.example': terminal prompts disabled", true],
  ["remote: The project you were looking for could not be found or you don't have permission to view it.", true],
  ["fatal: unable to access 'https://forge.example/a/': Could not resolve host: forge.example", false],
  ["fatal: unable to access 'https://forge.example/a/': The requested URL returned error: 503", false],
  ["ssh: connect to host forge.example port 22: Connection refused", false],
])("%j means that it is gone: %j", (said, gone) => {
  expect(isGone(said)).toBe(gone);
});

test("an interrupt ends asking", async () => {
  await expect(
    askForks([source("a", await emptyRepository(), [])], await temporaryFolder(), 1, AbortSignal.abort()),
  ).rejects.toMatchObject({ kind: "interrupted" });
});

/** A mirror that has what is named, and counts. */
async function startMirror(status: (path: string) => number) {
  const asked: string[] = [];
  let connections = 0;
  const server = createHttpServer((request, response) => {
    asked.push(`${request.method} ${decodeURIComponent(request.url ?? "")}`);
    response.writeHead(status(decodeURIComponent(request.url ?? "")), { "content-length": "100000" });
    response.end();
  });
  server.on("connection", () => connections++);
  const port = await listen(server);
  const mirror = openMirror(await ensureLayout(await temporaryFolder()), async () => `http://127.0.0.1:${port}/debian`);
  onTestFinished(() => mirror.close());
  return { mirror, asked, connections: () => connections };
}

test("a mirror is asked once for each file, over a few connections, and says which are gone", async () => {
  const paths = Array.from({ length: 300 }, (_, at) => `pool/main/p/package-${at}_1.0+b1_amd64.deb`);
  const lost = paths.filter((_, at) => at % 50 === 7);
  const { mirror, asked, connections } = await startMirror((path) =>
    lost.includes(path.replace("/debian/", "")) ? 404 : 200,
  );
  const answers = await askPackages(paths, mirror, 60, calm);
  expect([...answers.gone].toSorted()).toEqual(lost.toSorted());
  expect(answers).toMatchObject({ asked: 300 });
  expect(answers.failure).toBeUndefined();
  expect(asked.toSorted()).toEqual(paths.map((path) => `HEAD /debian/${path}`).toSorted());
  expect(connections()).toBeLessThanOrEqual(8);
});

test("a mirror that is away is not asked for everything, and nothing is said to be gone", async () => {
  const paths = Array.from({ length: 300 }, (_, at) => `pool/${at}`);
  const { mirror, asked } = await startMirror(() => 503);
  const answers = await askPackages(paths, mirror, 60, calm);
  expect(answers.gone.size).toBe(0);
  expect(answers.failure).toContain("answered 503");
  expect(asked.length).toBeLessThan(50);
});
