import { afterAll, beforeAll, describe, expect, onTestFinished, test } from "vitest";
import { createRegistryClient, type RegistryClientOptions } from "../../src/oci/registry/client.ts";
import type { Repository } from "../../src/oci/repository.ts";
import { startRegistry, startServer, type TestRegistry, type TestServer } from "../support/registry.ts";
import { failureOf, layerOf, pieces, push, randomImage, readAll } from "../support/registry-images.ts";

const retry = { retries: 3, firstDelay: 5, longestWait: 2 };
let registry: TestRegistry;

beforeAll(async () => {
  registry = await startRegistry();
});
afterAll(() => registry.stop());

function open(host: string, repository: string, options: RegistryClientOptions = {}): Repository {
  const client = createRegistryClient({ env: { DOCKER_CONFIG: "/nonexistent" }, retry, ...options });
  onTestFinished(() => client.close());
  return client.repository({ host, repository });
}

async function relay(options: Parameters<typeof startServer>[0]): Promise<TestServer> {
  const server = await startServer({ behind: registry.host, ...options });
  onTestFinished(() => server.stop());
  return server;
}

describe("when the network or the registry has a bad day", () => {
  test.each([429, 503, 500])("%s and then success", async (status) => {
    const image = randomImage();
    let refusals = 0;
    const refused = new Set<string>();
    const front = await relay({
      handle: async (request, response, { method, path }) => {
        const key = `${method} ${path.split("?")[0]?.replace(/uploads\/.*/, "uploads")}`;
        if (refused.has(key)) return false;
        refused.add(key);
        refusals++;
        request.resume();
        response.writeHead(status, {
          "content-type": "application/json",
          ...(status === 429 && { "retry-after": "0" }),
        });
        response.end('{"errors":[{"code":"UNAVAILABLE","message":"later"}]}');
        return true;
      },
    });
    const repository = open(front.host, `tired/${status}`, { retry: { ...retry, retries: 6 } });
    await push(repository, image, "1");
    expect((await repository.resolve("1")).descriptor.digest).toBe(image.digest);
    for (const [blob, content] of image.blobs) expect((await readAll(repository, blob)).equals(content)).toBe(true);
    expect(refusals).toBeGreaterThan(8);
  });

  test("429 without end, an unknown name and an unknown manifest each say so", async () => {
    const front = await relay({
      handle: (_, response, { path }) => {
        if (!path.includes("/busy/")) return false;
        response.writeHead(429, { "retry-after": "0" }).end();
        return true;
      },
    });
    expect((await failureOf(open(front.host, "busy").resolve("1"))).message).toMatch(
      new RegExp(`the registry ${front.host} limits requests.*${front.host}/busy.*tried 4 times`),
    );
    expect((await failureOf(open(front.host, "never/pushed").resolve("1"))).message).toMatch(
      /MANIFEST_UNKNOWN|NAME_UNKNOWN/,
    );
    expect(front.seen.filter(({ path }) => path.includes("/never/"))).toHaveLength(1);
  });

  test.each([
    ["by a range", false],
    ["without ranges, skipping what was read", true],
  ])("a blob whose connection drops in the middle goes on where it stopped, %s", async (_, dropRange) => {
    const image = randomImage(3_000_000);
    await push(open(registry.host, "cut"), image, "1");
    const [layer, bytes] = layerOf(image);
    let cuts = 0;
    const front = await relay({
      dropRange,
      cut: ({ path }) => (path.includes("/blobs/") && cuts++ < 2 ? 1_000_000 + cuts * 100_000 : undefined),
    });
    expect((await readAll(open(front.host, "cut"), layer)).equals(bytes)).toBe(true);
    const ranges = front.seen.map(({ range }) => range);
    expect(ranges).toHaveLength(3);
    expect(ranges[0]).toBeUndefined();
    expect(ranges[1]).toMatch(/^bytes=[1-9][0-9]*-$/);
  });

  test("a blob that never arrives fails with how far it came", async () => {
    const image = randomImage(3_000_000);
    await push(open(registry.host, "cut"), image, "1");
    const [layer] = layerOf(image);
    const front = await relay({ cut: () => 100_000, dropRange: true });
    expect((await failureOf(readAll(open(front.host, "cut"), layer))).message).toMatch(
      /broke off at [1-9][0-9]* of 3000000 bytes.*\n {2}run the same command again/,
    );
  });

  test("an upload whose connection drops is sent again from its start", async () => {
    const [layer, bytes] = layerOf(randomImage(2_000_000));
    let drops = 0;
    let opened = 0;
    const front = await relay({
      handle: (request, _, { method }) => {
        if (method !== "PUT" || drops++ > 0) return false;
        request.once("data", () => request.socket.destroy());
        return true;
      },
    });
    const repository = open(front.host, "dropped");
    const source = (): AsyncIterable<Uint8Array> => {
      opened++;
      return pieces(bytes);
    };
    expect(await repository.pushBlob(layer, source)).toBe(layer.size);
    expect([drops, opened]).toEqual([2, 2]);
    expect((await readAll(repository, layer)).equals(bytes)).toBe(true);
  });

  test("nobody listens; TLS where there is none; a host that does not exist", async () => {
    const front = await relay({});
    await front.stop();
    expect((await failureOf(open(front.host, "a").resolve("1"))).message).toMatch(
      new RegExp(`the registry ${front.host} refuses connections`),
    );
    expect((await failureOf(open(registry.host, "a", { plainHttp: "never" }).resolve("1"))).message).toMatch(
      /does not speak TLS/,
    );
    expect((await failureOf(open("registry.invalid", "a").resolve("1"))).message).toMatch(
      /registry\.invalid.*(is unknown|failed: EAI_AGAIN)/,
    );
  });

  test("an abort ends a transfer and a wait at once, as interrupted", async () => {
    const image = randomImage(3_000_000);
    await push(open(registry.host, "aborted"), image, "1");
    const [layer] = layerOf(image);
    const front = await relay({
      handle: (_, response, { path }) => {
        if (path.includes("/blobs/")) response.writeHead(200, { "content-length": "3000000" }).write("x");
        return true;
      },
    });
    for (const work of [
      (signal: AbortSignal) => readAll(open(front.host, "aborted"), layer, signal),
      (signal: AbortSignal) => open(front.host, "aborted").resolve("1", signal),
    ]) {
      const startedAt = performance.now();
      await expect(work(AbortSignal.timeout(200))).rejects.toMatchObject({ kind: "interrupted" });
      expect(performance.now() - startedAt).toBeLessThan(3000);
    }
  });

  test("a proxy named in the environment is not asked for loopback", async () => {
    const image = randomImage();
    await push(open(registry.host, "direct"), image, "1");
    const repository = open(registry.host, "direct", {
      env: { DOCKER_CONFIG: "/nonexistent", HTTP_PROXY: "http://127.0.0.1:9" },
    });
    expect((await repository.resolve("1")).descriptor.digest).toBe(image.digest);
  });
});

describe("redirects", () => {
  test("of blobs to another origin are followed, without the registry's credentials", async () => {
    const image = randomImage();
    await push(open(registry.host, "stored"), image, "1");
    const [layer, bytes] = layerOf(image);
    const storage = await relay({});
    const front = await relay({
      handle: (request, response, { path }) => {
        if (request.headers.authorization === undefined) {
          response.writeHead(401, { "www-authenticate": 'Basic realm="x"' }).end();
          return true;
        }
        response.writeHead(307, { location: `http://${storage.host}${path}?signature=SECRET` }).end("elsewhere");
        return true;
      },
    });
    const credentials = async (): Promise<{ kind: "basic"; username: string; password: string }> => ({
      kind: "basic",
      username: "me",
      password: "pw",
    });
    expect((await readAll(open(front.host, "stored", { credentials }), layer)).equals(bytes)).toBe(true);
    expect(front.seen.at(-1)?.authorization).toMatch(/^Basic /);
    expect(storage.seen.map(({ authorization }) => authorization)).toEqual([undefined]);
  });

  test("that never end, lead to plain http, or to a storage that refuses", async () => {
    const storage = await relay({
      handle: (_, response) => {
        response.writeHead(403).end("<xml/>");
        return true;
      },
    });
    const locations: Readonly<Record<string, string>> = {
      loop: "/v2/loop/blobs/x",
      plain: "http://192.0.2.1/?sig=SECRET",
      refused: `http://${storage.host}/b?sig=SECRET`,
    };
    const front = await relay({
      handle: (_, response, { path }) => {
        response.writeHead(302, { location: locations[path.split("/")[2] ?? ""] }).end();
        return true;
      },
    });
    const [layer] = layerOf(randomImage());
    const messages: Readonly<Record<string, RegExp>> = {
      loop: /redirects .* more than 5 times/,
      plain: /not https: http:\/\/192\.0\.2\.1/,
      refused: new RegExp(`${storage.host}, where ${front.host} keeps`),
    };
    for (const [repository, message] of Object.entries(messages)) {
      const failure = await failureOf(readAll(open(front.host, repository), layer));
      expect(failure.message).toMatch(message);
      expect(failure.message).not.toContain("SECRET");
    }
    expect(front.seen.filter(({ path }) => path.startsWith("/v2/loop/"))).toHaveLength(6);
  });
});
